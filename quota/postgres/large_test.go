package postgres_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestLongTextsAreNotRead: who may write into the database may write a text of as much as a
// gigabyte into a row. It is not read into memory, and what reads it says which row that is.
func TestLongTextsAreNotRead(t *testing.T) { // not parallel: it measures memory
	dsn := pgtest.Database(t)
	const most = 30 << 20 // of what is read of a text of twice as many
	for n, c := range []struct{ table, set, row string }{
		{"ledger", "account", "the ledger"}, {"ledger", "id", "the ledger"}, {"run", "suite", "run active"}, {"run", "process_start", "run active"},
		{"entry", "note", "entry 1"}, {"entry", "test", "entry 1"}, {"entry", "detail", "entry 1"},
	} {
		for _, size := range []int{1 << 20, 60 << 20} {
			t.Run(fmt.Sprint(c.table, " ", c.set, " ", size), func(t *testing.T) {
				schema := fmt.Sprintf("large%d_%d", n, size)
				config := postgres.Config{DSN: with(with(dsn, "search_path", schema), "pool_max_conns", "1")}
				s := newStore(t, config)
				_, err := s.Begin(t.Context(), quota.RunSpec{ID: "active", Max: 1}, nil)
				require.NoError(t, err)
				value := fmt.Sprintf("repeat('x', %d)", size)
				if c.set == "detail" {
					value = "jsonb_build_object('x', " + value + ")"
				}
				do(t, dsn, fmt.Sprintf("SET session_replication_role = replica; SET search_path = %s; UPDATE %s SET %s = %s WHERE ctid = (SELECT min(ctid) FROM %[2]s)", schema, c.table, c.set, value))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				errs := []error{err}
				opened, err := postgres.Open(t.Context(), config)
				if errs = append(errs, err); err == nil {
					defer func() { assert.NoError(t, opened.Close()) }()
					_, err := opened.Status(t.Context())
					_, err2 := opened.Verify(t.Context())
					_, err3 := opened.Statement(t.Context(), time.Time{})
					_, err4 := opened.(notice.Store).Undelivered(t.Context())
					errs = append(errs, err, err2, err3, err4)
				}
				runtime.ReadMemStats(&after)
				assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(most))
				err = errors.Join(errs...)
				if c.set == "detail" && size < most {
					require.NoError(t, err, "there may be many leases in it")
					return
				}
				require.ErrorIs(t, err, quota.ErrDamaged)
				assert.Contains(t, err.Error(), "schema "+schema+" is damaged: the texts of "+c.row)
				assert.Less(t, len(err.Error()), 5000)
			})
		}
	}
}

// TestALongSpendIsNotAddedUp: a text that a message can bring, and no program of ours writes,
// is no name that a report tells.
func TestALongSpendIsNotAddedUp(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: dsn})
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "active", Max: 1}, nil)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{Run: "active", ID: "spent", Units: 1})
	require.NoError(t, err)
	_, err = s.Grant(t.Context(), quota.GrantSpec{ID: "after it", Units: 1}) // the last entry is read whole
	require.NoError(t, err)
	_, err = s.Statement(t.Context(), time.Time{})
	require.NoError(t, err)
	do(t, dsn, "SET session_replication_role = replica; UPDATE hsharness.entry SET test = repeat('x', 1 << 20) WHERE kind = 'spend'")
	opened, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn}) // the other one has added it up
	require.NoError(t, err)
	_, err = opened.Statement(t.Context(), time.Time{})
	require.ErrorIs(t, err, quota.ErrDamaged)
	require.ErrorContains(t, err, "the texts of entry ")
	require.NoError(t, opened.Close())
}
