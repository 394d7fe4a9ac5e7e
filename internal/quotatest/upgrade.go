//go:build unix

package quotatest

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// Upgrade is how a ledger of the version before is brought up to date among
// processes.
type Upgrade struct {
	// Place is a ledger of an earlier version, with more units than a test spends, and
	// Spent what was spent of it.
	Place string
	Spent int64
	// Earlier is that place for a child that is a program of that version.
	Earlier string
	// Dying is that place for a child that is killed at the nth step of opening it, and
	// is told its process.
	Dying func(n int) (place string, started func(pid int))
	// Steps are the ones at which one is killed; after them, or once a step is behind
	// the end, one may live.
	Steps []int
	// Version reads the number of the schema, and Rows the first entries, as they are
	// stored.
	Version func() int
	Rows    func(upTo int64) []string
}

// upgradeWorkers is how many processes spend meanwhile.
const upgradeWorkers = 8

// Upgrades lets 8 processes of the earlier version spend, kills those that bring the
// ledger up to date, each at a further step, lets 8 of the new version come at once,
// and kills all. Who had it open goes on; who opens it with the earlier version is
// refused. The ledger counts what the service counts, and one more for each that was
// killed at most.
func (p Processes) Upgrades(t *testing.T, u Upgrade) {
	service := newCounter(t, 1)
	service.slow = 5 * time.Millisecond
	from, rows := u.Version(), u.Rows(1<<62)
	require.NotEmpty(t, rows)
	work := func(place string) (workers []*child) {
		for range upgradeWorkers {
			workers = append(workers, p.start(t, place, How{Lease: long}))
		}
		for _, c := range workers {
			c.tell("ready")
		}
		for _, c := range workers {
			require.Equal(t, "ok", c.answer())
			c.tell("work %s %s", service.URL, ruleOurs)
		}
		return workers
	}
	goesOn := func() {
		t.Helper()
		from := service.count()
		require.Eventually(t, func() bool { return service.count() >= from+upgradeWorkers }, time.Minute, time.Millisecond, "nobody spends any more")
	}
	earlier := work(u.Earlier)
	goesOn()

	killed, within := 0, 0
	for _, n := range u.Steps {
		place, started := u.Dying(n)
		c := p.start(t, place, How{Lease: long})
		started(c.cmd.Process.Pid)
		c.tell("ready")
		line, err := c.out.ReadString('\n')
		if err == nil {
			require.Equal(t, "ok\n", line)
			c.finish()
			break
		}
		require.ErrorIs(t, err, io.EOF)
		require.Error(t, c.cmd.Wait())
		killed++
		if u.Version() == from {
			within++
		}
		goesOn()
	}
	t.Logf("killed %d, of them %d before the ledger was of the new version", killed, within)
	require.Positive(t, within)

	began := time.Now()
	workers := work(u.Place)
	require.Greater(t, u.Version(), from)
	late := p.start(t, u.Earlier, How{Lease: long})
	require.Contains(t, late.do("ready"), "the ledger was written by a newer version")
	late.finish()
	store, err := p.Open(t.Context(), u.Place, How{Lease: long})
	require.NoError(t, err)
	defer func() { assert.NoError(t, store.Close()) }()
	// All 16 begin further runs.
	require.Eventually(t, func() bool {
		runs, err := store.Runs(t.Context(), 0)
		require.NoError(t, err)
		return !slices.ContainsFunc(slices.Concat(earlier, workers), func(c *child) bool {
			return !slices.ContainsFunc(runs, func(r quota.RunInfo) bool {
				return r.Process.PID == c.cmd.Process.Pid && r.Begun.After(began) && r.Spent > 0
			})
		})
	}, time.Minute, 10*time.Millisecond, "one of them does not go on")
	for _, c := range slices.Concat(earlier, workers) {
		c.kill()
	}

	_, err = store.Begin(t.Context(), quota.RunSpec{ID: "sweeper"}, nil)
	require.NoError(t, err)
	status, err := store.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, status.Held)
	counted := service.count()
	assert.GreaterOrEqual(t, status.Spent-u.Spent, counted, "the ledger counted too little")
	assert.LessOrEqual(t, status.Spent-u.Spent, counted+2*upgradeWorkers, "the ledger counted too much")
	report, err := store.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
	assert.Equal(t, rows, u.Rows(int64(len(rows))))
	t.Logf("service %d, ledger %d, %d entries", counted, status.Spent-u.Spent, report.Entries)
}
