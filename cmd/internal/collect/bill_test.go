package collect_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/collect"
)

// Of a run's file the last line is read, whatever stands before it and however long that
// is. No other test allocates meanwhile.
func TestBillIsTheLastLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bill.json")
	read := func(parts ...string) (run string, allocated int, err error) {
		f, err := os.Create(file)
		require.NoError(t, err)
		for _, part := range parts {
			_, err = f.WriteString(part)
			require.NoError(t, err)
		}
		require.NoError(t, f.Close())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := collect.Bill(file)
		runtime.ReadMemStats(&after)
		if b != nil {
			run = b.Run
		}
		return run, int(after.TotalAlloc - before.TotalAlloc), err
	}
	long := strings.Repeat(`{"file":"a"},`, 5<<20)
	const longest = 8 << 20
	for name, parts := range map[string][]string{
		"alone":                {`{"run":"R1"}`},
		"ended by a line":      {`{"run":"R1"}` + "\r\n\n  \n"},
		"after blank lines":    {"\n \n", `{"run":"R1"}`},
		"after others":         {"{}\n", `{"run":"R0"}`, "\n", `{"run":"R1"}`, "\n"},
		"after a long one":     {long, "\n", `{"run":"R1"}`, "\n"},
		"after blanks":         {strings.Repeat(" ", longest+1), "\n", `{"run":"R1"}`},
		"with blanks behind":   {`{"run":"R1"}`, "\n", strings.Repeat(" ", longest+1), "\n"},
		"across two readings":  {strings.Repeat(" ", 64<<10-5), `{"run":"R1"}`},
		"a break between them": {strings.Repeat("x", 64<<10-1), "\r\n", `{"run":"R1"}`},
	} {
		run, allocated, err := read(parts...)
		require.NoError(t, err, name)
		assert.Equal(t, "R1", run, name)
		assert.Less(t, allocated, 60<<20, name)
	}
	for _, parts := range [][]string{{long}, {long, "\n"}, {`{"run":"R0"}`, "\n", long, "\n \n"}} {
		_, allocated, err := read(parts...)
		require.ErrorContains(t, err, "there is no bill: "+file+": its last line has more than 8388608 bytes")
		assert.Less(t, allocated, 60<<20)
	}
	began := time.Now()
	run, _, err := read(strings.Repeat(" ", longest-100_000), strings.Repeat("\n", 100_000), `{"run":"R1"}`)
	require.NoError(t, err)
	assert.Equal(t, "R1", run)
	assert.Less(t, time.Since(began), 30*time.Second, "blanks are read once")
	for _, parts := range [][]string{nil, {"\n\n"}, {`{"run":"R0"}`, "\n{}\n"}} {
		_, _, err := read(parts...)
		assert.ErrorContains(t, err, "has no bill: the run was killed before its end")
	}
}

// A bill with figures that no run has is said to be one, and not that there is none.
func TestBillOfImpossibleFigures(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bill.json")
	for text, says := range map[string]string{
		`{"run":"R1","spent":1e30}`:   "has no bill of a run: in its last line spent is the number 1e30",
		`{"run":"R1","spent":"many"}`: "has no bill of a run: in its last line spent is the string",
		`{"run":1,"spent":1}`:         "has no bill of a run: in its last line run is the number",
		`{"run":"R1","spent":1`:       "has no bill: the run was killed before its end",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := collect.Bill(file)
		assert.ErrorContains(t, err, says, text)
	}
}
