//go:build linux

package apart_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
)

func TestMain(m *testing.M) {
	if os.Getenv("APART_TEST") != "" {
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestNamespaceOfItsOwn(t *testing.T) {
	t.Parallel()
	place := apart.Place{Unshare: []string{"--mount", "--pid", "--mount-proc"}, First: "mount -t tmpfs none /mnt; touch /mnt/here"}
	if !place.Possible(t) {
		return
	}
	out, err := place.Command(t, "sh", "-c", "echo $$; ls /mnt").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "1\nhere\n", string(out))
	assert.NoFileExists(t, "/mnt/here")
}

func TestAnotherUser(t *testing.T) {
	t.Parallel()
	place := apart.Place{User: 1001, Group: 1002, Umask: "027"}
	if !place.Possible(t) {
		return
	}
	out, err := place.Command(t, "sh", "-c", "id -u; id -G; umask").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "1001 1002 0027", strings.Join(strings.Fields(string(out)), " "))

	cmd := place.Command(t, apart.Program(t))
	cmd.Env = append(os.Environ(), "APART_TEST=1")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestPlaceThatCannotBe(t *testing.T) {
	t.Setenv("CI", "") // where it is set, this test would fail, as it must
	assert.False(t, apart.Place{First: "false"}.Possible(t))
}
