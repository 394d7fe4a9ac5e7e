package quota_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// desk is a project with its ledger, and the machine's state folder beside it.
type desk struct {
	*testing.T
	path, state string
	account     string
}

func newDesk(t *testing.T) *desk {
	return &desk{T: t, path: filepath.Join(t.TempDir(), "ledger.db"), state: t.TempDir(), account: quota.AccountHash("ai-sbx.avlr.sh", "client")}
}

// init makes the ledger and the client of it, as quota init does.
func (d *desk) init() *quota.Client {
	d.Helper()
	store, err := sqlite.Init(d.Context(), sqlite.Config{Path: d.path}, quota.InitSpec{Granted: 100, Account: d.account})
	require.NoError(d, err)
	c := d.client(store)
	_, err = c.Adopt(d.Context())
	require.NoError(d, err)
	return c
}

// open opens the ledger of another process, so to say.
func (d *desk) open() *quota.Client {
	d.Helper()
	store, err := sqlite.Open(d.Context(), sqlite.Config{Path: d.path})
	require.NoError(d, err)
	return d.client(store)
}

func (d *desk) client(store quota.Store) *quota.Client {
	d.Cleanup(func() { assert.NoError(d, store.Close()) })
	return &quota.Client{Store: store, Account: d.account, StateHome: d.state}
}

// run spends n units in a run of its own.
func (d *desk) run(c *quota.Client, id string, n int) {
	d.Helper()
	run, err := c.Begin(d.Context(), quota.RunSpec{ID: id, Max: 10}, nil)
	require.NoError(d, err)
	for i := range n {
		_, err := run.Spend(d.Context(), quota.SpendSpec{ID: id + string(rune('a'+i)), Units: 1})
		require.NoError(d, err)
	}
	_, err = run.End(d.Context(), quota.Counters{})
	require.NoError(d, err)
}

// copyFile copies a ledger that is closed.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	require.NoError(t, err)
	defer src.Close()
	dst, err := os.Create(to)
	require.NoError(t, err)
	_, err = io.Copy(dst, src)
	require.NoError(t, errors.Join(err, dst.Close()))
}

func (d *desk) begin(c *quota.Client) error {
	run, err := c.Begin(d.Context(), quota.RunSpec{ID: "next", Max: 1}, nil)
	if err == nil {
		_, err = run.End(d.Context(), quota.Counters{})
	}
	return err
}

func TestClientNoticesRestoredLedger(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	d.run(c, "one", 3)
	require.NoError(t, c.Store.Close())
	old := filepath.Join(t.TempDir(), "old.db")
	copyFile(t, d.path, old)

	c = d.open()
	d.run(c, "two", 1)
	require.NoError(t, c.Store.Close())
	copyFile(t, old, d.path)

	c = d.open()
	require.ErrorIs(t, d.begin(c), quota.ErrWentBack)
	require.ErrorIs(t, c.Ready(t.Context()), quota.ErrWentBack)

	_, err := c.Reconcile(t.Context(), quota.ReconcileSpec{ID: "r", Observed: 4, Note: "portal"})
	require.NoError(t, err)
	require.NoError(t, d.begin(c))
	d.run(c, "three", 1)
}

// A restored ledger that grew beyond the old one since, by refusals or grants,
// is another history all the same.
func TestClientNoticesRestoredLedgerThatGrew(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	require.NoError(t, c.Store.Close())
	old := filepath.Join(t.TempDir(), "old.db")
	copyFile(t, d.path, old)
	c = d.open()
	d.run(c, "one", 3)
	require.NoError(t, c.Store.Close())
	copyFile(t, old, d.path)

	c = d.open()
	for i := range 20 {
		_, err := c.Store.Grant(t.Context(), quota.GrantSpec{ID: string(rune('a' + i)), Units: 1})
		require.NoError(t, err)
	}
	require.ErrorIs(t, d.begin(c), quota.ErrWentBack)
}

// The ledger is restored to a moment within a run whose process died: only what
// that run itself noted at each spend can tell.
func TestClientNoticesLedgerRestoredWithinRun(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	run, err := c.Begin(t.Context(), quota.RunSpec{ID: "one", Max: 10}, nil)
	require.NoError(t, err)
	_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "first", Units: 1})
	require.NoError(t, err)
	old := filepath.Join(t.TempDir(), "old.db")
	copyFile(t, d.path, old)
	copyFile(t, d.path+"-wal", old+"-wal")
	_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "second", Units: 1})
	require.NoError(t, err)
	require.NoError(t, c.Store.Close()) // as a crash would, with no End
	_, err = run.End(t.Context(), quota.Counters{})
	require.ErrorIs(t, err, quota.ErrClosed)

	d.path = old
	c = d.open()
	require.Len(t, d.entries(c), 4, "the copy has the first spend")
	require.ErrorIs(t, d.begin(c), quota.ErrWentBack)
}

