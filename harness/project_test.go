package harness_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
)

// inProject makes a folder two below a project file the working directory.
func inProject(t *testing.T, file string) (root string) {
	t.Helper()
	root = t.TempDir()
	deep := filepath.Join(root, "a", "b")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "hsharness.yaml"), []byte(file), 0o600))
	t.Chdir(deep)
	return root
}

func TestPricesAreTheProjects(t *testing.T) {
	inProject(t, "version: 1\noperations: [ { match: POST /hscode/classify, cost: 5 } ]\n")
	h := harness.Start(t, harness.Options{})
	_, err := classify(h.Client(), h.APIURL(), "laptop")
	require.NoError(t, err)
	h.ExpectSpend(5)
}

func TestRecordingsAreTheProjects(t *testing.T) {
	recordings, err := filepath.Abs("testdata/recordings")
	require.NoError(t, err)
	root := inProject(t, "version: 1\nrecordings: { dir: bought }\n")
	require.NoError(t, os.CopyFS(filepath.Join(root, "bought"), os.DirFS(recordings)))
	t.Setenv("HSHARNESS_MODE", "replay")
	h := harness.Start(t, harness.Options{})
	code, err := classify(h.Client(), h.APIURL(), "men's cotton t-shirt")
	require.NoError(t, err)
	assert.Equal(t, "6109100099", code)
}

func TestAProjectThatIsWrongFailsTheTest(t *testing.T) {
	inProject(t, "version: 1\noperations: [ { match: POST /hscode/classify, cost: 0.5 } ]\n")
	rec := &fatalRecorder{recorder: recorder{TB: t}}
	assert.Panics(t, func() { harness.Start(rec, harness.Options{}) })
	assert.Contains(t, rec.fatal, "hsharness.yaml:2:53: operations[0].cost is 0.5")
}

// TestATestReadsNoCredential names a variable that must not be looked at.
func TestATestReadsNoCredential(t *testing.T) {
	inProject(t, "version: 1\nenvironments: { sandbox: { client_id: \"${ID}\", client_secret: \"${SECRET}\" } }\n")
	t.Setenv("ID", "real-id")
	t.Setenv("SECRET", "real-secret")
	h := harness.Start(t, harness.Options{})
	assert.NotEqual(t, "real-id", h.ClientID())
}
