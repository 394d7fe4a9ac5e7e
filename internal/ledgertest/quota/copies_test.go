package quota_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// meanwhile is a store beside which something happens when a change of it is on
// the disk and its caller does not know yet.
type meanwhile struct {
	quota.Store
	do func()
}

func (m *meanwhile) Begin(ctx context.Context, spec quota.RunSpec, rules []quota.Rule) (quota.RunInfo, error) {
	info, err := m.Store.Begin(ctx, spec, rules)
	m.do()
	return info, err
}

func (m *meanwhile) Spend(ctx context.Context, spec quota.SpendSpec, settled ...quota.Settlement) (quota.Entry, error) {
	e, err := m.Store.Spend(ctx, spec, settled...)
	m.do()
	return e, err
}

func (m *meanwhile) Reconcile(ctx context.Context, spec quota.ReconcileSpec) (quota.Entry, error) {
	e, err := m.Store.Reconcile(ctx, spec)
	m.do()
	return e, err
}

// between is a store beside which something happens whenever it is read.
type between struct {
	quota.Store
	do func()
}

func (b *between) Info(ctx context.Context) (quota.Info, error) {
	b.do()
	defer b.do()
	return b.Store.Info(ctx)
}

// world is a ledger of which there may be copies, and those who spend from each.
// Its clock stands still unless it is moved.
type world struct {
	*testing.T
	*rand.Rand
	account, state string

	now     time.Time
	paths   []string
	clients []*quota.Client
	runs    []worldRun
	sent    []string // by all
	ids     int
	depth   int
	copies  bool // may be made
	refused map[string]int
}

// worldRun is a run and its ledger.
type worldRun struct {
	*quota.Run
	store quota.Store
}

const worldGranted = 12

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		T: t, Rand: rand.New(rand.NewPCG(seed, seed)), account: quota.AccountHash("ai-sbx.avlr.sh", "client"), state: t.TempDir(),
		now: time.Now(), refused: map[string]int{},
	}
	w.paths = []string{filepath.Join(t.TempDir(), "ledger.db")}
	store, err := sqlite.Init(t.Context(), w.config(w.paths[0]), quota.InitSpec{Granted: worldGranted, Account: w.account})
	require.NoError(t, err)
	_, err = w.client(store).Adopt(t.Context())
	require.NoError(t, err)
	return w
}

func (w *world) config(path string) sqlite.Config {
	return sqlite.Config{Path: path, Now: func() time.Time { return w.now }, Gone: func(quota.Process) bool { return false }}
}

func (w *world) client(store quota.Store) *quota.Client {
	w.Cleanup(func() { assert.NoError(w, store.Close()) })
	c := &quota.Client{
		Store: &meanwhile{store, w.beside}, Account: w.account, StateHome: w.state,
		Ticks: func() (<-chan time.Time, func()) { return nil, func() {} },
	}
	w.clients = append(w.clients, c)
	return c
}

func (w *world) id() string {
	w.ids++
	return fmt.Sprint("id-", w.ids)
}

// beside lets something happen inside of something else, now and then.
func (w *world) beside() {
	if w.depth < 3 && w.IntN(2) == 0 {
		w.depth++
		w.step()
		w.depth--
	}
}

// step is something that may happen.
func (w *world) step() {
	switch n := w.IntN(20); {
	case n < 1:
		if w.copies && len(w.paths) < 4 {
			w.copy()
			w.open(w.paths[len(w.paths)-1])
		}
	case n < 2:
		w.open(w.paths[w.IntN(len(w.paths))])
	case n < 8:
		w.begin()
	case n < 16:
		w.spend()
	case n < 17:
		w.end()
	default:
		w.pass()
	}
}

// pass lets time pass: whoever lives renews its lease, in its own ledger.
func (w *world) pass() {
	w.now = w.now.Add(quota.Lease / 2)
	for _, r := range w.runs {
		if w.IntN(8) > 0 {
			_, err := r.store.Renew(w.Context(), r.Info().ID)
			w.met(err)
		}
	}
	w.now = w.now.Add(quota.Lease / 2)
	w.runs = slices.DeleteFunc(w.runs, func(r worldRun) bool { return r.Err() != nil || w.IntN(20) == 0 })
}

// copy copies one of the files, whoever has it open.
func (w *world) copy() {
	from := w.paths[w.IntN(len(w.paths))]
	to := filepath.Join(w.TempDir(), "ledger.db")
	for _, part := range []string{"", "-wal"} {
		data, err := os.ReadFile(from + part)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		require.NoError(w, err)
		require.NoError(w, os.WriteFile(to+part, data, 0o600))
	}
	w.paths = append(w.paths, to)
}

func (w *world) open(path string) {
	store, err := sqlite.Open(w.Context(), w.config(path))
	require.NoError(w, err)
	w.client(store)
}

