package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// A process that is killed while it makes a ledger may leave room for the first page and
// nothing in it, with the engine's journal of an empty file: that is no ledger yet, and
// one can be made there. Without the journal nobody knows what it was.
func TestKilledBeforeItsFirstPage(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 4096)
	journal := make([]byte, 512)
	copy(journal, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\x00\x00\x00\x00\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x10\x00")
	for name, with := range map[string]bool{"with its journal": true, "without": false} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		require.NoError(t, os.WriteFile(path, zeros, 0o600))
		if with {
			require.NoError(t, os.WriteFile(path+"-journal", journal, 0o600))
		}
		_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		if !with {
			require.ErrorIs(t, err, quota.ErrNotLedger, name)
			_, err = sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 5})
			require.ErrorIs(t, err, quota.ErrNotLedger, name)
			continue
		}
		require.ErrorIs(t, err, quota.ErrNoLedger, name)
		s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 5})
		require.NoError(t, err, name)
		status, err := s.Status(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 5, status.Granted)
		require.NoError(t, s.Close())
	}
}
