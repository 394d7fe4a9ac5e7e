package output_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/internal/report"
)

// TestFilesAreNamedAsTheirRepositoryDoes: those of scenarios, of failures of a case, and of
// scores; and the run that was handed over stays as it is.
func TestFilesAreNamedAsTheirRepositoryDoes(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, ".git"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "shop", "scenarios"), 0o700))
	name := filepath.Join(root, "shop", "scenarios", "a.yaml")
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	failures := []report.Failure{{File: name}, {File: "scenarios/shipped.yaml"}}
	run := report.Run{Scenarios: []report.Scenario{{File: name, Cases: []report.Case{{Failures: failures}}, Unmet: failures}}}
	require.NoError(t, output.InRepository(func(_ io.Writer, r report.Run) error {
		s := r.Scenarios[0]
		want := []report.Failure{{File: "shop/scenarios/a.yaml"}, {File: "scenarios/shipped.yaml"}}
		assert.Equal(t, "shop/scenarios/a.yaml", s.File)
		assert.Equal(t, want, s.Cases[0].Failures)
		assert.Equal(t, want, s.Unmet)
		return nil
	})(io.Discard, run))
	assert.Equal(t, name, run.Scenarios[0].Unmet[0].File)
}
