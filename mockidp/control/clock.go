package control

import (
	"fmt"
	"sync/atomic"
	"time"
)

// maxAdvance is how far a [Clock] may be from its base in all, either way: 100 years
// of 365 days. Beyond 292 the time itself would wrap.
const maxAdvance = 100 * 365 * 24 * time.Hour

// Clock tells the time to a mock and can be moved. The zero Clock, and a nil
// one, tell the real time. It is safe for concurrent use.
type Clock struct {
	offset atomic.Int64 // nanoseconds
	base   func() time.Time
}

// NewClock returns a clock that starts at now and runs on from there. A nil
// now means time.Now.
func NewClock(now func() time.Time) *Clock { return &Clock{base: now} }

// Now is the base time plus everything that [Clock.Advance] added.
func (c *Clock) Now() time.Time {
	if c == nil {
		return time.Now()
	}
	now := time.Now
	if c.base != nil {
		now = c.base
	}
	return now().Add(time.Duration(c.offset.Load()))
}

// Advance moves the clock forward by d, or back when d is negative. One that would
// be more than 100 years away from its base then is an error, and stays where it is.
func (c *Clock) Advance(d time.Duration) error {
	for {
		from := c.offset.Load()
		// Both are far below the ends of an int64 before they are added.
		if d > 2*maxAdvance || d < -2*maxAdvance || from+int64(d) > int64(maxAdvance) || from+int64(d) < -int64(maxAdvance) {
			return fmt.Errorf("the clock is %s away from the real time, and %s more would take it further than it may be, %s (100 years)", time.Duration(from), d, maxAdvance)
		}
		if c.offset.CompareAndSwap(from, from+int64(d)) {
			return nil
		}
	}
}

// Offset is how far the clock has been moved in all.
func (c *Clock) Offset() time.Duration {
	if c == nil {
		return 0
	}
	return time.Duration(c.offset.Load())
}
