package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// moving is a ledger of which a key draws whenever it was just summed up.
type moving struct {
	quota.Store
	t *testing.T
}

func (s moving) Sum(ctx context.Context, since time.Time, known *tally.Journal) (quota.Statement, *tally.Journal, error) {
	statement, now, err := tally.Sum(ctx, s.Store, since, known)
	_, begun := s.Begin(ctx, quota.RunSpec{ID: rand.Text(), Max: 20, Process: quota.ThisProcess(), Attribution: Key{Name: "shop"}.attribution()}, nil)
	require.NoError(s.t, begun)
	return statement, now, err
}

// TestPageIsOfOneMoment: what happens between the look at the figures and that at the
// runs is in all of the page or in nothing of it, or the page would contradict itself.
func TestPageIsOfOneMoment(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	plain := g.gateway.ledger.Store
	g.gateway.ledger.Store = moving{plain, t}
	look := func() string {
		g.gateway.next = time.Time{}
		w := httptest.NewRecorder()
		g.gateway.Operations().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		require.Equal(t, 200, w.Code)
		return w.Body.String()
	}
	first, second := look(), look()
	g.gateway.ledger.Store = plain
	for page, says := range map[string][]string{
		first:  {"100 of 100 units are left for ordinary runs.", `<div id="left"><dt>left</dt><dd>100</dd>`, "100 of 100 granted units are left", `<td data-of="held">0</td><td data-of="left">50</td>`, `value="0"`},
		second: {"80 of 100 units are left for ordinary runs.", `<div id="left"><dt>left</dt><dd>80</dd>`, "80 of 100 granted units are left", `<td data-of="held">20</td><td data-of="left">30</td>`, `value="20"`},
	} {
		for _, text := range says {
			assert.Contains(t, page, text)
		}
	}
	assert.NotContains(t, first, `id="runs"`, "there was no run yet")
	assert.Equal(t, 1, strings.Count(second, `<td data-of="state">active</td>`))
}

// dumb is a ledger that can't be summed up, and in which a run begins between the looks at
// its figures.
type dumb struct {
	quota.Store
	begins *int
}

func (s dumb) Statement(context.Context, time.Time) (quota.Statement, error) {
	return quota.Statement{}, errors.New("too much to read")
}

func (s dumb) Runs(ctx context.Context, limit int) ([]quota.RunInfo, error) {
	if *s.begins--; *s.begins >= 0 {
		if _, err := s.Begin(ctx, quota.RunSpec{ID: rand.Text(), Max: 20, Process: quota.ThisProcess(), Attribution: Key{Name: "shop"}.attribution()}, nil); err != nil {
			return nil, err
		}
	}
	return s.Store.Runs(ctx, limit)
}

// TestPageWithoutASum has the figures and the runs of one moment, or says that it can't.
func TestPageWithoutASum(t *testing.T) {
	g := newTeam(t, 1000, 4, map[string]int64{"shop": 500})
	plain := g.gateway.ledger.Store
	begins := 1
	g.gateway.ledger.Store = dumb{plain, &begins}
	l, err := g.gateway.look(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 20, l.Status.Held)
	require.Len(t, l.runs, 1)
	assert.EqualValues(t, 20, l.runs[0].Held())
	begins = 100
	g.gateway.next = time.Now().Add(time.Hour)
	for range 2 {
		again, err := g.gateway.look(t.Context())
		require.NoError(t, err)
		assert.Same(t, l, again, "many readers read the ledger no more often than one")
	}
	w := httptest.NewRecorder()
	g.gateway.Operations().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Contains(t, w.Body.String(), "no sentence and no charts: the ledger could not be summed up")
	g.gateway.next = time.Time{}
	_, err = g.gateway.look(t.Context())
	require.ErrorContains(t, err, "changes too fast")
	assert.Nil(t, g.gateway.seen, "an error is not kept")
	g.gateway.ledger.Store = plain
}