func TestClientNoticesCopiedLedger(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	require.NoError(t, c.Store.Close())
	other := *d
	other.path = filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, d.path, other.path)

	d.run(d.open(), "one", 1)
	require.ErrorIs(t, other.begin(other.open()), quota.ErrWentBack)
	d.run(d.open(), "two", 1)
}

func TestClientNoticesDeletedLedger(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	d.run(c, "one", 1)
	require.NoError(t, c.Store.Close())
	require.NoError(t, os.Remove(d.path))
	_, err := sqlite.Open(t.Context(), sqlite.Config{Path: d.path})
	require.ErrorIs(t, err, quota.ErrNoLedger)

	// A new ledger of the account that nobody adopted, as a CI cache may bring.
	store, err := sqlite.Init(t.Context(), sqlite.Config{Path: d.path}, quota.InitSpec{Granted: 100, Account: d.account})
	require.NoError(t, err)
	c = d.client(store)
	require.ErrorIs(t, d.begin(c), quota.ErrWentBack)

	// Init says that there was another.
	others, err := c.Adopt(t.Context())
	require.NoError(t, err)
	assert.Len(t, others, 1)
	require.NoError(t, d.begin(c))
}

func TestClientChecksAccount(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	c.Account = quota.AccountHash("ai-sbx.avlr.sh", "another client")
	require.ErrorIs(t, d.begin(c), quota.ErrOtherAccount)
	_, err := c.Adopt(t.Context())
	require.ErrorIs(t, err, quota.ErrOtherAccount)
	_, err = c.Reconcile(t.Context(), quota.ReconcileSpec{ID: "r", Observed: 1, Note: "n"})
	require.ErrorIs(t, err, quota.ErrOtherAccount)
	assert.Len(t, d.entries(c), 1)
}

func (d *desk) entries(c *quota.Client) (entries []quota.Entry) {
	for e, err := range c.Store.Entries(d.Context(), 0) {
		require.NoError(d, err)
		entries = append(entries, e)
	}
	return entries
}

func TestClientRefusesLocalLedgerInCI(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	c.CI = true
	require.ErrorIs(t, d.begin(c), quota.ErrLocalInCI)
	c.Loopback = true
	require.ErrorIs(t, d.begin(c), quota.ErrLocalInCI, "also where nothing real can be spent")
	c.Loopback, c.LocalStays = false, true
	require.NoError(t, d.begin(c))
}

func TestClientOnLoopbackChecksNothing(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	c.Account, c.Loopback = "another", true
	d.run(c, "one", 1)
	_, err := c.Adopt(t.Context())
	require.NoError(t, err)
	_, err = c.Reconcile(t.Context(), quota.ReconcileSpec{ID: "r", Observed: 1, Note: "n"})
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(d.state, "hsharness", "accounts", "another", "*"))
	require.NoError(t, err)
	assert.Empty(t, files)
}

// Of a ledger that was moved, where it goes on is said, rather than that it lacks
// what was spent there since.
func TestMovedLedgerSaysWhereItGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := d.init()
	at := *d
	at.path = filepath.Join(t.TempDir(), "new.db")
	backup(t, d.path, at.path)
	for _, reason := range []quota.BarReason{quota.Copying, quota.Moved} {
		_, err := old.Store.Bar(t.Context(), quota.Bar{Reason: reason, ID: "copy", From: "sqlite:old", To: "sqlite:new"})
		require.NoError(t, err)
	}
	at.run(at.open(), "run", 3)
	err := old.Ready(t.Context())
	var barred *quota.BarredError
	require.ErrorAs(t, err, &barred)
	assert.ErrorContains(t, err, "the ledger goes on at sqlite:new")
	require.NotErrorIs(t, err, quota.ErrWentBack)
}

// A high-water mark that can't be written stops the run before anything is sent.
func TestClientNeedsHighWater(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	c.StateHome = filepath.Join(d.path, "not a folder")
	require.Error(t, d.begin(c))
	status, err := c.Store.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, status.Held)
}

