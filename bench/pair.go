package bench

import (
	"slices"
	"testing"
	"time"
)

// Pair measures ours and theirs in turn, so that whatever else the machine does
// strikes both, and reports the medians in ns and their ratio: below 1 ours is
// faster. Each is called to prepare one operation, which is not measured, and
// returns it. Pair must be all that a benchmark does after its set-up.
func Pair(b *testing.B, ours, theirs func() (operation func())) {
	b.Helper()
	ours()()
	theirs()() // both warm
	var us, them []time.Duration
	for b.Loop() {
		us = append(us, Timed(ours()))
		them = append(them, Timed(theirs()))
	}
	a, t := Median(us), Median(them)
	b.ReportMetric(0, "ns/op") // of both together, which means nothing
	b.ReportMetric(float64(a), "ours-ns")
	b.ReportMetric(float64(t), "theirs-ns")
	b.ReportMetric(float64(a)/float64(t), "ratio")
}

// Timed is how long f takes.
func Timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// Median is the middle of all, which it sorts. It must not be empty.
func Median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
