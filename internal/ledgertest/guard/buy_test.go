package guard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

func TestSpendIsCommittedBeforeTheRequestArrives(t *testing.T) {
	var l *live
	var then []quota.Entry
	l = newLive(t, liveConfig{API: func(w http.ResponseWriter, r *http.Request) {
		other, err := sqlite.Open(r.Context(), sqlite.Config{Path: l.path}) // what another process sees
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = other.Close() }()
		for e, err := range other.Entries(r.Context(), 0) {
			assert.NoError(t, err)
			then = append(then, e)
		}
		_, _ = w.Write([]byte("paid"))
	}})
	r := l.request(http.MethodPost, hints, `{}`)
	r.Header.Set(guard.TestHeader, "TestHints")
	rec := l.do(r)
	assert.Equal(t, 200, rec.Code)
	assert.Equal(t, "paid", rec.Body.String())

	require.NotEmpty(t, then)
	spend := then[len(then)-1]
	assert.Equal(t, quota.KindSpend, spend.Kind, "the latest entry when the request arrived")
	assert.Equal(t, int64(1), spend.Units)
	assert.Equal(t, "POST /hscode/hints", spend.Operation, "and not the row of the price list")
	assert.Equal(t, "TestHints", spend.Test)

	assert.Equal(t, []string{"s1 spend 1", "s1 answered 200"}, l.journal())
	for e, err := range l.store.Entries(t.Context(), spend.Seq) {
		require.NoError(t, err)
		if e.Kind == quota.KindSettle {
			assert.Equal(t, int64(4), e.Bytes)
			assert.GreaterOrEqual(t, e.DurationMS, int64(0))
		}
	}
	assert.Equal(t, guard.Tally{Requests: 1, Bought: 1, Price: 1, Paid: 1}, l.guard.Tally())
	verdict, reason := l.guard.Verdict()
	assert.Empty(t, verdict, reason)
}

func TestCapStopsTheNextRequest(t *testing.T) {
	l := newLive(t, liveConfig{Max: 2})
	assert.Equal(t, 200, l.post(hints).Code)
	assert.Equal(t, 200, l.post(hints).Code)
	rec := l.post(hints)
	l.refused(rec, guard.Blocked)
	assert.JSONEq(t, `{
		"type": "urn:hsharness:blocked",
		"title": "the ledger does not allow this request",
		"status": 424,
		"detail": "run r1 may spend 2 and has spent 2: 1 more is too much",
		"units": 1,
		"numbers": {"requested": 1, "max": 2, "spent": 2},
		"command": "repeat with a larger --max-spend",
		"verdict": "blocked"
	}`, rec.Body.String())
	assert.EqualValues(t, 2, l.counted.Load())
	assert.Equal(t, 2, l.spent())
	verdict, reason := l.guard.Verdict()
	assert.Equal(t, guard.Blocked, verdict)
	assert.Contains(t, reason, "may spend 2")
}

func TestCapHoldsForManyAtOnce(t *testing.T) {
	l := newLive(t, liveConfig{Max: 7})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { l.post(hints) })
	}
	group.Wait()
	assert.EqualValues(t, 7, l.counted.Load())
	assert.Equal(t, 7, l.spent())
	assert.Equal(t, guard.Tally{Requests: 20, Bought: 7, Refused: 13, Price: 7, Paid: 7}, l.guard.Tally())
	assert.EqualValues(t, 1, l.tokens.Load(), "one token for all")
}

func TestBatchThatDoesNotFitIsNotSent(t *testing.T) {
	l := newLive(t, liveConfig{Max: 2})
	l.refused(l.do(l.request(http.MethodPost, avalara.PathClassifyFromHS6, `{"items":[1,2,3]}`)), guard.Blocked)
	assert.Equal(t, 200, l.do(l.request(http.MethodPost, avalara.PathClassifyFromHS6, `{"items":[1,2]}`)).Code)
	assert.EqualValues(t, 1, l.counted.Load())
	assert.Equal(t, 2, l.spent())
}

