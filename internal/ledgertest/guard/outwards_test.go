package guard_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

// unread fails the test if somebody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// TestNoBodyIsReadWithoutAToken: whoever has none can't make the guard hold bytes.
func TestNoBodyIsReadWithoutAToken(t *testing.T) {
	t.Parallel()
	l := newLive(t, liveConfig{API: text(200, answer)})
	for name, authorization := range map[string]string{
		"none": "", "junk": "Bearer x.y.z", "expired": "Bearer " + dummyToken(t, avalara.ScopeHSCode, l.now.Add(-2*time.Hour)),
		"another scope": "Bearer " + dummyToken(t, "other", l.now),
	} {
		r := l.request(http.MethodPost, hints, asked)
		r.Body = io.NopCloser(unread{t})
		r.Header.Set("Authorization", authorization)
		assert.Contains(t, []int{401, 403}, l.do(r).Code, name)
	}
	assert.Zero(t, l.counted.Load())
}

// TestStrangersAreNotToldOfThisMachine: what the ledger's errors name is for those who
// run the guard.
func TestStrangersAreNotToldOfThisMachine(t *testing.T) {
	t.Parallel()
	place := "postgres://ledger:***@db.internal:5432/units"
	holder := quota.Holder{ID: "r-1", Process: quota.Process{Host: "build-7.internal"}}
	for name, test := range map[string]struct {
		err     error
		verdict guard.Verdict
		told    string
	}{
		"no answer": {&quota.NoAnswerError{Ledger: place, Err: io.ErrUnexpectedEOF}, guard.LedgerUnavailable, "the ledger can't be asked"},
		"any error": {errors.New(place + ": too many connections"), guard.LedgerUnavailable, "the ledger can't be asked"},
		"moved": {
			&quota.BlockedError{Requested: 1, Granted: 7, Bar: quota.Bar{Reason: quota.Moved, From: place, To: place + "2"}, Refusals: []quota.Refusal{{Rule: "allowance"}}},
			guard.Blocked, "granted 7",
		},
		"barred": {&quota.BarredError{Bar: quota.Bar{Reason: quota.Moved, From: place, To: place + "2"}}, guard.Blocked, "the ledger does not allow this request"},
		"held":   {&quota.BlockedError{Requested: 1, Granted: 7, Holders: []quota.Holder{holder}, Refusals: []quota.Refusal{{Rule: "allowance"}}}, guard.Blocked, "granted 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			l := newLive(t, liveConfig{
				Strangers: true, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})),
				Store: func(s quota.Store) quota.Store { return &brokenStore{s, test.err} },
			})
			rec := l.post(hints)
			l.refused(rec, test.verdict)
			assert.Contains(t, rec.Body.String(), test.told)
			for _, private := range []string{"internal", "5432", "r-1"} {
				assert.NotContains(t, rec.Body.String(), private)
			}
			if name != "held" {
				assert.Contains(t, log.String(), "db.internal:5432", "who runs the guard finds it")
			}
			_, reason := l.guard.Verdict()
			assert.Equal(t, test.err.Error(), reason)
		})
	}

	l := newLive(t, liveConfig{Strangers: true, Mode: guard.Record, Max: 1, Recordings: t.TempDir(), API: text(200, answer)})
	require.Equal(t, 200, l.post(hints).Code)
	rec := l.do(l.request(http.MethodPost, hints, `{"description":"another"}`))
	l.refused(rec, guard.Blocked)
	assert.Contains(t, rec.Body.String(), `"max":1`, "what a caller can do something about is told")
}
