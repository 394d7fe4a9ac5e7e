package guard_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

func TestRefusingAnswerStopsTheRun(t *testing.T) {
	for _, status := range []int{403, 429} {
		l := newLive(t, liveConfig{API: func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(status)
				_, _ = w.Write([]byte("slow down"))
			}
		}})
		rec := l.post(hints)
		assert.Equal(t, status, rec.Code, "the answer is the client's")
		assert.Equal(t, "slow down", rec.Body.String())
		assert.Equal(t, "60", rec.Header().Get("Retry-After"))
		verdict, reason := l.guard.Verdict()
		assert.Equal(t, guard.Stopped, verdict, "even if no request follows")
		assert.Contains(t, reason, "stops the run")
		assert.ErrorIs(t, l.run.Err(), guard.ErrStopped)

		rec = l.post(hints)
		l.refused(rec, guard.Stopped)
		assert.Contains(t, rec.Body.String(), `"exhausted":false`)
		l.refused(l.do(l.request(http.MethodGet, managedGet, "")), guard.Stopped) // what is free, too
		assert.EqualValues(t, 1, l.counted.Load())
		assert.Equal(t, 1, l.spent())
		verdict, _ = l.guard.Verdict()
		assert.Equal(t, guard.Stopped, verdict)

		next, err := l.begin("r2", 1)
		require.NoError(t, err, "the run is stopped, not the allowance")
		_, err = next.End(t.Context(), quota.Counters{})
		require.NoError(t, err)
	}
}

func TestOtherFailuresDoNotStopTheRun(t *testing.T) {
	for _, status := range []int{400, 404, 500, 503} {
		l := newLive(t, liveConfig{API: text(status, `{"error":{"details":[{"number":1723}]}}`)})
		for range 2 {
			assert.Equal(t, status, l.post(hints).Code)
		}
		assert.Equal(t, 2, l.spent())
	}
}

func TestExhaustedAnswerBlocksAllFurtherRuns(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		rules  []guard.ExhaustedRule
	}{
		{name: "1715 in the envelope", status: 429, body: `{"error":{"code":"x","details":[{"number":3},{"number":1715}]}}`},
		{name: "1715 without its outer member", status: 400, body: `{"details":[{"code":"RequestLimitExceeded","number":1715}]}`},
		{name: "1715 in quotes", status: 400, body: `{"error":{"details":[{"number":"1715"}]}}`},
		{name: "402", status: 402},
		{name: "configured status", status: 418, rules: []guard.ExhaustedRule{{Status: 418}}},
		{name: "configured number", status: 403, body: `{"error":{"details":[{"number":600}]}}`, rules: []guard.ExhaustedRule{{Status: 403, Number: 600}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLive(t, liveConfig{API: text(tt.status, tt.body), Exhausted: tt.rules})
			assert.Equal(t, tt.status, l.post(hints).Code)
			rec := l.post(hints)
			l.refused(rec, guard.Blocked)
			assert.Contains(t, rec.Body.String(), `"command":"hsharness quota reconcile --observed N --note WHY"`)
			assert.EqualValues(t, 1, l.counted.Load())
			verdict, reason := l.guard.Verdict()
			assert.Equal(t, guard.Blocked, verdict)
			assert.Contains(t, reason, "exhausted")

			_, err := l.begin("r2", 1)
			var blocked *quota.BlockedError
			require.ErrorAs(t, err, &blocked)
			assert.Equal(t, "exhausted", blocked.Refusals[0].Rule)
			assert.Equal(t, 1, l.spent())
		})
	}
}

func TestNotExhausted(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		rules  []guard.ExhaustedRule
	}{
		{name: "a good answer that mentions the number", status: 200, body: `{"details":[{"number":1715}]}`},
		{name: "the number elsewhere", status: 400, body: `{"number":1715,"error":{"number":1715}}`},
		{name: "another status than the rule's", status: 400, body: `{"details":[{"number":600}]}`, rules: []guard.ExhaustedRule{{Status: 403, Number: 600}}},
		{name: "no rules", status: 402, rules: []guard.ExhaustedRule{}},
	}
	for _, tt := range tests {
		l := newLive(t, liveConfig{API: text(tt.status, tt.body), Exhausted: tt.rules, Max: 50})
		for range 2 {
			assert.Equal(t, tt.status, l.post(hints).Code, tt.name)
		}
		_, err := l.begin("r2", 1)
		assert.NoError(t, err, tt.name)
	}
}

func TestStatusStopsThoughTheBodyIsCut(t *testing.T) {
	l := newLive(t, liveConfig{API: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.WriteHeader(429)
	}})
	l.refused(l.post(hints), guard.UpstreamFailed)
	l.refused(l.post(hints), guard.Stopped)
	assert.Equal(t, []string{"s1 spend 1", "s1 unknown 429"}, l.journal())
}

// deafMeter can't be told that the allowance is exhausted.
type deafMeter struct{ guard.Meter }

func (deafMeter) Exhaust(context.Context, int, string) error { return errors.New("disk full") }

func TestExhaustedThoughTheLedgerCannotNoteIt(t *testing.T) {
	l := newLive(t, liveConfig{API: text(402, "none left"), Meter: func(m guard.Meter) guard.Meter { return deafMeter{m} }})
	assert.Equal(t, "none left", l.post(hints).Body.String())
	l.refused(l.post(hints), guard.Blocked)
	assert.EqualValues(t, 1, l.counted.Load())
}

func TestUnbilledStatusGivesTheUnitBack(t *testing.T) {
	l := newLive(t, liveConfig{Max: 1, API: text(503, ""), Unbilled: []int{503}})
	for range 3 {
		assert.Equal(t, 503, l.post(hints).Code)
	}
	assert.Zero(t, l.spent())
	assert.Equal(t, "s3 refund: unbilled status", l.journal()[5])
}

func TestExitIsOfTheGravest(t *testing.T) {
	l := newLive(t, liveConfig{Max: 1})
	l.post("/unknown")
	verdict, _ := l.guard.Verdict()
	assert.Equal(t, guard.Policy, verdict)
	l.post(hints)
	l.post(hints)
	verdict, reason := l.guard.Verdict()
	assert.Equal(t, guard.Blocked, verdict)
	assert.Contains(t, reason, "may spend 1")
}
