package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What stands beside a ledger is empty between two uses, and has what is counted in one: a
// bill in its place would take all that back.
func TestPartsOfALedgerAreNotWrittenOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger := filepath.Join(dir, "ledger.db")
	require.NoError(t, os.WriteFile(ledger, []byte("SQLite format 3\x00"), 0o600))
	require.NoError(t, os.WriteFile(ledger+"-wal", nil, 0o600))
	for _, end := range []string{"-wal", "-shm", "-journal", ".lock", "-WAL"} {
		want := ledger + end + " is a part of the ledger " + ledger + ", and is not written over: name another file"
		require.EqualError(t, Like(ledger+end, "{"), want)
		require.EqualError(t, Like(ledger+end), want, "nor added to")
	}
	if os.Symlink("ledger.db-wal", filepath.Join(dir, "link")) == nil {
		require.ErrorContains(t, Like(filepath.Join(dir, "link")), "is a part of the ledger")
	}
	for _, name := range []string{"-wal", "bill.json", "another.db-wal", "ledger.db-wal2", "go.lock"} {
		assert.NoError(t, Like(filepath.Join(dir, name), "{"), name)
	}
}
