package recording_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// A queue is waited for as long as it moves on; who keeps the lock is waited for ten
// seconds, by all of a queue at once.
func TestWritersWaitWhileTheQueueMoves(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	k := s.Key(classify(`{"a":1}`))
	synctest.Test(t, func(t *testing.T) {
		unlock, err := s.LockWrite(t.Context(), k)
		require.NoError(t, err)
		began := time.Now()
		var queue sync.WaitGroup
		for range 5 {
			queue.Go(func() {
				unlock, err := s.LockWrite(t.Context(), k)
				if assert.NoError(t, err) {
					time.Sleep(6 * time.Second)
					unlock()
				}
			})
		}
		time.Sleep(6 * time.Second)
		unlock()
		queue.Wait()
		assert.Equal(t, 36*time.Second, time.Since(began))

		unlock, err = s.LockWrite(t.Context(), k)
		require.NoError(t, err)
		defer unlock()
		began = time.Now()
		for range 5 {
			queue.Go(func() {
				_, err := s.LockWrite(t.Context(), k)
				var held *recording.HeldError
				if assert.ErrorAs(t, err, &held) {
					assert.Equal(t, "this process itself", held.Holder)
				}
			})
		}
		queue.Wait()
		assert.Equal(t, 10*time.Second, time.Since(began))
	})
}
