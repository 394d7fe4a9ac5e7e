package holder

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func lockFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

func TestWho(t *testing.T) {
	t.Parallel()
	f := lockFile(t)
	assert.Equal(t, "another process", Who(f, 0, "a"), "nobody signed")
	Sign(f, 0, "a")
	host, err := os.Hostname()
	require.NoError(t, err)
	assert.Regexp(t, fmt.Sprintf(`^process %d \(holder\.test(?:\.exe)?\) of %s since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, os.Getpid(), host), Who(f, 0, "a"))
	assert.Equal(t, "another process", Who(f, 0, "b"), "that is another lock at the same place")
	assert.Equal(t, "another process", Who(f, Size, "a"))
	Sign(f, 3*Size, "b")
	assert.Contains(t, Who(f, 3*Size, "b"), "process")
	info, err := f.Stat()
	require.NoError(t, err)
	assert.EqualValues(t, 4*Size, info.Size())
}

// Others can write the file, so what comes out of it is printable and short.
func TestWhoIsCleaned(t *testing.T) {
	t.Parallel()
	f := lockFile(t)
	_, err := f.WriteString(`{"pid":7,"host":"h\u001b[31m\r\n","command":"` + strings.Repeat("ü", 100) + `"}`)
	require.NoError(t, err)
	who := Who(f, 0, "")
	assert.True(t, strings.HasPrefix(who, "process 7 (üüü"), who)
	assert.Contains(t, who, "of h[31m since")
	assert.Less(t, len(who), 200)
	for _, junk := range []string{"", "{", `{"pid":-1}`, `[]`, "\x00\x00", `{"pid":"7"}`} {
		require.NoError(t, f.Truncate(0))
		_, err := f.WriteAt([]byte(junk), 0)
		require.NoError(t, err)
		assert.Equal(t, "another process", Who(f, 0, ""), junk)
	}
}

// An argument may hold a secret; the name of a command does not.
func TestCommand(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"":                {},
		"hsharness":       {"/usr/bin/hsharness"},
		"hsharness exec":  {"hsharness", "exec", "--", "curl", "-H", "Authorization: Bearer x"},
		"hsharness quota": {"/opt/hsharness", "quota", "grant", "5"},
		"serve":           {"serve", "--client", "id:secret"},
		"curl":            {"curl", "Secret"},
		"go":              {"go", "s3cret"},
	} {
		assert.Equal(t, want, command(args))
	}
}
