package report

import (
	"fmt"
	"math"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// Forecast says how long what is left will last.
//
// The pace is what was spent in the last fourteen days of UTC and so far today,
// divided by that time; in a younger ledger by the time since it began. A ledger that
// is younger than seven days has no forecast, because a week has a weekend. What
// reconciliations added is left out: nobody knows when it was spent. The range is the
// one that the true pace is in four times out of five, from how much those days
// differ, and at least from what chance makes of single units. It knows nothing of a
// release next month.
type Forecast struct {
	// TooEarly says that there are not enough days yet: all else but Days and Spent is
	// zero.
	TooEarly bool `json:"too_early"`
	// Days is how many days were looked at, Since when they begin, and Spent what was
	// spent in them.
	Days  float64   `json:"days"`
	Since time.Time `json:"since,omitzero"`
	Spent int64     `json:"spent"`
	// PerDay is in units, and Low and High are its range.
	PerDay float64 `json:"per_day"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	// RunsOut is the day on which Left is gone at PerDay, Earliest and Latest at
	// High and Low: that is without touching the floor. They are empty for never,
	// and for what is more than a hundred years ahead.
	RunsOut  string `json:"runs_out"`
	Earliest string `json:"earliest"`
	Latest   string `json:"latest"`
}

const (
	// paceDays is how many whole days are looked at, before today.
	paceDays = 14
	// enoughDays is how old a ledger has to be for a forecast.
	enoughDays = 7
	// fourOfFive is how many standard errors to each side hold 80 % of a normal
	// distribution.
	fourOfFive = 1.2816
	// century is how many days ahead a forecast goes.
	century = 36500
)

// half is a half to the power of x.
func half(x float64) float64 { return math.Exp2(-x) }

// NewForecast looks at days, in order, of a ledger that began at that time, zero with
// the first of them.
func NewForecast(days []quota.Day, begun time.Time, left int64, now time.Time) Forecast {
	var f Forecast
	now = now.UTC()
	if len(days) == 0 {
		f.TooEarly = true
		return f
	}
	if begun.IsZero() {
		begun = days[0].Start
	}
	today := now.Truncate(day)
	f.Since = begun.UTC()
	if first := today.AddDate(0, 0, -paceDays); begun.Before(first) {
		f.Since = first
	}
	type past struct{ length, spent float64 }
	var all []past
	for _, d := range everyDay(days, f.Since, now) {
		from, to := d.Start, d.Start.Add(day)
		if from.Before(f.Since) {
			from = f.Since
		}
		if to.After(now) {
			to = now
		}
		p := past{max(to.Sub(from).Hours()/24, 0), float64(d.Spent)}
		all = append(all, p)
		f.Days += p.length
		f.Spent += d.Spent
	}
	if now.Sub(begun) < enoughDays*day {
		f.TooEarly = true
		return f
	}
	f.PerDay = float64(f.Spent) / f.Days
	variance := 0.0
	for _, p := range all {
		miss := p.spent - f.PerDay*p.length
		variance += miss * miss / f.Days
	}
	off := fourOfFive * math.Sqrt(max(variance, f.PerDay)/f.Days)
	f.Low, f.High = max(f.PerDay-off, 0), f.PerDay+off
	f.RunsOut, f.Earliest, f.Latest = runsOut(left, f.PerDay, now), runsOut(left, f.High, now), runsOut(left, f.Low, now)
	return f
}

// runsOut is the day on which what is left is gone, empty for never.
func runsOut(left int64, perDay float64, now time.Time) string {
	days := float64(max(left, 0)) / perDay
	if perDay <= 0 || days > century {
		return ""
	}
	return now.UTC().AddDate(0, 0, int(days)).Format(time.DateOnly)
}

// lastDays names the days that were looked at.
func (f Forecast) lastDays() string {
	n := int(f.Days)
	if n == 1 {
		return "the last day"
	}
	return fmt.Sprintf("the last %d days", n)
}

// String is the forecast in words, in a sentence about units that are left.
func (f Forecast) String() string { return f.text(time.Time{}) }

// text leaves the year out of a day of now's.
func (f Forecast) text(now time.Time) string {
	switch {
	case f.TooEarly:
		return fmt.Sprintf("It is too early to tell how long they last: a forecast needs %d days", enoughDays)
	case f.PerDay == 0:
		return fmt.Sprintf("Nothing was spent in %s, so they last", f.lastDays())
	}
	text := fmt.Sprintf("At the pace of %s they last", f.lastDays())
	switch {
	case f.RunsOut == "":
		return text + " for more than a hundred years"
	case f.Latest == "":
		return fmt.Sprintf("%s until %s (%s at the earliest)", text, date(f.RunsOut, now), date(f.Earliest, now))
	case f.Earliest == f.Latest:
		return fmt.Sprintf("%s until %s", text, date(f.RunsOut, now))
	}
	return fmt.Sprintf("%s until %s (%s to %s)", text, date(f.RunsOut, now), date(f.Earliest, now), date(f.Latest, now))
}

// date is a day for people, with its year unless that is the one of now.
func date(of string, now time.Time) string {
	at, err := time.Parse(time.DateOnly, of)
	switch {
	case err != nil:
		return of
	case at.Year() == now.Year():
		return at.Format("2 January")
	}
	return at.Format("2 January 2006")
}
