package quota_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCrashMatrix has the rows of docs/ledger.md that are about a history
// that was lost: no store can notice that by itself, the high-water mark does.
func TestCrashMatrix(t *testing.T) {
	t.Run("row 16 restored from a backup", TestClientNoticesRestoredLedger)
	t.Run("row 16 restored, and grown since", TestClientNoticesRestoredLedgerThatGrew)
	t.Run("row 16 restored to a moment within a run", TestClientNoticesLedgerRestoredWithinRun)
	t.Run("row 17 the file is deleted", TestClientNoticesDeletedLedger)
	t.Run("row 17 two files are in use", TestClientNoticesCopiedLedger)
}

// TestEveryRowHasATest reads the tests and the page: each row of the crash
// matrix is a line of docs/ledger.md and the name of a test, but for the one that no test
// on one machine can have: two primaries.
func TestEveryRowHasATest(t *testing.T) {
	named := regexp.MustCompile(`"row (\d\d) `)
	tested := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "../guard/*_test.go", "../../quotatest/*.go", "../../../quota/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				tested[m[1]] = true
			}
		}
	}
	page, err := os.ReadFile("../../../docs/ledger.md")
	require.NoError(t, err)
	const rows, split = 27, 23
	for row := range rows {
		assert.Equal(t, row != split, tested[fmt.Sprintf("%02d", row)], "row %d has no test", row)
		assert.Contains(t, string(page), fmt.Sprintf("\n| %d | ", row))
	}
}
