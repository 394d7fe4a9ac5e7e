package quotatest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// Processes says how to share one ledger among processes, which are children of
// the test: its own binary again. Their TestMain must call [Processes.Main].
type Processes struct {
	// Init makes a new ledger and returns its place, which must fit into an
	// environment variable.
	Init func(t testing.TB, spec quota.InitSpec) (place string)
	// Open opens it, in the test and in each child.
	Open func(ctx context.Context, place string, how How) (quota.Store, error)
}

// How is how one process opens the ledger.
type How struct {
	// Lease is how long its runs live without renewal.
	Lease time.Duration
	// Ahead is by how much its clock is wrong.
	Ahead time.Duration
	// Inside is called inside of every transaction, as far in as the store can
	// tell, and inside of a sweep once more when it has expired a run. Nil in the
	// test itself.
	Inside func(Step)
}

// Step is a place inside of a transaction.
type Step string

// The steps at which a child may end itself.
const (
	InTransaction Step = "transaction"
	InSweep       Step = "sweep"
)

// Now is the clock of that process.
func (h How) Now() time.Time { return time.Now().Add(h.Ahead) }

// The environment of a child.
const (
	envPlace = "QUOTATEST_PLACE"
	envLease = "QUOTATEST_LEASE"
	envAhead = "QUOTATEST_AHEAD"
)

// long is a lease that no test outlives.
const long = time.Hour

// exitInside is the code of a child that ended itself inside a transaction.
const exitInside = 77

