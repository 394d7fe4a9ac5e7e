package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

func TestGatewayDrawsInAllotments(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	for range 6 {
		status, _ := g.ask("shop")
		require.Equal(t, 200, status)
	}
	runs := g.runs()
	require.Len(t, runs, 2)
	assert.Equal(t, quota.Ended, runs[1].State)
	assert.EqualValues(t, 4, runs[1].Spent)
	assert.Zero(t, runs[1].Unknown, "a run ends after its answers are settled")
	assert.EqualValues(t, 4, runs[1].Counters.Requests)
	assert.Equal(t, quota.Attribution{Suite: "suite-of-shop", Actor: "shop", Event: "gateway"}, runs[0].Attribution)
	assert.EqualValues(t, 2, g.settled().Held)

	// A request that needs more than an allotment gets one of its size.
	items := strings.TrimSuffix(strings.Repeat(`{"description":"cup","hs6":"691110"},`, 9), ",")
	status, body := g.post("shop", "/hscode/classify_from_hs6", `{"countryOfDestination":"US","items":[`+items+`]}`)
	require.Equal(t, 200, status, body)
	assert.EqualValues(t, 9, g.runs()[0].Max)
	assert.EqualValues(t, 15, g.settled().Spent)
	assert.Zero(t, g.settled().Held, "the rest of the allotment before went back")

	// What nobody uses goes back.
	status, _ = g.ask("shop")
	require.Equal(t, 200, status)
	g.gateway.meter.sweep()
	assert.EqualValues(t, 3, g.settled().Held, "it is in use")
	g.later(idleTime + time.Second)
	g.gateway.meter.sweep()
	assert.Zero(t, g.settled().Held)
	assert.EqualValues(t, g.served(), g.settled().Spent)
	g.verify()
}

// Who polls for nothing leaves one run: each admission of a key reads all runs there are.
func TestGatewayKeepsARunThatHoldsNothing(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	m := g.gateway.meter
	k, ok := m.key("shop")
	require.True(t, ok)
	for i := range 5 {
		spec := quota.SpendSpec{ID: fmt.Sprint("poll ", i)}
		from, err := m.draw(t.Context(), k, spec)
		require.NoError(t, err)
		_, err = from.run.Spend(t.Context(), spec)
		require.NoError(t, err)
		m.landed(spec.ID, false)
		g.later(time.Minute)
		m.sweep()
	}
	assert.Len(t, g.runs(), 1)
	status, body := g.ask("shop")
	require.Equal(t, 200, status, body)
	assert.Len(t, g.runs(), 2, "it had no unit")
	g.later(emptyTime + time.Second)
	m.sweep()
	assert.Zero(t, g.settled().Held)
	g.verify()
}

func TestGatewayGoesOnAfterALostRun(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	status, _ := g.ask("shop")
	require.Equal(t, 200, status)
	_, err := g.gateway.ledger.Store.End(t.Context(), g.runs()[0].ID, quota.Counters{})
	require.NoError(t, err)
	status, body := g.ask("shop")
	require.Equal(t, 200, status, body)
	assert.Len(t, g.runs(), 2)
	assert.EqualValues(t, g.served(), g.settled().Spent)
}

// deafStore loses the word of a spend that it wrote, or says that it was there before.
type deafStore struct {
	quota.Store
	says atomic.Pointer[error]
}

func (s *deafStore) Spend(ctx context.Context, spec quota.SpendSpec, settled ...quota.Settlement) (quota.Entry, error) {
	e, err := s.Store.Spend(ctx, spec, settled...)
	if says := s.says.Load(); err == nil && says != nil {
		return quota.Entry{}, *says
	}
	return e, err
}

func TestGatewayGivesBackASpendWhoseWordWasLost(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	deaf := &deafStore{Store: g.gateway.meter.client.Store}
	g.gateway.meter.client.Store = deaf
	for says, spent := range map[error]int64{quota.ErrUnreachable: 0, quota.ErrSpent: 1, quota.ErrConflict: 1} {
		before := g.settled().Spent - g.served()
		deaf.says.Store(&says)
		status, _ := g.ask("shop")
		require.NotEqual(t, 200, status)
		deaf.says.Store(nil)
		status, body := g.ask("shop")
		require.Equal(t, 200, status, body)
		assert.Equal(t, spent, g.settled().Spent-g.served()-before, says)
	}
	g.verify()
}