func TestRequestWithoutAPriceIsNotSent(t *testing.T) {
	for name, r := range map[string]struct{ method, path, body, says string }{
		"unknown operation":     {"POST", "/v3/classify", `{}`, `match: \"POST /v3/classify\"`},
		"another method":        {"PUT", hints, `{}`, "PUT /hscode/hints"},
		"uncountable body":      {"POST", avalara.PathClassifyFromHS6, `{}`, "nothing there"},
		"slashes that merge":    {"POST", "/hscode//classify_from_hs6", `{"items":[1,2]}`, "no operation rule"},
		"dots that resolve":     {"POST", "/hscode/x/../classify_from_hs6", `{"items":[1,2]}`, "no operation rule"},
		"letters of other case": {"POST", "/hscode/Classify_From_HS6", `{"items":[1,2]}`, "no operation rule"},
		"a parameter":           {"POST", "/hscode/classify_from_hs6;x=1", `{"items":[1,2]}`, `match: \"POST /hscode/classify_from_hs6;x=1\", cost: 1, items: /items`},
		"a space":               {"POST", "/hscode/classify_from_hs6%20", `{"items":[1,2]}`, `match: \"POST /hscode/classify_from_hs6%20\", cost: 1, items: /items`},
		"an escaped escape":     {"POST", "/hscode/classify%255ffrom_hs6", `{"items":[1,2]}`, "another spelling of POST /hscode/classify_from_hs6"},
	} {
		l := newLive(t, liveConfig{})
		rec := l.do(l.request(r.method, r.path, r.body))
		l.refused(rec, guard.Policy)
		assert.Contains(t, rec.Body.String(), r.says, name)
		assert.Zero(t, l.counted.Load(), name)
		assert.Zero(t, l.tokens.Load(), name)
		assert.Empty(t, l.journal(), name)
		verdict, _ := l.guard.Verdict()
		assert.Equal(t, guard.Policy, verdict, name)
	}
}

func TestProductionIsNeverCalled(t *testing.T) {
	l := newLive(t, liveConfig{})
	rec := httptest.NewRecorder()
	l.guard.Handler(avalara.Production, avalara.Current).ServeHTTP(rec, l.request(http.MethodPost, hints, `{}`))
	l.refused(rec, guard.Policy)
	assert.Contains(t, rec.Body.String(), "hscode.api.avalara.com is production")
	assert.Zero(t, l.counted.Load())
	assert.Empty(t, l.journal())
}

func TestUnknownHostIsNotCalled(t *testing.T) {
	l := newLive(t, liveConfig{})
	r := l.request(http.MethodPost, hints, `{}`)
	r.Header.Set("Authorization", "Bearer "+dummyToken(t, avalara.ScopeAvaTax, l.now))
	rec := httptest.NewRecorder()
	l.guard.Handler(avalara.Sandbox, avalara.Legacy).ServeHTTP(rec, r)
	l.refused(rec, guard.NoHost)
	assert.Contains(t, rec.Body.String(), "environments.sandbox.legacy_api_url")
	assert.Empty(t, l.journal())
}

func TestBadDummyTokenBuysNothing(t *testing.T) {
	l := newLive(t, liveConfig{})
	r := l.request(http.MethodPost, hints, `{}`)
	r.Header.Set("Authorization", "Bearer real-1")
	rec := l.do(r)
	assert.Equal(t, 401, rec.Code)
	assert.Empty(t, rec.Header().Get(guard.VerdictHeader), "it is what the API would answer")
	assert.Zero(t, l.counted.Load()+l.tokens.Load())
	assert.Empty(t, l.journal())
}

// brokenStore refuses to write a spend.
type brokenStore struct {
	quota.Store
	err error
}

func (s *brokenStore) Spend(context.Context, quota.SpendSpec, ...quota.Settlement) (quota.Entry, error) {
	return quota.Entry{}, s.err
}

func TestNothingIsSentWithoutALedger(t *testing.T) {
	for name, err := range map[string]error{"poisoned": quota.ErrPoisoned, "closed": quota.ErrClosed, "any other error": errors.New("disk full")} {
		l := newLive(t, liveConfig{Store: func(s quota.Store) quota.Store { return &brokenStore{s, err} }})
		for range 2 {
			rec := l.post(hints)
			l.refused(rec, guard.LedgerUnavailable)
			assert.Contains(t, rec.Body.String(), err.Error(), name)
			assert.Contains(t, rec.Body.String(), `"command":"`+hint.For(&guard.Refusal{Verdict: guard.LedgerUnavailable, Err: err})+`"`, name)
		}
		assert.Zero(t, l.counted.Load(), name)
		verdict, _ := l.guard.Verdict()
		assert.Equal(t, guard.LedgerUnavailable, verdict, name)
	}
}