// met counts a refusal, which is none of the expected ones only by mistake.
func (w *world) met(err error) {
	for name, known := range map[string]error{
		"blocked": quota.ErrBlocked, "over": quota.ErrRunOver, "used": quota.ErrHoldUsed, "back": quota.ErrWentBack,
	} {
		if errors.Is(err, known) {
			w.refused[name]++
			return
		}
	}
	require.NoError(w, err)
}

func (w *world) begin() {
	c := w.clients[w.IntN(len(w.clients))]
	run, err := c.Begin(w.Context(), quota.RunSpec{ID: w.id(), Max: 1 + w.Int64N(5)}, nil)
	if err != nil {
		w.met(err)
		return
	}
	w.runs = append(w.runs, worldRun{run, c.Store})
}

func (w *world) spend() {
	if len(w.runs) == 0 {
		return
	}
	run := w.runs[w.IntN(len(w.runs))]
	id := w.id()
	if _, err := run.Spend(w.Context(), quota.SpendSpec{ID: id, Units: 1}); err != nil {
		w.met(err)
		return
	}
	// Whoever spends has a ledger with all that was spent.
	known := map[string]bool{}
	for e, err := range run.store.Entries(w.Context(), 0) {
		require.NoError(w, err)
		known[e.ID] = true
	}
	for _, other := range w.sent {
		require.True(w, known[other], "%s was sent, and the ledger of %s knows nothing of it", other, id)
	}
	w.sent = append(w.sent, id)
}

func (w *world) end() {
	if len(w.runs) == 0 {
		return
	}
	if _, err := w.runs[w.IntN(len(w.runs))].End(w.Context(), quota.Counters{}); err != nil {
		w.met(err)
	}
}

// Whatever happens to a ledger of which copies are made, in whatever order, also
// between that something is in the ledger and that it is noted: all copies
// together never spend more than was granted, and without a copy nobody is told
// that there is one.
func TestCopiesTogetherNeverSpendMore(t *testing.T) {
	t.Parallel()
	refused := map[string]int{}
	worlds, all, copied := 24, 0, 0
	first := uint64(time.Now().UnixNano())
	for n := range worlds {
		seed := first + uint64(n)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(t, seed)
			w.copies = n%4 > 0
			for range 80 {
				w.step()
				require.LessOrEqual(t, len(w.sent), worldGranted)
			}
			if len(w.paths) == 1 {
				assert.Zero(t, w.refused["back"], "seed %d: a false alarm", seed)
			} else {
				copied++
			}
			for name, times := range w.refused {
				refused[name] += times
			}
			all += len(w.sent)
		})
	}
	t.Logf("%d worlds, %d with copies, sent %d, refused %v", worlds, copied, all, refused)
	assert.Greater(t, all, worlds*worldGranted/2, "they did spend")
	assert.Greater(t, refused["back"], worlds, "copies were met")
}

// A copy is made while a run is active. Whatever comes first, one of the two
// spends, and the other not.
func TestCopyMadeWhileRunIsActive(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*pair){
		"the run spends first": func(p *pair) {
			require.NoError(p, p.spends())
			require.ErrorIs(p, p.begins(), quota.ErrWentBack)
			require.NoError(p, p.spends())
		},
		"the copy begins first": func(p *pair) {
			require.NoError(p, p.begins())
			require.ErrorIs(p, p.spends(), quota.ErrWentBack)
			require.ErrorIs(p, p.spends(), quota.ErrWentBack, "it can't spend any more")
			require.ErrorIs(p, p.run.Err(), quota.ErrWentBack)
		},
		"the run spends while the copy begins": func(p *pair) {
			p.other.Store = &meanwhile{p.other.Store, func() { require.NoError(p, p.spends()) }}
			require.ErrorIs(p, p.begins(), quota.ErrWentBack)
			status, err := p.other.Store.Status(p.Context())
			require.NoError(p, err)
			assert.Len(p, status.ActiveRuns, 1, "what the copy was to hold is free again")
		},
		"the copy begins while the run spends": func(p *pair) {
			p.inside.do = func() { require.NoError(p, p.begins()) }
			require.ErrorIs(p, p.spends(), quota.ErrWentBack)
		},
		"the copy begins, and very much is noted after that": func(p *pair) {
			require.NoError(p, p.begins())
			p.write(p.other, strings.Repeat("\n", 128<<10))
			require.ErrorIs(p, p.spends(), quota.ErrWentBack)
		},
		"the copy is reconciled while the run spends": func(p *pair) {
			require.NoError(p, p.spends())
			_, err := p.other.Reconcile(p.Context(), quota.ReconcileSpec{ID: "r", Observed: 1, Note: "portal"})
			require.NoError(p, err)
			require.ErrorIs(p, p.spends(), quota.ErrWentBack)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			c := d.init()
			p := &pair{desk: d, inside: &meanwhile{c.Store, func() {}}}
			c.Store = p.inside
			p.T = t
			var err error
			p.run, err = c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 10}, nil)
			require.NoError(t, err)
			other := *d
			other.path = filepath.Join(t.TempDir(), "copy.db")
			copyFile(t, d.path, other.path)
			copyFile(t, d.path+"-wal", other.path+"-wal")
			p.other = other.open()
			test(p)
		})
	}
}

