package harness_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
)

const learnedFile = `{
  "format": 1,
  "operation": "POST /hscode/classify",
  "learned": { "recordings": ["0123456789ab", "123456789abc"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z" },
  "request": { "text": ["/description"] },
  "answers": [ { "when": "found", "from": 2, "status": 200, "body": { "hsCode": "$code ####.##", "by": "us" } } ]
}
`

// logged keeps what a test logs.
type logged struct {
	*testing.T
	lines []string
}

func (l *logged) Logf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

// TestShapesAreTheProjects: what was learned beside the nearest project file counts for a
// Go test as for every command, and a file of it that is wrong fails the test.
func TestShapesAreTheProjects(t *testing.T) {
	root := inProject(t, "version: 1\n")
	require.NoError(t, os.Mkdir(filepath.Join(root, "mock"), 0o755))
	file := filepath.Join(root, "mock", "classify.learned.json")
	require.NoError(t, os.WriteFile(file, []byte(learnedFile), 0o600))
	log := &logged{T: t}
	for range 2 {
		h := harness.Start(log, harness.Options{})
		code, err := classify(h.Client(), h.APIURL(), "laptop")
		require.NoError(t, err)
		assert.Equal(t, "8471.30", code)
	}
	assert.Equal(t, []string{"harness: the mock API's shapes are learned from 2 recordings"}, log.lines, "it is said once")

	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(learnedFile, "$code ", "$", 1)), 0o600))
	rec := &fatalRecorder{recorder: recorder{TB: t}}
	assert.Panics(t, func() { harness.Start(rec, harness.Options{}) })
	assert.Regexp(t, `classify\.learned\.json:6:\d+: .*\n(.*\n)*.*hsharness recordings learn`, rec.fatal)
}