// deafStore loses the word of a spend that it wrote, as a connection does that breaks.
type deafStore struct {
	quota.Store
	deaf *atomic.Bool
}

func (s deafStore) Spend(ctx context.Context, spec quota.SpendSpec, settled ...quota.Settlement) (quota.Entry, error) {
	e, err := s.Store.Spend(ctx, spec, settled...)
	if err == nil && s.deaf.Load() {
		return quota.Entry{}, quota.ErrUnreachable
	}
	return e, err
}

// TestSpendWhoseWordWasLostIsGivenBack: nothing was sent, so the counts agree in the end.
func TestSpendWhoseWordWasLostIsGivenBack(t *testing.T) {
	var deaf atomic.Bool
	l := newLive(t, liveConfig{Store: func(s quota.Store) quota.Store { return deafStore{s, &deaf} }})
	deaf.Store(true)
	for range 2 {
		l.refused(l.post(hints), guard.LedgerUnavailable)
	}
	assert.Zero(t, l.counted.Load())
	deaf.Store(false)
	require.Equal(t, 200, l.post(hints).Code)
	l.end()
	assert.Equal(t, []string{"s1 spend 1", "s1 refund: no connection", "s2 spend 1", "s2 refund: no connection", "s3 spend 1", "s3 answered 200"}, l.journal())
	assert.Equal(t, 1, l.spent())
	assert.EqualValues(t, 1, l.counted.Load())
}

// TestSpendOfSomebodyElseIsNotGivenBack: a ledger that knows the id of a spend already may
// know it of somebody who sent it.
func TestSpendOfSomebodyElseIsNotGivenBack(t *testing.T) {
	for _, operation := range []string{"POST " + hints, "POST /other"} {
		l := newLive(t, liveConfig{})
		_, err := l.run.Spend(t.Context(), quota.SpendSpec{ID: "s1", Units: 1, Operation: operation})
		require.NoError(t, err)
		l.refused(l.post(hints), guard.LedgerUnavailable)
		l.end()
		assert.Equal(t, []string{"s1 spend 1", "s1 unknown 0"}, l.journal())
		assert.Equal(t, 1, l.spent())
	}
}

// TestWhatCostsNothingIsASpendOfNothing: it needs no hold, and a run that may
// still spend.
func TestWhatCostsNothingIsASpendOfNothing(t *testing.T) {
	l := newLive(t, liveConfig{Max: 1})
	free := func() *httptest.ResponseRecorder { return l.do(l.request(http.MethodGet, managedGet, "")) }
	assert.Equal(t, 200, free().Code)
	assert.Equal(t, 200, l.post(hints).Code)
	assert.Equal(t, 200, free().Code, "the hold is used up")
	l.refused(l.post(hints), guard.Blocked)
	assert.Equal(t, guard.Tally{Requests: 4, Bought: 3, Refused: 1, Price: 1, Paid: 1}, l.guard.Tally())
	assert.Equal(t, []string{"s1 spend 0", "s1 answered 200", "s2 spend 1", "s2 answered 200", "s3 spend 0", "s3 answered 200"}, l.journal())
	assert.Equal(t, 1, l.spent())

	l.refused(free(), guard.Blocked) // the run is over
	assert.EqualValues(t, 3, l.counted.Load())
}

// TestNothingIsSentWithoutALedgerThoughItCostsNothing: not even for a token.
func TestNothingIsSentWithoutALedgerThoughItCostsNothing(t *testing.T) {
	for name, err := range map[string]error{"poisoned": quota.ErrPoisoned, "closed": quota.ErrClosed, "any other error": errors.New("disk full")} {
		l := newLive(t, liveConfig{Store: func(s quota.Store) quota.Store { return &brokenStore{s, err} }})
		l.refused(l.do(l.request(http.MethodGet, managedGet, "")), guard.LedgerUnavailable)
		assert.Zero(t, l.counted.Load(), name)
		verdict, _ := l.guard.Verdict()
		assert.Equal(t, guard.LedgerUnavailable, verdict, name)
	}
	l := newLive(t, liveConfig{})
	require.NoError(t, l.store.Close())
	l.refused(l.do(l.request(http.MethodGet, managedGet, "")), guard.LedgerUnavailable)
	assert.Zero(t, l.counted.Load()+l.tokens.Load())
	l.ended = true // it can't be
}

