package output_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/report"
)

// TestLargeRunsAreNotRead: a file that is no run's is refused by its size, before it is in
// memory.
func TestLargeRunsAreNotRead(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "main.json")
	file, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, file.Truncate(report.MaxBytes+1)) // which takes no room on the disk
	require.NoError(t, file.Close())
	_, err = output.Baseline(name, "", nil)
	require.EqualError(t, err, "--baseline: "+name+" has more than 536870912 bytes, and no more are read of such a file")
	_, err = output.Merged([]string{name})
	assert.EqualError(t, err, name+" has more than 536870912 bytes, and no more are read of such a file")
}

// TestAShardThatWasInterruptedIsNoSuccess: its exit code is 130, or that of a later version,
// and all that it had done by then went well.
func TestAShardThatWasInterruptedIsNoSuccess(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ first, second, want int }{
		{0, 0, 0}, {130, 0, 130}, {0, 143, 143}, {143, 4, 4}, {1, 143, 1}, {8, 0, 8}, {0, 256, 1}, {-1, 0, 1},
	} {
		var names []string
		for i, code := range []int{row.first, row.second} {
			name := filepath.Join(t.TempDir(), fmt.Sprintf("%d.json", i))
			text := fmt.Sprintf("{\"file\":\"%d.yaml\",\"name\":\"x\",\"verdict\":\"mocked\",\"cases\":[{\"verdict\":\"mocked\"}]}\n{\"exit\":%d}\n", i, code)
			require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
			names = append(names, name)
		}
		run, err := output.Merged(names)
		require.NoError(t, err)
		assert.Equal(t, row.want, output.Ended(run).Exit, "%v", row)
	}
}

// Where there are no results, or no score in them, it is said how to get some.
func TestResultsThatAreMissing(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "gone.json")
	_, err := output.Merged([]string{gone})
	require.EqualError(t, err, "there is no file "+gone)
	assert.EqualValues(t, hint.WriteResults, hint.For(err))
	bare := filepath.Join(t.TempDir(), "bare.json")
	require.NoError(t, os.WriteFile(bare, []byte("{\"file\":\"a.yaml\"}\n{\"run\":\"\",\"exit\":0}\n"), 0o600))
	_, err = output.Baseline(bare, "", nil)
	require.ErrorContains(t, err, "there is no score in it")
	assert.EqualValues(t, hint.WriteResults, hint.For(err))
}

// Each shard is small enough, and all of them are not.
func TestShardsHaveABoundTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files []string
	for _, name := range []string{"a", "b", "c"} {
		file := filepath.Join(dir, name+".json")
		text := `{"file":"` + name + `.yaml","verdict":"mocked","unknown":[0` + strings.Repeat(",0", 1_500_000) + `]}` + "\n" + `{"run":"","exit":0}` + "\n"
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		files = append(files, file)
	}
	_, err := output.Merged(files[:2])
	require.NoError(t, err)
	_, err = output.Merged(files)
	assert.ErrorContains(t, err, "c.json:1:1: with the files before it, more than 1024 MB, 4000000 objects")
}
