package quota

import (
	"fmt"
	"time"
)

// A clock that was ahead leaves dates behind that lie in the future of a ledger,
// perhaps by years. No rule trusts one:
//
//   - a run that began then counts for the day on which the first entry after it
//     was written that is not ahead, or for today without one ([Usage]);
//   - a lease that ends further ahead than a lease can is no date but a sign of
//     life: whoever is blocked by it notes how it is ([Entry.Leases]), and if it
//     is still the same a lease later, nobody has renewed it ([Unrenewed]).
//
// What looks like this may as well be the reader's own clock that is behind. So
// nothing is changed by what one reader sees at one moment, and a run that is
// renewed lives on, whatever the dates.

// LeaseAhead tells whether a lease that ends at until ends later, at now, than any
// lease can that was given at now or before. Lease is how long a lease of this
// store is; one shorter than [Lease] counts as that.
func LeaseAhead(until, now time.Time, lease time.Duration) bool {
	return until.After(now.Add(max(lease, Lease)))
}

// LeasesAhead are the ends, by run, of those leases of runs that are ahead. It is
// nil without any.
func LeasesAhead(runs []RunInfo, now time.Time, lease time.Duration) map[string]time.Time {
	var ahead map[string]time.Time
	for _, r := range runs {
		if LeaseAhead(r.LeaseUntil, now, lease) {
			if ahead == nil {
				ahead = map[string]time.Time{}
			}
			ahead[r.ID] = r.LeaseUntil
		}
	}
	return ahead
}

// Noted tells whether one of blocks, none of them written later than now, noted
// the lease of r as it is, and when the first one did.
func Noted(blocks []Entry, r RunInfo) (first time.Time, noted bool) {
	for _, e := range blocks {
		if until, ok := e.Leases[r.ID]; ok && until.Equal(r.LeaseUntil) && (!noted || e.Time.Before(first)) {
			first, noted = e.Time, true
		}
	}
	return first, noted
}

// Unrenewed tells whether the lease of r, which is ahead, was noted in one of
// blocks a lease ago or more and is still the same: nobody renews it. Blocks are
// the refusals since r began that are not written later than now. All stores
// share it.
func Unrenewed(blocks []Entry, r RunInfo, now time.Time, lease time.Duration) bool {
	first, noted := Noted(blocks, r)
	return noted && LeaseAhead(r.LeaseUntil, now, lease) && !first.After(now.Add(-max(lease, Lease)))
}

// NewHolder is an active run as messages have it. All stores share it.
func NewHolder(r RunInfo, alive bool, now time.Time, lease time.Duration) Holder {
	return Holder{
		ID: r.ID, Suite: r.Suite, Max: r.Max, Spent: r.Spent, Alive: alive, LeaseUntil: r.LeaseUntil, Process: r.Process,
		Ahead: LeaseAhead(r.LeaseUntil, now, lease),
	}
}

// aheadWarning is about a lease that is ahead.
func aheadWarning(h Holder) string {
	return fmt.Sprintf("run %s holds %d units until %s, which is further ahead than a lease can be: a clock was wrong",
		h.ID, h.Max-h.Spent, stamp(h.LeaseUntil))
}
