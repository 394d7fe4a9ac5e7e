//go:build unix

package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
)

// TestServerRestartsWhileAFleetBuys restarts the server again and again, each time when some
// more was bought, as a package that is brought up to date does, and as one that was in a
// hurry. Whoever can't ask meanwhile buys nothing; what was bought is shared once the server
// is back, so no answer is bought twice, and no unit that was taken is not counted.
func TestServerRestartsWhileAFleetBuys(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]pgtest.Shutdown{"fast": pgtest.Fast, "immediate": pgtest.Immediate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.Private(t)
			f := newFleetOn(t, server.Database(t), 3, *fleetQuestions)
			var all sync.WaitGroup
			for n := range f.dirs {
				all.Go(func() {
					for range 50 { // a run that could not begin or end ends with the server
						if f.ask(n, "record").Run() == nil {
							return
						}
					}
					t.Errorf("machine %d never came to its end", n)
				})
			}
			done := make(chan struct{})
			go func() { all.Wait(); close(done) }()
			restarts, last := 0, int64(0)
			for over := false; !over; {
				select {
				case <-done:
					over = true
				case <-time.After(20 * time.Millisecond):
					if now := f.served(); now >= last+2 && restarts < 8 {
						restarts, last = restarts+1, now
						server.Stop(how)
						server.Restart()
					}
				}
			}
			out, err := f.ask(0, "record").CombinedOutput()
			require.NoError(t, err, "%s", out)
			spent := f.spent()
			t.Logf("questions %d, restarts %d: bought by the sandbox's own count %d, by the ledger %d", *fleetQuestions, restarts, f.served(), spent)
			assert.Positive(t, restarts)
			assert.LessOrEqual(t, f.served(), spent, "the ledger knows of each")
			assert.EqualValues(t, *fleetQuestions, f.served(), "each answer is bought once")
			for n := range f.dirs {
				assert.Equal(t, *fleetQuestions, f.files(n))
			}
		})
	}
}
