package quotatest

import (
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/pace"
)

// Window judges requests as a strict service does: by a window that slides, at the
// times at which they come in. It is safe for concurrent use.
type Window struct {
	Rates []pace.Rate
	// Slack is by how much a window is taken for shorter than it is. Zero is strict: a
	// machine that runs all tests at once stalls for longer than a pace allows for.
	Slack time.Duration

	mu      sync.Mutex
	came    []time.Time
	refused int
}

// Come counts a request that comes in now, and tells whether it is to be answered 429.
func (w *Window) Come() (refused bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.came = append(w.came, time.Now())
	last := len(w.came) - 1
	for _, r := range w.Rates {
		if last >= r.Turns && w.came[last].Sub(w.came[last-r.Turns]) < r.Per-w.Slack {
			refused = true
		}
	}
	if refused {
		w.refused++
	}
	return refused
}

// Judged is how many requests came in, how many of them were too many, and how long it
// was from the first to the last.
func (w *Window) Judged() (came, refused int, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.came); n > 0 {
		took = w.came[n-1].Sub(w.came[0])
	}
	return len(w.came), w.refused, took
}
