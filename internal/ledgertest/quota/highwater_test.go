package quota_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// mark is the file that has the lines of a ledger.
func (d *desk) mark(c *quota.Client) string {
	d.Helper()
	info, err := c.Store.Info(d.Context())
	require.NoError(d, err)
	return filepath.Join(d.state, "hsharness", "accounts", d.account, info.LedgerID)
}

// write appends to the high-water mark what something else left there.
func (d *desk) write(c *quota.Client, text string) {
	d.Helper()
	f, err := os.OpenFile(d.mark(c), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	require.NoError(d, err)
	_, err = f.WriteString(text)
	require.NoError(d, err)
	require.NoError(d, f.Close())
}

// What a full disk or a power cut left half written blocks nobody, and hides
// nothing that is written after it.
func TestTornHighWaterBlocksNobody(t *testing.T) {
	t.Parallel()
	for _, torn := range []string{"12", "\n12", "\nbegin 4 ", "\nentry 99999 0123456789abcdef", "\x00\x00\x00\x00"} {
		d := newDesk(t)
		c := d.init()
		require.NoError(t, c.Store.Close())
		old := filepath.Join(t.TempDir(), "old.db")
		copyFile(t, d.path, old)
		c = d.open()
		d.write(c, torn)
		d.run(c, "one", 2)
		d.write(c, torn)
		d.run(c, "two", 2)
		d.write(c, torn)
		require.NoError(t, d.open().Ready(t.Context()), "%q", torn)
		d.path = old
		require.ErrorIs(t, d.begin(d.open()), quota.ErrWentBack, "%q", torn)
	}
}

// A process that died before it had written its first line spent nothing. A file
// in which nothing of ours stands is another matter.
func TestHighWaterWithoutLines(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := d.init()
	for name, row := range map[string]struct {
		content string
		want    error
	}{
		"empty":        {"", nil},
		"torn":         {"\nbegi", nil},
		"of no ledger": {"hello\nworld\n", quota.ErrWentBack},
	} {
		require.NoError(t, os.WriteFile(d.mark(c), []byte(row.content), 0o600))
		require.ErrorIs(t, d.open().Ready(t.Context()), row.want, name)
	}
	_, err := c.Reconcile(t.Context(), quota.ReconcileSpec{ID: "r", Observed: 0, Note: "the file was spoilt"})
	require.NoError(t, err)
	d.run(d.open(), "one", 1)
}

// Where the high-water mark can't be written, nothing is begun, and a run that has begun
// spends nothing more.
func TestNothingIsSpentWithoutHighWater(t *testing.T) {
	t.Parallel()
	directory := func(name string) error { _ = os.Remove(name); return os.Mkdir(name, 0o700) }
	full := func(name string) error { _ = os.Remove(name); return os.Symlink("/dev/full", name) }
	for name, spoil := range map[string]func(d *desk, c *quota.Client) error{
		"the folder is a file": func(d *desk, _ *quota.Client) error {
			dir := filepath.Join(d.state, "hsharness")
			require.NoError(d, os.RemoveAll(dir))
			return os.WriteFile(dir, nil, 0o600)
		},
		"the file is a folder":         func(d *desk, c *quota.Client) error { return directory(d.mark(c)) },
		"the lock is a folder":         func(d *desk, c *quota.Client) error { return directory(filepath.Dir(d.mark(c)) + ".lock") },
		"the disk is full":             func(d *desk, c *quota.Client) error { return full(d.mark(c)) },
		"somebody cleans up a part":    func(d *desk, c *quota.Client) error { return os.RemoveAll(filepath.Dir(d.mark(c))) },
		"somebody cleans up meanwhile": func(d *desk, _ *quota.Client) error { return os.RemoveAll(filepath.Join(d.state, "hsharness")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS != "linux" && name == "the disk is full" {
				return // there is no /dev/full
			}
			d := newDesk(t)
			c := d.init()
			run, err := c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 10}, nil)
			require.NoError(t, err)
			_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "s1", Units: 1})
			require.NoError(t, err)
			require.NoError(t, spoil(d, c))

			_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "s2", Units: 1})
			require.ErrorIs(t, err, quota.ErrNoHighWater)
			_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "s3", Units: 1})
			require.ErrorIs(t, err, quota.ErrNoHighWater)
			require.ErrorIs(t, run.Err(), quota.ErrNoHighWater)
			_, err = run.End(t.Context(), quota.Counters{})
			require.ErrorIs(t, err, quota.ErrNoHighWater)
			status, err := c.Store.Status(t.Context())
			require.NoError(t, err)
			assert.LessOrEqual(t, status.Spent, int64(2), "the third was not even written")
			assert.Zero(t, status.Held, "it is over all the same")

			err = d.begin(d.open())
			if strings.HasPrefix(name, "somebody cleans up") { // then this machine is a new one
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, quota.ErrNoHighWater)
			status, err = c.Store.Status(t.Context())
			require.NoError(t, err)
			assert.Zero(t, status.Held)
		})
	}
}

