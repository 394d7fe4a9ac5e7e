//go:build unix

package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBackendsEndWhileAFleetBuys ends the server's processes of all connections again and
// again, whatever they are at: a claim, a look, a spend or the sharing of an answer. Whoever
// can't ask buys nothing, and no answer is bought twice.
func TestBackendsEndWhileAFleetBuys(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3, *fleetQuestions)
	var all sync.WaitGroup
	for n := range f.dirs {
		all.Go(func() {
			for range 20 { // a run whose connection ended at its begin ends with it
				if f.ask(n, "record").Run() == nil {
					return
				}
			}
			t.Errorf("machine %d never came to its end", n)
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	ends := 0
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-time.After(100 * time.Millisecond):
			if ends < 20 {
				ends++
				f.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hsharness' AND datname = current_database() AND pid <> pg_backend_pid()")
			}
		}
	}
	out, err := f.ask(0, "record").CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("questions %d, ends of all connections %d: bought by the sandbox's own count %d, by the ledger %d", *fleetQuestions, ends, f.served(), f.spent())
	assert.EqualValues(t, *fleetQuestions, f.served())
	assert.LessOrEqual(t, f.served(), f.spent())
}
