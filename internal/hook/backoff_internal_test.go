package hook

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestHooksAreLeftAlone for longer each time, whatever number of tries a ledger has.
func TestHooksAreLeftAlone(t *testing.T) {
	t.Parallel()
	for tries, want := range map[int64]time.Duration{-1 << 63: time.Second, -1: time.Second, 0: time.Second, 1: 2 * time.Second, 12: maxWait, maxTries - 1: never, 1<<63 - 1: never} {
		assert.Equal(t, want, backoff(tries, nil), tries)
	}
	assert.Equal(t, time.Minute, backoff(0, &Error{RetryAfter: time.Minute}))
}