// Of two ledgers of one account that are made at the same time, one at least is
// known as a second one.
func TestAdoptAtOnce(t *testing.T) {
	t.Parallel()
	for range 8 {
		d := newDesk(t)
		var all sync.WaitGroup
		told := make([]int, 2)
		both := make(chan struct{})
		for i := range told {
			store, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: 100, Account: d.account})
			require.NoError(t, err)
			c := d.client(store)
			all.Go(func() {
				<-both
				others, err := c.Adopt(t.Context())
				assert.NoError(t, err)
				told[i] = len(others)
			})
		}
		close(both)
		all.Wait()
		assert.Equal(t, 1, told[0]+told[1])
	}
}

// Two ledgers of one account that nobody adopted, on a machine that is new to
// both: only one of them begins.
func TestBeginAtOnceOnTwoLedgers(t *testing.T) {
	t.Parallel()
	for range 8 {
		d := newDesk(t)
		var all sync.WaitGroup
		errs := make([]error, 2)
		both := make(chan struct{})
		for i := range errs {
			store, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: 100, Account: d.account})
			require.NoError(t, err)
			c := d.client(store)
			all.Go(func() {
				<-both
				errs[i] = d.begin(c)
			})
		}
		close(both)
		all.Wait()
		assert.True(t, (errs[0] == nil) != (errs[1] == nil), "%v", errs)
		for _, err := range errs {
			if err != nil {
				assert.ErrorIs(t, err, quota.ErrWentBack)
			}
		}
	}
}

// A reconciliation forgets nothing that others note at the same time: a copy
// without it is still known as one.
func TestReconcileBesideBegins(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := d.init()
	require.NoError(t, c.Store.Close())
	copied := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, d.path, copied)
	c = d.open()
	beside := d.open()
	c.Store = &meanwhile{c.Store, func() { d.run(beside, "run", 3) }}
	_, err := c.Reconcile(t.Context(), quota.ReconcileSpec{ID: "r", Observed: 40, Note: "portal"})
	require.NoError(t, err)
	require.NoError(t, d.open().Ready(t.Context()))
	text, err := os.ReadFile(d.mark(c))
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(text), "accept "), "that of init: %s", text)
	d.path = copied
	require.ErrorIs(t, d.begin(d.open()), quota.ErrWentBack)
}

// An end that could not be noted is an error each time that it is tried, until it is.
func TestAnEndThatWasNotNotedIsNotedLater(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := d.init()
	run, err := c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 10}, nil)
	require.NoError(t, err)
	away := d.mark(c) + ".away"
	require.NoError(t, os.Rename(d.mark(c), away))
	_, err = run.End(t.Context(), quota.Counters{})
	require.ErrorIs(t, err, quota.ErrNoHighWater)
	_, err = run.End(t.Context(), quota.Counters{})
	require.ErrorIs(t, err, quota.ErrNoHighWater)

	require.NoError(t, os.Rename(away, d.mark(c)))
	lines := func() int {
		text, err := os.ReadFile(d.mark(c))
		require.NoError(t, err)
		return strings.Count(string(text), "\nentry ")
	}
	before := lines()
	for range 2 {
		_, err = run.End(t.Context(), quota.Counters{})
		require.NoError(t, err)
		assert.Equal(t, before+1, lines(), "once")
	}
}
