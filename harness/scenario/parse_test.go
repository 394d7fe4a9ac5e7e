package scenario_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness/scenario"
)

var update = flag.Bool("update", false, "rewrite the golden errors of testdata/wrong")

// files returns the scenario files of a folder of testdata.
func files(t testing.TB, glob string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", glob, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, names, "no file matches %s", glob)
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	require.NoError(t, err)
	return src
}

// parse parses a text that must be right.
func parse(t testing.TB, src string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("x.yaml", []byte(src))
	require.NoError(t, err)
	return s
}

func TestWrongFilesGiveTheirGoldenErrors(t *testing.T) {
	for _, name := range files(t, "wrong/*") {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			s, err := scenario.Parse(filepath.Base(name), read(t, name))
			require.Error(t, err)
			assert.Nil(t, s)
			golden := strings.TrimSuffix(name, ".yaml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
			}
			assert.Equal(t, string(read(t, golden)), err.Error()+"\n")
		})
	}
}
