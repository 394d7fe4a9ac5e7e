package control

import (
	"sync/atomic"
	"time"
)

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

// Advance moves the clock forward by d, or back when d is negative.
func (c *Clock) Advance(d time.Duration) { c.offset.Add(int64(d)) }

// Offset is how far the clock has been moved in all.
func (c *Clock) Offset() time.Duration {
	if c == nil {
		return 0
	}
	return time.Duration(c.offset.Load())
}
