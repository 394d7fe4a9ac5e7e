package guard_test

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// A command may end while a request of its own is under way: what that buys is
// recorded all the same, and nothing is bought after it.
func TestDrainWaitsForWhatIsPaidFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-goOn
		text(200, answer)(w, r)
	}})
	release := sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(release)
	client, hangUp := context.WithCancel(t.Context())
	go l.do(l.request(http.MethodPost, hints, asked).WithContext(client))
	<-arrived
	hangUp()

	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err := l.purchase.Drain(soon)
	require.ErrorIs(t, err, context.DeadlineExceeded, "it is under way")
	assert.Contains(t, err.Error(), "for 1 requests that were sent and not answered: their units count")
	assert.NotContains(t, err.Error(), "deadline")
	l.refused(l.post(avalara.PathClassify), guard.Blocked)
	drained := make(chan error)
	go func() { drained <- l.purchase.Drain(t.Context()) }()
	release()
	require.NoError(t, <-drained)
	assert.Len(t, files(t, dir), 1, "its answer is on disk")
	assert.EqualValues(t, 1, l.counted.Load())
	assert.Equal(t, []string{"s1 spend 1", "s1 answered 200"}, l.journal(), "and settled")
	require.NoError(t, l.purchase.Drain(t.Context()), "again is no error")
}
