package guard

import (
	"fmt"
	"sync"
	"time"
)

// cassetteRun is what all cassettes of a run share.
type cassetteRun struct {
	mu     sync.Mutex
	used   map[string]bool // the keys that were answered
	kept   map[string]bool // the keys that were bought and recorded
	failed error           // an answer could not be recorded, so nothing more is bought
	// first is how long a run that goes on after a failure pauses, 0 for one that
	// does not; pause is the latest pause, which ends at resumes.
	first, pause time.Duration
	resumes      time.Time
}

// firstPause and longestPause are how long a run that goes on after failures leaves the
// recordings alone.
const (
	firstPause   = time.Minute
	longestPause = time.Hour
)

// Retrying is a cassette for a server, whose run has no end: after an answer could not be
// recorded nothing is bought for a minute, each time twice as long and an hour at
// most, and then the recordings are tried again. It must be called before the cassette is
// used.
func (t *Cassette) Retrying() *Cassette { return t.RetryingAfter(firstPause) }

// RetryingAfter is [Cassette.Retrying] with a first pause of its own.
func (t *Cassette) RetryingAfter(first time.Duration) *Cassette {
	t.run.first = first
	return t
}

// fail notes that an answer could not be recorded: see unkept. Without a cassette none
// is to be.
func (t *Cassette) fail(err error) {
	if t == nil {
		return
	}
	r := t.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		return // one that was under way when another failed
	}
	r.failed = err
	r.pause = max(r.first, min(2*r.pause, longestPause))
	r.resumes = time.Now().Add(r.pause)
}

// unkept refuses to buy after an answer of the run could not be recorded; nil if
// all could. Without a cassette nothing is to be.
func (t *Cassette) unkept(units int) *Refusal {
	if t == nil {
		return nil
	}
	r := t.run
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.failed == nil:
		return nil
	case r.first > 0:
		return unrecordable(units, fmt.Errorf("an answer could not be recorded, so nothing is bought until %s, when the recordings are tried again: %w",
			r.resumes.UTC().Format(time.RFC3339), r.failed))
	}
	return unrecordable(units, fmt.Errorf("an answer of this run could not be recorded, so nothing more is bought in it: %w", r.failed))
}

// due is the failure after which the recordings may be tried again, nil for none.
func (r *cassetteRun) due() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == 0 || time.Now().Before(r.resumes) {
		return nil
	}
	return r.failed
}

// forget lets purchases begin again after that failure, since the recordings could be
// written. A later one stands.
func (r *cassetteRun) forget(failure error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if failure != nil && r.failed == failure { //nolint:errorlint // the very same
		r.failed = nil
	}
}

// keep notes that an answer was recorded.
func (r *cassetteRun) keep(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[key], r.pause = true, 0
}

// vanished tells whether an answer that is not there was recorded in this run. A
// server goes on for so long that somebody may have meant to remove it.
func (r *cassetteRun) vanished(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first == 0 && r.kept[key]
}