// left is a ledger whose reader goes away while it is summed up.
type left struct {
	quota.Store
	leave func()
}

func (s left) Sum(ctx context.Context, since time.Time, known *tally.Journal) (quota.Statement, *tally.Journal, error) {
	s.leave()
	return tally.Sum(ctx, s.Store, since, known)
}

// TestReaderWhoLeavesTakesNothingAway: what was summed up is there for the next one.
func TestReaderWhoLeavesTakesNothingAway(t *testing.T) {
	g := newTeam(t, 1000, 4, map[string]int64{"shop": 500})
	plain := g.gateway.ledger.Store
	ctx, leave := context.WithCancel(t.Context())
	g.gateway.ledger.Store = left{plain, leave}
	l, err := g.gateway.look(ctx)
	require.NoError(t, err)
	assert.NotNil(t, l.Budget)
	assert.NotNil(t, g.gateway.known)
	assert.Positive(t, g.gateway.next.Sub(l.At), "the next one waits for a while")
	g.gateway.ledger.Store = plain
}

// slow is a ledger that is summed up when it may be, and takes a second to stop.
type slow struct {
	quota.Store
	may     chan struct{}
	stopped *bool
}

func (s slow) Sum(ctx context.Context, since time.Time, known *tally.Journal) (quota.Statement, *tally.Journal, error) {
	select {
	case <-s.may:
	case <-ctx.Done():
		<-time.After(time.Second)
		*s.stopped = true
		return quota.Statement{}, nil, ctx.Err()
	}
	return tally.Sum(ctx, s.Store, since, known)
}

// TestSumThatTakesLong is waited for by nobody, and there in the end.
func TestSumThatTakesLong(t *testing.T) {
	g := newTeam(t, 1000, 4, map[string]int64{"shop": 500})
	plain := g.gateway.ledger.Store
	synctest.Test(t, func(t *testing.T) {
		store := slow{plain, make(chan struct{}), new(bool)}
		g.gateway.ledger.Store = store
		look := func() (*look, time.Duration) {
			begun := time.Now()
			l, err := g.gateway.look(t.Context())
			require.NoError(t, err)
			return l, time.Since(begun)
		}
		for range 30 {
			l, took := look()
			assert.Nil(t, l.Budget)
			assert.EqualValues(t, 1000, l.Status.Granted)
			assert.Equal(t, time.Second, took)
			l, took = look()
			assert.Nil(t, l.Budget)
			assert.Zero(t, took, "one reader waits for it at a time")
			<-time.After(time.Second)
		}
		close(store.may)
		l, took := look()
		assert.Zero(t, took)
		require.NotNil(t, l.Budget, "a minute later it is there")
		assert.Equal(t, time.Minute, time.Since(l.At))
		assert.Len(t, l.Charts, 2)
		assert.Equal(t, workOf*time.Minute, time.Until(g.gateway.next), "what took a minute is not made all the time")
		again, _ := look()
		assert.Same(t, l, again)
		<-time.After(time.Hour)
		store.may = make(chan struct{})
		g.gateway.ledger.Store = store
		l, _ = look()
		assert.Nil(t, l.Budget)
		<-time.After(10 * time.Second)
		close(store.may)
		<-time.After(time.Hour)
		l, took = look()
		assert.Zero(t, took)
		assert.Equal(t, time.Now(), l.At, "a sum that nobody looked at for an hour is not shown as the latest")
		<-time.After(time.Second)
		store.may = make(chan struct{})
		g.gateway.ledger.Store = store
		_, took = look()
		assert.Equal(t, time.Second, took, "and made anew")
		begun := time.Now()
		g.gateway.stopLooking()
		assert.True(t, *store.stopped, "nobody reads a ledger that is closed")
		assert.Equal(t, time.Second, time.Since(begun), "nor waits for all of a sum")
		l, _ = look()
		assert.Nil(t, l.Budget)
	})
	g.gateway.ledger.Store = plain
}
