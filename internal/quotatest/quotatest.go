// Package quotatest holds the suite that every [quota.Store] must pass: each
// rule of admission, spending, settling, expiry, budgets and the journal, each
// limit, each repetition, many callers at once, whose answers must have an order
// that explains them, and random operations against a model. A store's own test
// calls [Run] and adds only what is its own, such as disks and connections.
// [Processes] adds what takes processes that are killed and stopped.
//
// It may touch package quota, the store that it is given, and processes and
// loopback sockets that it opened.
//
// After every test the suite verifies the ledger, so a rule that bends a
// balance is found by whatever test happens to touch it, and compares its
// statement with a walk over its entries.
package quotatest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// Suite says how to make the store under test.
type Suite struct {
	// Open makes a new ledger.
	Open func(t testing.TB, config Config) quota.Store
	// Reopen opens once more the ledger that Open made with this config and that
	// was closed.
	Reopen func(t testing.TB, config Config) quota.Store
}

// Config is what a test wants of its ledger.
type Config struct {
	Init quota.InitSpec
	// Dir is a folder for this ledger alone.
	Dir string
	// Now is the clock. It stands still unless the test moves it.
	Now func() time.Time
	// Gone tells which processes have ended.
	Gone func(quota.Process) bool
}

// Run runs the whole suite side by side, each test on a ledger of its own.
func Run(t *testing.T, suite Suite) {
	for _, group := range []struct {
		name  string
		tests map[string]func(*fixture)
	}{
		{"admission", admissionTests}, {"spend", spendTests}, {"settle", settleTests}, {"expiry", expiryTests}, {"ahead", aheadTests},
		{"budget", budgetTests}, {"allowance", allowanceTests}, {"lifetime", lifetimeTests}, {"bar", barTests}, {"number", numberTests}, {"concurrent", concurrentTests}, {"statement", statementTests}, {"notice", noticeTests}, {"pace", paceTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(newFixture(t, suite, 100))
				})
			}
		})
	}
	t.Run("linearizable", func(t *testing.T) {
		t.Parallel()
		linearizable(t, suite)
	})
	t.Run("linearizable pace", func(t *testing.T) {
		t.Parallel()
		pacedHistory(t, suite)
	})
	t.Run("model", func(t *testing.T) {
		t.Parallel()
		model(t, suite)
	})
}

// fixture is one ledger under test, with 100 units unless the test says so.
type fixture struct {
	testing.TB
	t      *testing.T // for subtests and rapid
	suite  Suite
	config Config
	store  quota.Store
	clock  *clock
	gone   *processes
	ctx    context.Context
	known  *tally.Journal // of the last statement
	closed bool
}

func newFixture(t *testing.T, suite Suite, granted int64) *fixture {
	f := &fixture{TB: t, t: t, suite: suite, ctx: t.Context(), clock: &clock{now: start}, gone: &processes{}}
	f.config = Config{Dir: t.TempDir(), Init: quota.InitSpec{Granted: granted, Account: "account"}, Now: f.clock.Now, Gone: f.gone.has}
	f.store = suite.Open(t, f.config)
	t.Cleanup(f.finish)
	return f
}

// start is a Monday.
var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// finish checks the invariants of the ledger, whatever the test did.
func (f *fixture) finish() {
	if f.closed {
		return
	}
	f.verify()
	f.walked()
	assert.NoError(f, f.store.Close())
}

func (f *fixture) verify() quota.Report {
	f.Helper()
	report, err := f.store.Verify(context.Background())
	require.NoError(f, err)
	assert.Empty(f, report.Problems)
	return report
}

// spec is a run of suite "unit" by one process.
func spec(id string, most int64) quota.RunSpec {
	return quota.RunSpec{
		ID: id, Max: most, Mode: "record", Attribution: quota.Attribution{Suite: "unit", Branch: "main", Actor: "ann", Event: "push"},
		Process: quota.Process{Host: "host", PID: 7, Start: "1"},
	}
}

func (f *fixture) begin(id string, most int64, rules ...quota.Rule) error {
	_, err := f.store.Begin(f.ctx, spec(id, most), rules)
	return err
}

func (f *fixture) mustBegin(id string, most int64) {
	f.Helper()
	require.NoError(f, f.begin(id, most))
}

// spend spends under an id "run/n".
func (f *fixture) spend(run string, n int, units int64) error {
	_, err := f.store.Spend(f.ctx, quota.SpendSpec{ID: fmt.Sprintf("%s/%d", run, n), Run: run, Units: units})
	return err
}

func (f *fixture) mustSpend(run string, n int, units int64) {
	f.Helper()
	require.NoError(f, f.spend(run, n, units))
}

func (f *fixture) settle(spend string, outcome quota.Outcome) error {
	s := quota.Settlement{Spend: spend, Outcome: outcome}
	if outcome == quota.Refunded {
		s.Proof = quota.NoConnection
	}
	return f.store.Settle(f.ctx, s)
}

func (f *fixture) end(run string) error {
	_, err := f.store.End(f.ctx, run, quota.Counters{})
	return err
}

func (f *fixture) status() quota.Status {
	f.Helper()
	s, err := f.store.Status(f.ctx)
	require.NoError(f, err)
	return s
}

// figures checks spent, held and available.
func (f *fixture) figures(spent, held, available int64) {
	f.Helper()
	s := f.status()
	assert.Equal(f, [3]int64{spent, held, available}, [3]int64{s.Spent, s.Held, s.Available}, "spent, held, available")
}

// kinds lists the journal after an entry as "kind units".
func (f *fixture) kinds(after int64) []string {
	f.Helper()
	var kinds []string
	for e, err := range f.store.Entries(f.ctx, after) {
		require.NoError(f, err)
		kinds = append(kinds, fmt.Sprintf("%s %d", e.Kind, e.Units))
	}
	return kinds
}

// worlds runs test twice with the lease of every run passed: once after an
// admission swept them, once before. Nothing but the journal may differ.
func (f *fixture) worlds(prepare func(*fixture), test func(*fixture)) {
	for _, swept := range []bool{true, false} {
		f.t.Run(fmt.Sprintf("swept %t", swept), func(t *testing.T) {
			g := newFixture(t, f.suite, 100)
			prepare(g)
			g.clock.advance(quota.Lease)
			if swept {
				g.mustBegin("sweeper", 0)
			}
			test(g)
		})
	}
}

// clock stands still until it is moved, or goes on.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	since time.Time // when it began to go on, zero where it stands
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		return c.now
	}
	return c.now.Add(time.Since(c.since)).Truncate(time.Microsecond)
}

// run lets it go on, as fast as real time.
func (c *clock) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// processes is the set of those that are gone.
type processes struct{ gone sync.Map }

func (p *processes) has(process quota.Process) bool {
	_, gone := p.gone.Load(process)
	return gone
}

func (p *processes) end(process quota.Process) { p.gone.Store(process, true) }
