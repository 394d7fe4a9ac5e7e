package guard_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/quotatest"
)

// TestRequestsWaitTheirTurn: a service that counts strictly refuses none, whatever
// number of requests comes at once, and each is one spend. It takes two seconds of the
// clock, which the service counts by, too.
func TestRequestsWaitTheirTurn(t *testing.T) {
	t.Parallel()
	window := quotatest.Window{Rates: pace.ParseAll([]string{"8/1s"}), Slack: 400 * time.Millisecond}
	l := newLive(t, liveConfig{Rate: "8/1s", API: func(w http.ResponseWriter, _ *http.Request) {
		if window.Come() {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { assert.Equal(t, http.StatusOK, l.post(hints).Code) })
	}
	all.Wait()
	came, refused, took := window.Judged()
	t.Logf("%d requests in %s, %d refused", came, took.Round(time.Millisecond), refused)
	assert.Equal(t, 20, came)
	assert.Zero(t, refused)
	assert.Equal(t, 20, l.spent())
}

// TestTooManyRequestsPauseTheAccount: with a rate the answer is the client's, counts,
// and the run goes on when the pause is over.
func TestTooManyRequestsPauseTheAccount(t *testing.T) {
	t.Parallel()
	var l *live
	l = newLive(t, liveConfig{Rate: "100/1s", API: func(w http.ResponseWriter, _ *http.Request) {
		if l.counted.Load() == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}})
	rec := l.post(hints)
	answered := time.Now()
	assert.Equal(t, http.StatusTooManyRequests, rec.Code)
	assert.Equal(t, "1", rec.Header().Get("Retry-After"))
	state, err := l.store.(pace.Keeper).Pace(t.Context())
	assert.NoError(t, err)
	assert.Equal(t, "the sandbox answered 429 with Retry-After 1s", state.Pause.Why)
	assert.Equal(t, http.StatusOK, l.post(hints).Code)
	assert.GreaterOrEqual(t, time.Since(answered), 900*time.Millisecond)
	verdict, _ := l.guard.Verdict()
	assert.Empty(t, verdict, "the run goes on")
	assert.Equal(t, 2, l.spent())
}

// TestTooManyRequestsThatStop: one that does not say until when, and one that means that
// nothing is left, stop the run with a rate, too.
func TestTooManyRequestsThatStop(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		after, body string
		verdict     guard.Verdict
	}{
		"no time":   {"", "", guard.Stopped},
		"nonsense":  {"soon", "", guard.Stopped},
		"exhausted": {"1", `{"error":{"details":[{"number":1715}]}}`, guard.Blocked},
	} {
		l := newLive(t, liveConfig{Rate: "100/1s", API: func(w http.ResponseWriter, _ *http.Request) {
			if tt.after != "" {
				w.Header().Set("Retry-After", tt.after)
			}
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(tt.body))
		}})
		assert.Equal(t, http.StatusTooManyRequests, l.post(hints).Code, name)
		l.refused(l.post(hints), tt.verdict)
		verdict, _ := l.guard.Verdict()
		assert.Equal(t, tt.verdict, verdict, name)
		assert.Equal(t, 1, l.spent(), name)
	}
}

// TestWaitThatIsTooLong: what would wait longer than it may is refused before
// anything is spent.
func TestWaitThatIsTooLong(t *testing.T) {
	t.Parallel()
	l := newLive(t, liveConfig{Rate: "1/1h", MaxWait: time.Minute})
	assert.Equal(t, http.StatusOK, l.post(hints).Code)
	hurried, cancel := context.WithTimeout(t.Context(), 20*time.Second) // one that waits after all is a failure
	defer cancel()
	for range 2 {
		rec := l.do(l.request(http.MethodPost, hints, `{"a":1}`).WithContext(hurried))
		l.refused(rec, guard.Blocked)
		assert.Regexp(t, "the request would wait (59m|1h0m)", rec.Body.String())
		assert.Contains(t, rec.Body.String(), "and may wait 1m0s")
		assert.Contains(t, rec.Body.String(), `"max_wait_seconds":60`)
		assert.Regexp(t, `"command":"repeat with --max-wait 6[01]m`, rec.Body.String())
	}
	verdict, _ := l.guard.Verdict()
	assert.Equal(t, guard.Blocked, verdict)
	state, err := l.store.(pace.Keeper).Pace(t.Context())
	assert.NoError(t, err)
	assert.Empty(t, state.Waiting)
	assert.EqualValues(t, 1, l.counted.Load())
	assert.Equal(t, 1, l.spent())
}

// TestStrangersAreToldHowLongTheyWouldWait: who can type no command here.
func TestStrangersAreToldHowLongTheyWouldWait(t *testing.T) {
	t.Parallel()
	l := newLive(t, liveConfig{Rate: "1/1h", MaxWait: time.Minute, Strangers: true})
	assert.Equal(t, http.StatusOK, l.post(hints).Code)
	rec := l.post(hints)
	l.refused(rec, guard.Blocked)
	assert.Regexp(t, "ask again later, or whoever runs this server gives it a max-wait of 6[01]m", rec.Body.String())
	assert.Contains(t, rec.Body.String(), `"max_wait_seconds":60`)
	assert.NotContains(t, rec.Body.String(), `"command"`)
	assert.Equal(t, 1, l.spent())
}

// waits has a request wait for its turn, in a ledger that says so.
func waits(ctx context.Context, t *testing.T, l *live) <-chan *httptest.ResponseRecorder {
	t.Helper()
	assert.Equal(t, http.StatusOK, l.post(hints).Code)
	answer := make(chan *httptest.ResponseRecorder, 1)
	go func() { answer <- l.do(l.request(http.MethodPost, hints, `{"a":2}`).WithContext(ctx)) }()
	assert.Eventually(t, func() bool {
		state, err := l.store.(pace.Keeper).Pace(context.Background())
		return err == nil && len(state.Waiting) == 1
	}, 10*time.Second, time.Millisecond)
	return answer
}

// TestWaitEndsWithItsReason: who hangs up, and a run that ends or is stopped, leave no
// request waiting, and it cost nothing.
func TestWaitEndsWithItsReason(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end     func(l *live, hangUp func())
		verdict guard.Verdict
	}{
		"hangs up": {func(_ *live, hangUp func()) { hangUp() }, guard.Cancelled},
		"ends":     {func(l *live, _ func()) { assert.NoError(l.t, l.purchase.Drain(context.Background())) }, guard.Blocked},
	} {
		l := newLive(t, liveConfig{Rate: "1/1h"})
		ctx, cancel := context.WithCancel(t.Context())
		answer := waits(ctx, t, l)
		tt.end(l, cancel)
		l.refused(<-answer, tt.verdict)
		cancel()
		state, err := l.store.(pace.Keeper).Pace(t.Context())
		assert.NoError(t, err)
		assert.Empty(t, state.Waiting, name)
		assert.Equal(t, 1, l.spent(), name)
	}
}
