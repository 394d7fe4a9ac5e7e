package output_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/internal/pace"
)

// TestWaiting: one line says how long the wait is, and is wiped when none waits.
func TestWaiting(t *testing.T) {
	t.Parallel()
	assert.Nil(t, output.Waiting(nil), "nobody watches")
	var terminal bytes.Buffer
	tell := output.Waiting(&terminal)
	tell(pace.Progress{Requests: 1, Runs: 2, Wait: 4 * time.Second})
	tell(pace.Progress{Requests: 3, Wait: time.Minute, Pause: pace.Pause{Until: time.Now(), Why: "429"}})
	tell(pace.Progress{})
	assert.Equal(t, "\r\x1b[Kwaits for its turn: 4s, 2 other runs first"+
		"\r\x1b[K3 requests wait for their turn: the first 1m0s, 0 other runs first, the account is paused"+
		"\r\x1b[K", terminal.String())
}
