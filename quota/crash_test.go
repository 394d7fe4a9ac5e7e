package quota_test

import "testing"

// TestCrashMatrix has the rows of docs/ledger.md that are about a history
// that was lost: no store can notice that by itself, the witness does.
func TestCrashMatrix(t *testing.T) {
	t.Run("row 16 restored from a backup", TestClientNoticesRestoredLedger)
	t.Run("row 16 restored, and grown since", TestClientNoticesRestoredLedgerThatGrew)
	t.Run("row 16 restored to a moment within a run", TestClientNoticesLedgerRestoredWithinRun)
	t.Run("row 17 the file is deleted", TestClientNoticesDeletedLedger)
	t.Run("row 17 two files are in use", TestClientNoticesCopiedLedger)
}
