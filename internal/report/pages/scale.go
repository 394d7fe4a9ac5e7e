package pages

import (
	"fmt"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// scale is an axis of whole units.
type scale struct{ low, high, step int64 }

// maxSteps is how many steps an axis of units has at most, between zero and its end.
const maxSteps = 4

// newScale holds low and high, and zero. A unit can't be split, so no step is less
// than one.
func newScale(low, high int64) scale {
	low, high = min(low, 0), max(high, 0)
	s := scale{step: 1}
	for factors, n := []int64{2, 5, 10}, 0; (high-low+s.step-1)/s.step > maxSteps; n++ {
		s.step = factors[n%3]
		for range n / 3 {
			s.step *= 10
		}
	}
	s.high = max((high+s.step-1)/s.step, 1) * s.step
	s.low = -((-low + s.step - 1) / s.step) * s.step
	return s
}

// ticks are the units at which the axis has a line.
func (s scale) ticks() []int64 {
	var all []int64
	for n := s.low; n <= s.high; n += s.step {
		all = append(all, n)
	}
	return all
}

// label writes the units of a tick, which are round, in the room of a few letters.
func label(units int64) string {
	switch {
	case units%1_000_000 == 0 && units != 0:
		return fmt.Sprintf("%dM", units/1_000_000)
	case units%100_000 == 0 && (units > 1_000_000 || units < -1_000_000):
		return fmt.Sprintf("%.1fM", float64(units)/1_000_000)
	case units%1000 == 0 && (units >= 10_000 || units <= -10_000):
		return fmt.Sprintf("%dk", units/1000)
	}
	return fmt.Sprint(units)
}

// maxDays is how many days have a bar each. What took longer has one a month.
const maxDays = 90

// span is what one bar stands for: a day, or the days of a month.
type span struct {
	start time.Time
	quota.Tally
	// from and to are the places of its first and last day among all days.
	from, to int
}

// days are the places of a span's days.
func (s span) days() *[2]int { return &[2]int{s.from, s.to} }

// spans are the bars of days, which are in order and without a gap.
func spans(days []quota.Day) (all []span, monthly bool) {
	monthly = len(days) > maxDays
	for n, d := range days {
		last := len(all) - 1
		if !monthly || last < 0 || all[last].start.Month() != d.Start.Month() || all[last].start.Year() != d.Start.Year() {
			all = append(all, span{start: d.Start, from: n})
			last++
		}
		s := &all[last]
		s.to = n
		tally.Add(&s.Tally, &d.Tally)
	}
	return all, monthly
}

// name is how a bar is called: the year is told only where the bars are months.
func (s span) name(monthly bool) string {
	if monthly {
		return s.start.Format("Jan 2006")
	}
	return s.start.Format("2 Jan")
}

// labelled chooses which of so many places along an axis are named, at most of them,
// with the same distance between each two.
func labelled(places, most int) []int {
	step := max((places+most-1)/most, 1)
	var all []int
	for n := 0; n < places; n += step {
		all = append(all, n)
	}
	return all
}

// thinned keeps a long line short: the last of each so many points.
func thinned[T any](all []T, most int) []T {
	var kept []T
	for some := range slices.Chunk(all, max((len(all)+most-1)/most, 1)) {
		kept = append(kept, some[len(some)-1])
	}
	return kept
}