// Main returns at once in the process of the test. A child does what it is told
// on its stdin, and never returns.
func (p Processes) Main() {
	place := os.Getenv(envPlace)
	if place == "" {
		return
	}
	if err := p.obey(place); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// actor is what a child is inside.
type actor struct {
	store quota.Store
	lease time.Duration
	armed Step // where to end
	stops Step // where to stop, once
	out   io.Writer
	told  string // the answer to the command, if it is not ok
}

// obey answers each line of commands with a line of its own: "ok" or the error,
// also that of opening the ledger.
func (p Processes) obey(place string) (err error) {
	lease, err := time.ParseDuration(os.Getenv(envLease))
	if err != nil {
		return err
	}
	ahead, err := time.ParseDuration(os.Getenv(envAhead))
	if err != nil {
		return err
	}
	a := &actor{lease: lease, out: os.Stdout}
	how := How{Lease: lease, Ahead: ahead, Inside: func(step Step) {
		if a.armed == step {
			os.Exit(exitInside)
		}
		if a.stops == step {
			a.stops = ""
			stopSelf()
		}
	}}
	var refused error // to open it
	if a.store, refused = p.Open(context.Background(), place, how); refused == nil {
		defer func() { err = errors.Join(err, a.store.Close()) }()
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		command := strings.Fields(lines.Text())
		err := refused
		if err == nil {
			err = a.do(command[0], command[1:])
		}
		answer := cmp.Or(a.told, "ok")
		a.told = ""
		if err != nil {
			answer, _, _ = strings.Cut(err.Error(), "\n")
		}
		fmt.Fprintln(a.out, answer)
	}
	return nil
}

// do carries out one command. "run" stands for an id of a run, "n" for a number;
// the id of a spend is run/n.
func (a *actor) do(name string, args []string) error {
	ctx := context.Background()
	var n int64
	if len(args) > 1 && name != "work" && name != "tells" {
		if _, err := fmt.Sscan(args[1], &n); err != nil {
			return err
		}
	}
	switch name {
	case "ready":
		return nil
	case "arm": // step
		a.armed = Step(args[0])
		return nil
	case "stop": // step
		a.stops = Step(args[0])
		return nil
	case "begin": // run max
		_, err := a.store.Begin(ctx, quota.RunSpec{ID: args[0], Max: n, Process: quota.ThisProcess()}, nil)
		return err
	case "spend": // run n
		_, err := a.store.Spend(ctx, quota.SpendSpec{ID: spendID(args[0], n), Run: args[0], Units: 1})
		return err
	case "spends": // run n: 0 to n-1, telling of each, until it is refused or killed
		for i := range n {
			if _, err := a.store.Spend(ctx, quota.SpendSpec{ID: spendID(args[0], i), Run: args[0], Units: 1}); err != nil {
				return err
			}
			fmt.Fprintln(a.out, "spent")
		}
		return nil
	case "settle": // run n outcome
		return a.store.Settle(ctx, quota.Settlement{Spend: spendID(args[0], n), Outcome: quota.Outcome(args[2])})
	case "end": // run
		_, err := a.store.End(ctx, args[0], quota.Counters{})
		return err
	case "status":
		s, err := a.store.Status(ctx)
		a.told = fmt.Sprintf("spent %d, held %d", s.Spent, s.Held)
		return err
	case "verify":
		report, err := a.store.Verify(ctx)
		a.told = fmt.Sprintf("problems %d", len(report.Problems))
		return err
	case "post": // url
		return post(args[0])
	case "half": // url
		return postHalf(args[0])
	case "parallel": // state n
		return a.parallel(ctx, args[0], n)
	case "turn": // run late rate
		answer, err := a.store.(pace.Keeper).Turn(ctx, pace.Ask{Run: args[0], Rates: pace.ParseAll(args[2:]), Late: n})
		a.told = "waits"
		if answer.Given {
			a.told = fmt.Sprintf("turn %d", answer.Seq)
		}
		return err
	case "paced": // run n rate url
		return a.paced(ctx, args[0], n, args[2], args[3])
	case "buys": // url seed
		return a.buys(ctx, args[0], n)
	case "tells": // name url
		return a.tells(ctx, args[0], args[1])
	case "work": // url rule
		return a.work(ctx, args[0], args[1])
	}
	return fmt.Errorf("no such command: %s", name)
}

func spendID(run string, n int64) string { return fmt.Sprintf("%s/%d", run, n) }

// shared is one ledger shared with children, as its test sees it.
type shared struct {
	*testing.T
	Processes
	place string
	store quota.Store
}

// share makes a ledger. The test ends with its verification.
func (p Processes) share(t *testing.T, granted int64, lease time.Duration) *shared {
	t.Helper()
	s := &shared{T: t, Processes: p, place: p.Init(t, quota.InitSpec{Granted: granted, Account: "account"})}
	var err error
	s.store, err = p.Open(t.Context(), s.place, How{Lease: lease})
	require.NoError(t, err)
	t.Cleanup(func() {
		report, err := s.store.Verify(context.Background())
		assert.NoError(t, err)
		assert.Empty(t, report.Problems)
		assert.NoError(t, s.store.Close())
	})
	return s
}

// child starts a process on the ledger whose runs are not renewed.
func (s *shared) child(lease time.Duration) *child {
	s.Helper()
	return s.start(s.T, s.place, How{Lease: lease})
}

// sweep is an admission, which first frees what dead and expired runs hold.
func (s *shared) sweep(id string) {
	s.Helper()
	_, err := s.store.Begin(s.Context(), quota.RunSpec{ID: id}, nil)
	require.NoError(s, err)
}

// figures checks spent, held and unknown.
func (s *shared) figures(spent, held, unknown int64) {
	s.Helper()
	st, err := s.store.Status(s.Context())
	require.NoError(s, err)
	assert.Equal(s, [3]int64{spent, held, unknown}, [3]int64{st.Spent, st.Held, st.Unknown}, "spent, held, unknown")
}

// count is how many entries of a kind the journal has.
func (s *shared) count(kind quota.Kind) (n int) {
	s.Helper()
	for e, err := range s.store.Entries(s.Context(), 0) {
		require.NoError(s, err)
		if e.Kind == kind {
			n++
		}
	}
	return n
}
