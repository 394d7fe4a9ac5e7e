package guard_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/share"
)

// oneAnswer is a share that has one answer of whatever is asked for, or can't be asked.
type oneAnswer struct {
	share.Store
	answer []byte
	fail   error
}

func (s oneAnswer) ShareClaim(context.Context, string) (func(), error) { return func() {}, nil }

func (s oneAnswer) ShareOf(_ context.Context, key string, _ time.Time) ([]share.Answer, error) {
	return []share.Answer{{Hash: share.Sum(s.answer), Key: key, State: "answer", Text: s.answer, Bytes: int64(len(s.answer))}}, s.fail
}

func (s oneAnswer) ShareRemoval(hash string) string { return "REMOVE " + hash }

// TestNothingIsBoughtThatTheShareMayHave: where the share can't be asked, or has the answer
// damaged, neither a run that records nor one that buys again sends anything, and the
// ledger knows of no spend.
func TestNothingIsBoughtThatTheShareMayHave(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		with oneAnswer
		want guard.Verdict
		says string
	}{
		"it can't be asked": {oneAnswer{fail: errors.New("connection refused")}, guard.LedgerUnavailable, "so nothing is bought: connection refused"},
		"a damaged row":     {oneAnswer{answer: []byte(`{"format": 1, "key": "cut o`)}, guard.RecordingDamaged, "the shared answer "},
	} {
		for _, mode := range []guard.Mode{guard.Record, guard.Live} {
			t.Run(name+", "+mode.String(), func(t *testing.T) {
				t.Parallel()
				store, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
				require.NoError(t, err)
				store.Share(recording.Sharing{With: c.with})
				l := newLive(t, liveConfig{Mode: mode, Cassette: guard.NewCassette(store, 0), API: text(200, answer)})
				for range 2 {
					rec := l.do(l.request(http.MethodPost, hints, asked))
					l.refused(rec, c.want)
					assert.Contains(t, rec.Body.String(), c.says)
				}
				assert.Zero(t, l.counted.Load())
				assert.Zero(t, l.tokens.Load(), "not even a token")
				assert.Zero(t, l.spent())
			})
		}
	}
}