func TestExpiredRunSendsNothingThoughItCostsNothing(t *testing.T) {
	l := newLive(t, liveConfig{})
	require.Equal(t, 200, l.do(l.request(http.MethodGet, managedGet, "")).Code)
	_, err := l.store.End(t.Context(), "r1", quota.Counters{}) // by somebody else
	require.NoError(t, err)
	l.refused(l.do(l.request(http.MethodGet, managedGet, "")), guard.Blocked)
	assert.EqualValues(t, 1, l.counted.Load())
}

func TestClosedLedgerSendsNothing(t *testing.T) {
	l := newLive(t, liveConfig{})
	require.NoError(t, l.store.Close())
	l.refused(l.post(hints), guard.LedgerUnavailable)
	assert.Zero(t, l.counted.Load()+l.tokens.Load())
	l.ended = true // it can't be
	_, err := l.run.End(t.Context(), quota.Counters{})
	assert.ErrorIs(t, err, quota.ErrClosed)
}

// hangingMeter does not answer while it hangs.
type hangingMeter struct {
	guard.Meter
	hangs *atomic.Bool
}

func (m hangingMeter) Spend(ctx context.Context, spec quota.SpendSpec) (quota.Entry, error) {
	if !m.hangs.Load() {
		return m.Meter.Spend(ctx, spec)
	}
	<-ctx.Done()
	return quota.Entry{}, ctx.Err()
}

func (m hangingMeter) Check(ctx context.Context) error {
	if !m.hangs.Load() {
		return m.Meter.Check(ctx)
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestLedgerThatDoesNotAnswerInTimeSendsNothing(t *testing.T) {
	var hangs atomic.Bool
	l := newLive(t, liveConfig{Meter: func(m guard.Meter) guard.Meter { return hangingMeter{m, &hangs} }})
	require.Equal(t, 200, l.post(hints).Code, "and gets the token")
	hangs.Store(true)
	synctest.Test(t, func(*testing.T) { // in the bubble the ledger's ten seconds pass at once
		l.refused(l.post(hints), guard.LedgerUnavailable)
		l.refused(l.do(l.request(http.MethodGet, managedGet, "")), guard.LedgerUnavailable)
	})
	assert.EqualValues(t, 1, l.counted.Load(), "the first alone")

	l = newLive(t, liveConfig{Meter: func(m guard.Meter) guard.Meter { return hangingMeter{m, &hangs} }})
	synctest.Test(t, func(*testing.T) {
		l.refused(l.post(hints), guard.LedgerUnavailable)
	})
	assert.Zero(t, l.counted.Load()+l.tokens.Load())
}

func TestRefusedTokenIsRenewedOnceForASecondSpend(t *testing.T) {
	var seen []string
	l := newLive(t, liveConfig{API: func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		if len(seen) == 1 {
			w.WriteHeader(401)
		}
	}})
	assert.Equal(t, 200, l.post(hints).Code)
	assert.Equal(t, []string{"Bearer real-1", "Bearer real-2"}, seen)
	assert.Equal(t, []string{"s1 spend 1", "s1 answered 401", "s2 spend 1", "s2 answered 200"}, l.journal())
	tally := l.guard.Tally()
	assert.Equal(t, guard.Tally{Requests: 1, Bought: 1, Price: 1, Paid: 2, Resent: 1}, tally)
	assert.Zero(t, tally.Saved())
}

func TestTokenRefusedTwiceIsNotTriedAThirdTime(t *testing.T) {
	l := newLive(t, liveConfig{API: text(401, "no")})
	rec := l.post(hints)
	assert.Equal(t, 401, rec.Code)
	assert.Equal(t, "no", rec.Body.String(), "the client gets the API's answer")
	assert.EqualValues(t, 2, l.counted.Load())
	assert.EqualValues(t, 2, l.tokens.Load())

	// The next would be answered, and cost, the same: the run is stopped.
	l.refused(l.post(hints), guard.Stopped)
	assert.EqualValues(t, 2, l.counted.Load())
	assert.Equal(t, 2, l.spent())
	verdict, reason := l.guard.Verdict()
	assert.Equal(t, guard.Stopped, verdict)
	assert.Contains(t, reason, "answered 401")
}

// TestRequestIsSentAgainOnceInARun: later requests whose token is refused get that
// answer, as does one beside the first; a token that came after a refused one and
// is refused stops the run.
func TestRequestIsSentAgainOnceInARun(t *testing.T) {
	var mu sync.Mutex
	revoked := map[string]bool{"Bearer real-1": true}
	l := newLive(t, liveConfig{API: func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if revoked[r.Header.Get("Authorization")] {
			w.WriteHeader(401)
		}
	}})
	assert.Equal(t, 200, l.post(hints).Code)
	assert.Equal(t, 200, l.post(hints).Code)
	assert.EqualValues(t, 3, l.counted.Load())
	mu.Lock()
	revoked["Bearer real-2"] = true
	mu.Unlock()
	assert.Equal(t, 401, l.post(hints).Code)
	assert.EqualValues(t, 4, l.counted.Load(), "not sent again")
	l.refused(l.post(hints), guard.Stopped)
	assert.Equal(t, 4, l.spent())
}