// An older state is put back into the very file while runs are active, as a backup
// does that writes through SQLite. Each run knows by the numbers what was noted
// before, by itself and by others, and the next request is not sent.
func TestOlderStatePutBackWhileInUse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(t *testing.T, spender, idle *quota.Run, c *quota.Client) error{
		"whoever spent spends": func(t *testing.T, spender, _ *quota.Run, _ *quota.Client) error {
			_, err := spender.Spend(t.Context(), quota.SpendSpec{ID: "next", Units: 1})
			require.ErrorIs(t, spender.Err(), quota.ErrWentBack)
			return err
		},
		"another run spends": func(t *testing.T, _, idle *quota.Run, _ *quota.Client) error {
			_, err := idle.Spend(t.Context(), quota.SpendSpec{ID: "next", Units: 1})
			return err
		},
		"the same process begins another run": func(t *testing.T, _, _ *quota.Run, c *quota.Client) error {
			_, err := c.Begin(t.Context(), quota.RunSpec{ID: "next", Max: 1}, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.T = t
			c, other := d.init(), d.open()
			idle, err := other.Begin(t.Context(), quota.RunSpec{ID: "idle", Max: 10}, nil)
			require.NoError(t, err)
			spender, err := c.Begin(t.Context(), quota.RunSpec{ID: "spender", Max: 10}, nil)
			require.NoError(t, err)
			spend := func(n int) {
				_, err := spender.Spend(t.Context(), quota.SpendSpec{ID: fmt.Sprint("spend-", n), Units: 1})
				require.NoError(t, err)
			}
			spend(0)
			older := filepath.Join(t.TempDir(), "older.db")
			backup(t, d.path, older)
			for n := range 4 {
				spend(n + 1)
			}
			backup(t, older, d.path)
			require.ErrorIs(t, test(t, spender, idle, c), quota.ErrWentBack)
		})
	}
}

// backup writes the state of one database into another, whoever has that open.
func backup(t *testing.T, from, to string) {
	t.Helper()
	src, err := sqlite3.Open("file:" + from)
	require.NoError(t, err)
	require.NoError(t, errors.Join(src.Backup("main", "file:"+to), src.Close()))
}

// Whatever others write while a client reads ledger and high-water mark, a healthy ledger
// never went back in time.
func TestHealthyLedgerDidNotGoBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	beside := d.init()
	runs := 0
	c := &quota.Client{Account: d.account, StateHome: d.state, Store: &between{d.open().Store, func() {
		runs++
		d.run(beside, fmt.Sprint("beside-", runs), 2)
	}}}
	require.NoError(t, c.Ready(t.Context()))
	d.run(c, "run", 2)
	require.NoError(t, c.Ready(t.Context()))
	assert.GreaterOrEqual(t, runs, 6)
}

// pair is a run on a ledger, and another client on a copy of it.
type pair struct {
	*desk
	inside *meanwhile
	run    *quota.Run
	other  *quota.Client
	spent  int
}

func (p *pair) spends() error {
	p.spent++
	_, err := p.run.Spend(p.Context(), quota.SpendSpec{ID: fmt.Sprint("spend-", p.spent), Units: 1})
	return err
}

func (p *pair) begins() error {
	_, err := p.other.Begin(p.Context(), quota.RunSpec{ID: "other", Max: 10}, nil)
	return err
}

// Two copies of a ledger that start in the same instant.
func TestCopiesStartedAtOnce(t *testing.T) {
	t.Parallel()
	for round := range 10 {
		d := newDesk(t)
		require.NoError(t, d.init().Store.Close())
		var all sync.WaitGroup
		var mu sync.Mutex
		sent := map[string]int{}
		both := make(chan struct{})
		for _, name := range []string{"one", "two"} {
			other := *d
			other.path = filepath.Join(t.TempDir(), name+".db")
			copyFile(t, d.path, other.path)
			c := other.open()
			all.Go(func() {
				<-both
				run, err := c.Begin(t.Context(), quota.RunSpec{ID: name, Max: 100}, nil)
				for err == nil {
					if _, err = run.Spend(t.Context(), quota.SpendSpec{ID: name + fmt.Sprint(time.Now().UnixNano()), Units: 1}); err == nil {
						mu.Lock()
						sent[name]++
						mu.Unlock()
					}
				}
				if !errors.Is(err, quota.ErrWentBack) && !errors.Is(err, quota.ErrHoldUsed) {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		close(both)
		all.Wait()
		assert.LessOrEqual(t, sent["one"]+sent["two"], 100, "round %d: %v", round, sent)
	}
}
