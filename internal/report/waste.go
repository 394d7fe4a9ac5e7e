package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/hint/source"
	"github.com/hsharness/hsharness/quota"
)

// Waste is what one cause has cost.
type Waste struct {
	// Cause is repeated, refused, failed or unknown: the word of a [quota.Tally] and of
	// quota history.
	Cause string `json:"cause"`
	Units int64  `json:"units"`
	// Why says it in words that follow "because", Mend what helps.
	Why  string `json:"why"`
	Mend string `json:"mend"`
	// Source is what to type to see each of them.
	Source string `json:"source"`
}

// reason is Why with its units.
func (w Waste) reason() string { return fmt.Sprintf("%s wasted because %s", wereUnits(w.Units), w.Why) }

// waste is what was wasted, by cause, without causes that wasted nothing.
func waste(t quota.Tally, since time.Time) []Waste {
	all := []Waste{
		{"repeated", t.Repeated, "the answer was there already", "keep the recordings where the next run finds them, in git or on a disk that stays", ""},
		{"refused", t.Refused, "the sandbox refused the request (status 400 to 499)", "mend these requests, or list in policy.unbilled what the service does not count", ""},
		{"failed", t.Failed, "the sandbox failed (status 500 and more)", "tell the service, or list in policy.unbilled what it does not count", ""},
		{"unknown", t.Unknown, "nobody knows what became of the request", "compare with the usage that the service shows, and reconcile", ""},
	}
	all = slices.DeleteFunc(all, func(w Waste) bool { return w.Units == 0 })
	for i := range all {
		all[i].Source = history(since, source.Filter{Flag: "became", Value: all[i].Cause})
	}
	slices.SortStableFunc(all, func(a, b Waste) int { return cmp.Compare(b.Units, a.Units) })
	return all
}

// history is what to type to see the entries since then, zero for all.
func history(since time.Time, filters ...source.Filter) string {
	if !since.IsZero() {
		filters = append(filters, source.Filter{Flag: "since", Value: moment(since)})
	}
	return source.History(filters...)
}

// moment is a time as a flag takes it.
func moment(at time.Time) string {
	at = at.UTC()
	if at.Equal(at.Truncate(day)) {
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339Nano)
}

func (b Budget) since(since time.Time, filters ...source.Filter) string {
	if !b.Begun.IsZero() && !b.Begun.Before(since) {
		since = time.Time{} // all of it
	}
	return b.at(history(since, filters...))
}

// In is the report with commands that name its ledger.
func (b Budget) In(ledger string) Budget {
	b.Ledger, b.Waste = ledger, slices.Clone(b.Waste)
	for i := range b.Waste {
		b.Waste[i].Source = b.at(b.Waste[i].Source)
	}
	return b
}

// at is a command for the ledger that is reported on.
func (b Budget) at(command string) string {
	if b.Ledger == "" {
		return command
	}
	return source.In(command, b.Ledger)
}

// paceSource is what to type to see what the forecast was made from.
func (b Budget) paceSource() string {
	return b.since(b.Forecast.Since, source.Filter{Flag: "kind", Value: "spend,refund"})
}

// Source is what to type to see what a group spent, and which entries that is made of.
func (b Budget) Source(by Dimension, name string) string {
	kind := source.Filter{Flag: "kind", Value: "spend,refund"}
	if by == ByDay {
		at, err := time.Parse(time.DateOnly, name)
		if err != nil {
			return b.at(source.Report)
		}
		return b.at(source.History(kind, source.Filter{Flag: "since", Value: name}, source.Filter{Flag: "until", Value: at.AddDate(0, 0, 1).Format(time.DateOnly)}))
	}
	return b.since(b.Since, kind, source.Filter{Flag: string(by), Value: name})
}

// BlockedSource is what to type to see the refusals of a rule that a suite met.
func (b Budget) BlockedSource(r quota.Blocked) string {
	return b.since(b.Since, source.Filter{Flag: "kind", Value: "block"}, source.Filter{Flag: "rule", Value: RuleKey(r)}, source.Filter{Flag: "suite", Value: r.Suite})
}

// RuleKey names a rule as quota history does: max_per_run/2 is that of budget 2.
func RuleKey(b quota.Blocked) string {
	if b.Budget == 0 {
		return b.Rule
	}
	return fmt.Sprintf("%s/%d", b.Rule, b.Budget)
}