// TestManyRefusedAtOnceAreSentAgainOnce: what a revoked token costs is one request
// more, however many carried it.
func TestManyRefusedAtOnceAreSentAgainOnce(t *testing.T) {
	const many = 8
	together := make(chan struct{})
	var first atomic.Int64
	l := newLive(t, liveConfig{API: func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer real-1" {
			return
		}
		if first.Add(1) == many {
			close(together)
		}
		<-together
		w.WriteHeader(401)
	}})
	var group sync.WaitGroup
	var good atomic.Int64
	for range many {
		group.Go(func() {
			if l.post(hints).Code == 200 {
				good.Add(1)
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, 1, good.Load())
	assert.EqualValues(t, many+1, l.counted.Load())
	assert.Equal(t, 200, l.post(hints).Code, "the run goes on with the fresh token")
	assert.Equal(t, many+2, l.spent())
}

func TestSecondAttemptNeedsAUnitToo(t *testing.T) {
	l := newLive(t, liveConfig{Max: 1, API: text(401, "")})
	l.refused(l.post(hints), guard.Blocked)
	assert.EqualValues(t, 1, l.counted.Load())
	assert.Equal(t, 1, l.spent())
}

func TestClientThatHangsUpBeforeTheSpendCostsNothing(t *testing.T) {
	l := newLive(t, liveConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.refused(l.do(l.request(http.MethodPost, hints, `{}`).WithContext(ctx)), guard.Cancelled)
	assert.Zero(t, l.counted.Load())
	assert.Empty(t, l.journal())
	verdict, _ := l.guard.Verdict()
	assert.Empty(t, verdict)
}

// signallingMeter tells when something was settled.
type signallingMeter struct {
	guard.Meter
	settled chan quota.Settlement
}

func (m signallingMeter) Settle(s quota.Settlement) error {
	err := m.Meter.Settle(s)
	m.settled <- s
	return err
}

func TestClientThatHangsUpDoesNotLoseTheAnswer(t *testing.T) {
	settled := make(chan quota.Settlement, 1)
	arrived, answer := make(chan struct{}), make(chan struct{})
	l := newLive(t, liveConfig{
		Meter: func(m guard.Meter) guard.Meter { return signallingMeter{m, settled} },
		API: func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-answer
			_, _ = w.Write([]byte("paid"))
		},
	})
	handled := make(chan struct{})
	handler := l.guard.Handler(avalara.Sandbox, avalara.Current)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(handled)
		context.AfterFunc(r.Context(), func() { close(answer) }) // not before the server noticed
		handler.ServeHTTP(w, r)
	}))
	defer front.Close()

	ctx, cancel := context.WithCancel(t.Context())
	r := l.request(http.MethodPost, hints, `{}`)
	out, err := http.NewRequestWithContext(ctx, r.Method, front.URL+hints, r.Body)
	require.NoError(t, err)
	out.Header = r.Header
	go func() {
		<-arrived
		cancel()
	}()
	_, err = http.DefaultClient.Do(out)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, quota.Answered, (<-settled).Outcome)
	<-handled
	assert.Equal(t, []string{"s1 spend 1", "s1 answered 200"}, l.journal())
}