func TestRunSettlesLazily(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	run, err := c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 10}, nil)
	require.NoError(t, err)
	_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "a", Units: 1})
	require.NoError(t, err)
	require.NoError(t, run.Settle(quota.Settlement{Spend: "a", Outcome: quota.Answered}))
	require.ErrorIs(t, run.Settle(quota.Settlement{Spend: "a", Outcome: quota.Refunded}), quota.ErrNoProof)
	assert.Len(t, d.entries(c), 4)
	_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "b", Units: 1})
	require.NoError(t, err)
	assert.Len(t, d.entries(c), 6)
	require.NoError(t, run.Settle(quota.Settlement{Spend: "b", Outcome: quota.Refunded, Proof: quota.NoConnection}))
	_, err = run.End(t.Context(), quota.Counters{Requests: 2})
	require.NoError(t, err)
	report, err := c.Store.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
	assert.Equal(t, int64(1), report.Balances.Spent)
	assert.Zero(t, report.Balances.Unknown)

	_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "c", Units: 1})
	require.ErrorIs(t, err, quota.ErrRunOver)
	_, err = run.End(t.Context(), quota.Counters{Requests: 2})
	require.NoError(t, err, "the same end again")
}

// Without a spend to ride on, many settlements are written in the background.
func TestRunWritesManySettlements(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	_, err := c.Store.Grant(t.Context(), quota.GrantSpec{ID: "more", Units: 1000})
	require.NoError(t, err)
	run, err := c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 300}, nil)
	require.NoError(t, err)
	ids := make([]string, 300)
	for i := range ids {
		ids[i] = "s" + string(rune('a'+i))
		_, err := run.Spend(t.Context(), quota.SpendSpec{ID: ids[i], Units: 1})
		require.NoError(t, err)
	}
	for _, id := range ids {
		require.NoError(t, run.Settle(quota.Settlement{Spend: id, Outcome: quota.Answered}))
	}
	_, err = run.End(t.Context(), quota.Counters{})
	require.NoError(t, err)
	status, err := c.Store.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(300), status.Spent)
	assert.Zero(t, status.Unknown)
}

// renewals counts the renewals of a store and fails them on demand.
type renewals struct {
	quota.Store
	done chan error
	fail error
}

func (r *renewals) Renew(ctx context.Context, run string) (time.Time, error) {
	if r.fail != nil {
		r.done <- r.fail
		return time.Time{}, r.fail
	}
	until, err := r.Store.Renew(ctx, run)
	r.done <- err
	return until, err
}

func TestRunRenewsItsLease(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	ticks := make(chan time.Time)
	store := &renewals{Store: c.Store, done: make(chan error, 1)}
	c.Store, c.Ticks = store, func() (<-chan time.Time, func()) { return ticks, func() {} }
	run, err := c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 1}, nil)
	require.NoError(t, err)
	ticks <- time.Now()
	require.NoError(t, <-store.done)

	// Somebody ended it: the next renewal finds out, and nothing is spent.
	_, err = store.End(t.Context(), "run", quota.Counters{})
	require.NoError(t, err)
	ticks <- time.Now()
	require.ErrorIs(t, <-store.done, quota.ErrRunOver)
	<-run.Lost()
	require.ErrorIs(t, run.Err(), quota.ErrRunOver)
	_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "s", Units: 1})
	require.ErrorIs(t, err, quota.ErrRunOver)
}

func TestRunGoesOnAfterFailedRenewal(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	ticks := make(chan time.Time)
	store := &renewals{Store: c.Store, done: make(chan error, 1), fail: context.DeadlineExceeded}
	c.Store, c.Ticks = store, func() (<-chan time.Time, func()) { return ticks, func() {} }
	run, err := c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 1}, nil)
	require.NoError(t, err)
	ticks <- time.Now()
	require.Error(t, <-store.done)
	_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "s", Units: 1})
	require.NoError(t, err)
	_, err = run.End(t.Context(), quota.Counters{})
	require.NoError(t, err)
}

func TestRunDeny(t *testing.T) {
	d := newDesk(t)
	c := d.init()
	run, err := c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 1}, nil)
	require.NoError(t, err)
	stop := errors.New("the service said stop")
	run.Deny(stop)
	run.Deny(errors.New("later"))
	_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "s", Units: 1})
	require.ErrorIs(t, err, stop)
	_, err = run.End(t.Context(), quota.Counters{})
	require.NoError(t, err)
	status, err := c.Store.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, status.Spent)
}
