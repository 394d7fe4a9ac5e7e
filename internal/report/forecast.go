package report

import (
	"math"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// Forecast says how long what is usable will last.
//
// The rate is the mean of the days so far, where a day weighs half as much as
// the one a week after it, and nothing is older than ninety days; today counts
// with the part of it that has passed, and less than a day of history as a day.
// What reconciliations added is left out: nobody knows when it was spent. The
// range is the one that the true mean is in four times out of five, from how
// much those days differ, and at least from what chance makes of single units.
// It knows nothing of a release next month.
type Forecast struct {
	// PerDay is in units, and Low and High are its range.
	PerDay float64 `json:"per_day"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	// RunsOut is the day on which Usable is gone at PerDay, Earliest and Latest at
	// High and Low: that is without touching the floor. They are empty for never,
	// and for what is more than a hundred years ahead.
	RunsOut  string `json:"runs_out"`
	Earliest string `json:"earliest"`
	Latest   string `json:"latest"`
}

const (
	// halfLife is the age in days at which a day weighs half as much.
	halfLife = 7
	// memory is how many days are looked at.
	memory = 90
	// fourOfFive is how many standard errors to each side hold 80 % of a normal
	// distribution.
	fourOfFive = 1.2816
)

// half is a half to the power of x.
func half(x float64) float64 { return math.Exp2(-x) }

// NewForecast looks at days, in order, from the one on which the ledger began,
// as [quota.Statement] has them.
func NewForecast(days []quota.Day, usable int64, now time.Time) Forecast {
	var f Forecast
	if len(days) == 0 {
		return f
	}
	today := now.UTC().Truncate(day)
	first := days[0].Start
	if oldest := today.AddDate(0, 0, -memory); first.Before(oldest) {
		first = oldest
	}
	type past struct{ weight, length, spent float64 }
	var all []past
	for _, d := range everyDay(days, first, now) {
		all = append(all, past{
			weight: half(today.Sub(d.Start).Hours() / 24 / halfLife),
			length: min(max(now.Sub(d.Start).Hours()/24, 0), 1),
			spent:  float64(d.Spent),
		})
	}
	var spent, length, weights, squares float64
	for _, p := range all {
		spent += p.weight * p.spent
		length += p.weight * p.length
		weights += p.weight
		squares += p.weight * p.weight
	}
	f.PerDay = spent / max(length, 1)
	variance := 0.0
	for _, p := range all {
		miss := p.spent - f.PerDay*p.length
		variance += p.weight * miss * miss / weights
	}
	// Of so many days of equal weight the mean would be as sure.
	worth := weights * weights / squares
	off := fourOfFive * math.Sqrt(max(variance, f.PerDay)/worth)
	f.Low, f.High = max(f.PerDay-off, 0), f.PerDay+off
	f.RunsOut, f.Earliest, f.Latest = runsOut(usable, f.PerDay, now), runsOut(usable, f.High, now), runsOut(usable, f.Low, now)
	return f
}

// runsOut is the day on which usable is gone, empty for never.
func runsOut(usable int64, perDay float64, now time.Time) string {
	const century = 36500
	left := float64(max(usable, 0)) / perDay
	if perDay <= 0 || left > century {
		return ""
	}
	return now.UTC().AddDate(0, 0, int(left)).Format(time.DateOnly)
}
