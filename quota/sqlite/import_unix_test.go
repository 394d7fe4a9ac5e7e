//go:build unix

package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// An import that fails when it has more than the engine keeps in memory writes nothing
// once others may: they may have written there.
func TestImportThatFailsWritesNothingLater(t *testing.T) {
	d, vfsName := newDisk(t)
	path := filepath.Join(t.TempDir(), "ledger.db")
	writes, free := 0, 0 // and how many of them while the gate was free
	d.wrote = func() {
		writes++
		gate, err := os.Open(path + ".lock")
		if assert.NoError(t, err) {
			if syscall.Flock(int(gate.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
				free++
			}
			assert.NoError(t, gate.Close())
		}
	}
	info := quota.Info{LedgerID: "ledger", Allowance: "all", Created: time.Now().UTC().Truncate(time.Microsecond)}
	broken := errors.New("broken")
	_, err := sqlite.Import(t.Context(), sqlite.Config{Path: path, VFS: vfsName}, info, func(yield func(quota.Entry, error) bool) {
		for seq := int64(1); seq <= 400; seq++ {
			grant := quota.Entry{Seq: seq, Time: info.Created, Allowance: "all", Kind: quota.KindGrant, Units: 1, ID: strconv.FormatInt(seq, 10), Note: strings.Repeat("n", 15_000)}
			if !yield(grant, nil) {
				return
			}
		}
		yield(quota.Entry{}, broken)
	})
	require.ErrorIs(t, err, broken)
	assert.Positive(t, writes, "it was not too large to stay in memory")
	assert.Zero(t, free)
}
