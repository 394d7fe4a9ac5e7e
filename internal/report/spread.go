package report

import (
	"maps"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// Spread is the report with what its groups came to by suite and time, which a page
// filters by. The first day of a report that begins within it is then only what came after
// that: all its days together are the total.
func (b Budget) Spread(s tally.Spread) Budget {
	b.Cells = s
	if len(s.Early) == 0 || len(b.Days) == 0 {
		return b
	}
	first := b.Since.Truncate(day)
	b.Days, b.SuiteDays = slices.Clone(b.Days), maps.Clone(b.SuiteDays)
	for suite, early := range s.Early {
		without(b.Days, first, early)
		days := slices.Clone(b.SuiteDays[suite])
		without(days, first, early)
		b.SuiteDays[suite] = slices.DeleteFunc(days, func(d quota.Day) bool { return d == quota.Day{Start: first} })
	}
	return b
}

// without takes what happened early out of a day.
func without(days []quota.Day, of time.Time, early quota.Day) {
	for i := range days {
		if d := &days[i]; d.Start.Equal(of) {
			tally.Subtract(&d.Tally, &early.Tally)
			d.Replayed, d.Saved, d.Blocked = d.Replayed-early.Replayed, d.Saved-early.Saved, d.Blocked-early.Blocked
		}
	}
}
