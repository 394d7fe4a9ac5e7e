package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// forgetfulStore counts a unit less of each run, as a ledger does in which somebody undoes what
// is written.
type forgetfulStore struct{ quota.Store }

func (s forgetfulStore) Runs(ctx context.Context, most int) ([]quota.RunInfo, error) {
	runs, err := s.Store.Runs(ctx, most)
	for i := range runs {
		runs[i].Spent--
	}
	return runs, err
}

// A ledger that does not count what it let a key's run spend is not drawn on any more: callers
// are refused, it is told to those who run the gateway, and it is an error when it ends.
func TestGatewayOfALedgerThatDoesNotCount(t *testing.T) {
	g := newTeam(t, 100, 2, map[string]int64{"shop": 50, "ci": 50})
	before := g.gateway.meter.client.Store
	g.gateway.meter.client.Store = forgetfulStore{before}
	for _, key := range []string{"shop", "shop", "ci"} {
		status, body := g.ask(key)
		require.Equal(t, 200, status, body)
	}
	require.NoError(t, g.gateway.ready(t.Context()))
	for _, key := range []string{"shop", "ci"} { // shop's second run, and what ci holds
		status, body := g.ask(key)
		assert.Equal(t, 424, status)
		assert.Contains(t, body, `"verdict":"ledger-unavailable"`)
	}
	assert.EqualValues(t, 3, g.served())
	err := g.gateway.ready(t.Context())
	require.ErrorIs(t, err, quota.ErrWentBack)
	assert.ErrorContains(t, err, "it let the run spend 2 units, and counts 1")
	_, told := g.gateway.status(t.Context())
	require.ErrorIs(t, told, quota.ErrWentBack, "on the page")
	require.Error(t, g.gateway.meter.Check(t.Context()))
	stopped := g.gateway.meter.close(t.Context())
	require.ErrorIs(t, stopped, quota.ErrWentBack)
	_, is := errors.AsType[*session.LedgerError](stopped)
	assert.True(t, is, "it is exit code 7")
	assert.Zero(t, g.settled().Held)
	g.gateway.meter.distrusted = nil // for the end of the test
}

// laggingStore has not all of the runs, as a server that took over too early, and may be cut
// off.
type laggingStore struct {
	quota.Store
	mu   sync.Mutex
	lost []string
	cut  error
}

func (s *laggingStore) Runs(ctx context.Context, most int) ([]quota.RunInfo, error) {
	runs, err := s.Store.Runs(ctx, most)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut != nil {
		return nil, s.cut
	}
	return slices.DeleteFunc(runs, func(r quota.RunInfo) bool { return slices.Contains(s.lost, r.ID) }), err
}

func (s *laggingStore) set(cut error, lost ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut, s.lost = cut, lost
}

// lagging makes a gateway with an allotment of one request, and asks it as often.
func lagging(t *testing.T, asked int) (*team, *laggingStore) {
	t.Helper()
	g := newTeam(t, 100, 1, map[string]int64{"shop": 50})
	store := &laggingStore{Store: g.gateway.meter.client.Store}
	g.gateway.meter.client.Store = store
	for range asked {
		status, body := g.ask("shop")
		require.Equal(t, 200, status, body)
	}
	return g, store
}

// A ledger that did not count is asked again, seldom, and is drawn on once it has all that it
// let the gateway spend: also the runs that it had before, and lost since.
func TestGatewayTrustsALedgerThatCaughtUp(t *testing.T) {
	g, store := lagging(t, 2)
	m := g.gateway.meter
	runs := g.runs() // the latest first, which is not ended yet; the other was found to be counted
	store.set(nil, runs[0].ID, runs[1].ID)
	status, _ := g.ask("shop")
	require.Equal(t, 424, status)
	for wait := firstAsk; wait < 4*firstAsk; wait *= 2 {
		g.later(wait - time.Second)
		store.set(nil)
		m.askAgain(t.Context())
		require.ErrorIs(t, m.trusted(), quota.ErrWentBack, "it is not time")
		store.set(nil, runs[1].ID)
		g.later(time.Second)
		m.askAgain(t.Context())
		require.ErrorContains(t, m.trusted(), runs[1].ID, "this one is lost now")
	}
	store.set(errors.New("cut off"))
	g.later(4 * firstAsk)
	m.askAgain(t.Context())
	require.ErrorIs(t, m.trusted(), quota.ErrWentBack)
	status, _ = g.ask("shop")
	require.Equal(t, 424, status)
	store.set(nil)
	g.later(8 * firstAsk)
	m.askAgain(t.Context())
	require.NoError(t, m.trusted())
	status, body := g.ask("shop")
	require.Equal(t, 200, status, body)
	require.NoError(t, g.gateway.ready(t.Context()))
	assert.EqualValues(t, 3, g.served())
	assert.EqualValues(t, 3, g.settled().Spent)

	store.set(nil, g.runs()[0].ID)
	status, _ = g.ask("shop")
	require.Equal(t, 424, status, "a second time")
	g.later(8 * firstAsk)
	store.set(nil)
	m.askAgain(t.Context())
	require.Error(t, m.trusted(), "it has to wait longer")
	assert.NoError(t, m.close(t.Context()), "at its end it is asked once more")
	g.verify()
}

// A run whose ledger could not be asked when it ended is compared when the next one ends.
func TestGatewayComparesARunLater(t *testing.T) {
	g, store := lagging(t, 1)
	first := g.runs()[0].ID
	store.set(errors.New("cut off"))
	status, body := g.ask("shop")
	require.Equal(t, 200, status, body)
	store.set(nil, first)
	status, _ = g.ask("shop")
	require.Equal(t, 424, status)
	require.ErrorContains(t, g.gateway.meter.trusted(), first)
	store.set(nil)
}

// What a gateway keeps of its runs has a bound, which does not hold while it waits for some
// of them.
func TestGatewayKeepsTheLatestRuns(t *testing.T) {
	g, store := lagging(t, 0)
	m := g.gateway.meter
	for range mostRuns + 10 {
		m.compare(t.Context(), quota.RunInfo{})
	}
	assert.Len(t, m.ended, mostRuns)
	store.set(nil)
	m.distrusted = quota.ErrWentBack
	m.compare(t.Context(), quota.RunInfo{})
	assert.Len(t, m.ended, mostRuns+1)
	require.NoError(t, m.close(t.Context()))
}