// slowStore keeps whoever ends a run waiting.
type slowStore struct {
	quota.Store
	asked, answer chan struct{}
}

func (s *slowStore) End(ctx context.Context, run string, c quota.Counters) (quota.Entry, error) {
	s.asked <- struct{}{}
	<-s.answer
	return s.Store.End(ctx, run, c)
}

// A run that is being ended before a key's next one is one of those that the end of the
// gateway waits for, and ends though whoever asked has gone.
func TestGatewayWaitsForTheRunOfANextOne(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	m := g.gateway.meter
	slow := &slowStore{m.client.Store, make(chan struct{}), make(chan struct{})}
	m.client.Store = slow
	status, body := g.ask("shop")
	require.Equal(t, 200, status, body)
	gone, leave := context.WithCancel(t.Context())
	leave()
	retired := make(chan struct{})
	go func() {
		defer close(retired)
		m.retire(gone, m.drawer("shop"))
	}()
	<-slow.asked
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorContains(t, m.close(short), "the ledger did not answer in time")
	close(slow.answer)
	<-retired
	assert.Equal(t, quota.Ended, g.runs()[0].State)
	assert.Zero(t, g.settled().Held)
}

// beginStore does something once a run has begun, before anybody is told.
type beginStore struct {
	quota.Store
	begun func()
}

func (s *beginStore) Begin(ctx context.Context, spec quota.RunSpec, rules []quota.Rule) (quota.RunInfo, error) {
	run, err := s.Store.Begin(ctx, spec, rules)
	s.begun()
	return run, err
}

// What is said while a key's next units are asked for holds for these too: the sandbox said
// to stop, the ledger does not count, the gateway ends. They go back.
func TestGatewayDrawsNothingOnceItIsToldToStop(t *testing.T) {
	told := errors.New("told to stop")
	for name, say := range map[string]func(m *meter){
		"sandbox": func(m *meter) { m.Deny(told) },
		"ledger":  func(m *meter) { m.distrust(told) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
			m := g.gateway.meter
			m.client.Store = &beginStore{m.client.Store, func() { say(m) }}
			status, body := g.ask("shop")
			assert.Equal(t, 424, status, body)
			assert.Zero(t, g.served())
			m.ending.Wait()
			assert.Zero(t, g.settled().Held)
			m.mu.Lock()
			m.distrusted = nil // for the end of the test
			m.mu.Unlock()
		})
	}
}

// Units that are asked for when the gateway ends are waited for, and go back.
func TestGatewayWaitsForUnitsThatAreAskedFor(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	m := g.gateway.meter
	began, answer := make(chan struct{}), make(chan struct{})
	m.client.Store = &beginStore{m.client.Store, func() { close(began); <-answer }}
	drawn := make(chan error)
	go func() {
		_, err := m.draw(context.WithoutCancel(t.Context()), Key{Name: "shop", Cap: 50}, quota.SpendSpec{ID: "1", Units: 1})
		drawn <- err
	}()
	<-began
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorContains(t, m.close(short), "the ledger did not answer in time")
	close(answer)
	require.ErrorIs(t, <-drawn, errGatewayStops)
	m.ending.Wait()
	assert.Zero(t, g.settled().Held)
}

// poisonedStore ends no run once it is poisoned.
type poisonedStore struct {
	quota.Store
	poisoned atomic.Bool
}

func (s *poisonedStore) End(ctx context.Context, run string, c quota.Counters) (quota.Entry, error) {
	if s.poisoned.Load() {
		return quota.Entry{}, quota.ErrPoisoned
	}
	return s.Store.End(ctx, run, c)
}

// A run that can't be ended when the gateway stops is an error of the ledger, as one that does
// not answer; one before that is over once its lease is.
func TestGatewayTellsOfARunThatItCouldNotEnd(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50, "ci": 50})
	m := g.gateway.meter
	store := &poisonedStore{Store: m.client.Store}
	m.client.Store = store
	for _, key := range []string{"shop", "ci"} {
		status, body := g.ask(key)
		require.Equal(t, 200, status, body)
	}
	store.poisoned.Store(true)
	m.retire(t.Context(), m.drawer("ci"))
	require.NoError(t, m.unended)
	err := m.close(t.Context())
	require.ErrorIs(t, err, quota.ErrPoisoned)
	_, is := errors.AsType[*session.LedgerError](err)
	assert.True(t, is, "it is exit code 7")
	m.unended = nil // for the end of the test
}
