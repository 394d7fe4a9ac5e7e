//go:build unix

package postgres_test

import (
	"flag"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// freshSchema is all that is in the schema of a new ledger.
func freshSchema(t *testing.T, dsn string) []string {
	t.Helper()
	newStore(t, postgres.Config{DSN: with(dsn, "search_path", "fresh")})
	version, objects, _ := postgres.SchemaOf(t, dsn, "fresh", 0)
	require.Equal(t, postgres.SchemaVersion, version)
	return objects
}

// Ledgers that programs of each earlier version wrote are brought up to date with
// all that is in them, and have what a new one has.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	fresh := freshSchema(t, dsn)
	for version := 1; version < postgres.SchemaVersion; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			schema := fmt.Sprintf("version%d", version)
			postgres.Earlier(t, dsn, schema, version)
			was, _, entries := postgres.SchemaOf(t, dsn, schema, math.MaxInt64)
			require.Equal(t, version, was)
			s, err := postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "search_path", schema)})
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()
			now, objects, after := postgres.SchemaOf(t, dsn, schema, math.MaxInt64)
			assert.Equal(t, postgres.SchemaVersion, now)
			assert.Equal(t, fresh, objects)
			assert.Equal(t, entries, after)
			report, err := s.Verify(t.Context())
			require.NoError(t, err)
			assert.Empty(t, report.Problems)
			assert.Equal(t, quota.Balances{Granted: 1100, Spent: 37, Held: 77, Floor: 5, Unknown: 2, Exhausted: true}, report.Balances)
			if version > 1 { // it knew where it was, and this is a copy: an upgrade does not make it one's home
				_, err := s.Grant(t.Context(), quota.GrantSpec{ID: "a copy", Units: 1})
				require.ErrorIs(t, err, quota.ErrWentBack)
			}
			_, err = s.Reconcile(t.Context(), quota.ReconcileSpec{ID: "bar", Observed: 37, Note: "usage page"})
			require.NoError(t, err)
			wholeRun(t, s, "after")
		})
	}
}

// upgradeSteps is at how many packets, counted from the end, an upgrade is cut: there
// are some 25 before it begins.
var upgradeSteps = flag.Int("upgrade.steps", 9, "packets of an upgrade, from its end, at which it is cut")

// packetsOfUpgrade is how many an opening takes that brings a ledger up to date.
func packetsOfUpgrade(t *testing.T, cutter *cutter, dsn, through string, from int) int {
	t.Helper()
	const many = 1 << 20
	schema := fmt.Sprintf("counted%d", from)
	postgres.Earlier(t, dsn, schema, from)
	cutter.left.Store(many)
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: with(with(through, "search_path", schema), "pool_max_conns", "1")})
	require.NoError(t, err)
	packets := many - int(cutter.left.Swap(-1))
	require.NoError(t, s.Close())
	return packets
}

// A ledger is brought up to date while 8 processes of the version before spend.
// Those that do it are killed at its packets; once the whole server is.
func TestUpgradeUnderLoad(t *testing.T) {
	t.Parallel()
	server := pgtest.Private(t)
	dsn := with(server.DSN(), "search_path", "hsharness")
	cutter, through := newCutter(t, server.DSN())
	last := packetsOfUpgrade(t, cutter, server.DSN(), through, 2)
	postgres.Earlier(t, dsn, "hsharness", 2)
	postgres.AtHome(t, dsn)
	do(t, dsn, `INSERT INTO hsharness.entry (at, run, kind, units, id, detail) VALUES ('2025-01-01 09:00:01Z', '', 'grant', 1000000, 'much', '{"floor":5}')`,
		"UPDATE hsharness.ledger SET granted = granted + 1000000, exhausted = false")
	var killed atomic.Int64
	var restarts sync.Mutex
	processes.Upgrades(t, quotatest.Upgrade{
		Place: dsn, Spent: 37, Earlier: "earlier:" + dsn,
		Steps: []int{last - 8, last - 7, last - 6, last - 5, last - 4, last + 100},
		Dying: func(n int) (string, func(int)) {
			pid := make(chan int, 1)
			cut := func() {
				process := <-pid
				restarts.Lock()
				defer restarts.Unlock()
				assert.NoError(t, syscall.Kill(process, syscall.SIGKILL)) // first: else it may say what became of its server
				if killed.Add(1) == 2 {
					server.Kill()
					server.Restart()
				}
			}
			cutter.cut.Store(&cut)
			cutter.left.Store(int64(n))
			return with(through, "search_path", "hsharness"), func(process int) { pid <- process }
		},
		Version: func() (version int) {
			restarts.Lock()
			defer restarts.Unlock()
			version, _, _ = postgres.SchemaOf(t, dsn, "hsharness", 0)
			return version
		},
		Rows: func(upTo int64) (entries []string) {
			_, _, entries = postgres.SchemaOf(t, dsn, "hsharness", upTo)
			return entries
		},
	})
}

// The connection is cut at each packet of an upgrade: the ledger is whole, of the
// one version or the other, and the next one brings it up to date.
func TestUpgradeCutAtEachStep(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	fresh := freshSchema(t, dsn)
	for version := 1; version < postgres.SchemaVersion; version++ {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			t.Parallel()
			cutAtEachStep(t, dsn, version, fresh)
		})
	}
}

func cutAtEachStep(t *testing.T, dsn string, from int, fresh []string) {
	cutter, through := newCutter(t, dsn)
	found := map[int]int{}
	for step := max(0, packetsOfUpgrade(t, cutter, dsn, through, from)-*upgradeSteps); ; step++ {
		schema := fmt.Sprintf("from%d_cut%d", from, step)
		postgres.Earlier(t, dsn, schema, from)
		_, before, entries := postgres.SchemaOf(t, dsn, schema, math.MaxInt64)
		cuts := cutter.cuts.Load()
		cutter.left.Store(int64(step))
		s, err := postgres.Open(t.Context(), postgres.Config{DSN: with(with(through, "search_path", schema), "pool_max_conns", "1")})
		cutter.left.Store(-1)
		if err == nil {
			require.NoError(t, s.Close())
		}
		version, objects, _ := postgres.SchemaOf(t, dsn, schema, 0)
		found[version]++
		if version == from {
			require.Error(t, err)
			require.Equal(t, before, objects, "half of a version, cut at packet %d", step)
		}
		s, err = postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "search_path", schema)})
		require.NoError(t, err)
		report, err := s.Verify(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Close())
		assert.Empty(t, report.Problems)
		version, objects, after := postgres.SchemaOf(t, dsn, schema, math.MaxInt64)
		assert.Equal(t, postgres.SchemaVersion, version)
		assert.Equal(t, fresh, objects)
		assert.Equal(t, entries, after)
		if cutter.cuts.Load() == cuts { // it has no such packet
			t.Logf("%d packets, found by version %v", step, found)
			assert.Positive(t, found[from])
			assert.Greater(t, found[postgres.SchemaVersion], 2)
			return
		}
	}
}
