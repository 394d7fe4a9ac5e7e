package sqlite_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// TestLongTextsAreNotRead: a value of more than any of a ledger has is damage, and not an
// engine that ran out of memory.
func TestLongTextsAreNotRead(t *testing.T) { // not parallel: it measures memory
	for name, sql := range map[string]string{
		"a run": "UPDATE run SET suite = hex(zeroblob(6000000))", "the ledger": "UPDATE ledger SET account = hex(zeroblob(6000000))",
		"an entry":      "INSERT INTO entry SELECT max(seq) + 1, at, run, 'block', 0, '', '', '', '', '', 0, 0, 0, hex(zeroblob(6000000)), '' FROM entry",
		"much of a run": "UPDATE run SET suite = hex(zeroblob(12000000))",
	} {
		t.Run(name, func(t *testing.T) {
			path := closedLedger(t)
			require.NoError(t, tamper(t, path, sql))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			if err == nil {
				_, err1 := s.Runs(t.Context(), 0)
				_, err2 := s.Info(t.Context())
				_, err3 := s.Statement(t.Context(), time.Time{})
				_, err4 := s.Verify(t.Context())
				_, err5 := s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
				require.NotErrorIs(t, err5, quota.ErrPoisoned)
				err = errors.Join(err1, err2, err3, err4, s.Close())
			}
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, quota.ErrDamaged)
			assert.ErrorContains(t, err, path+": the file is damaged: a value has more than 8388608 bytes")
			assert.NotContains(t, err.Error(), "out of memory")
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(40<<20))
		})
	}
}
