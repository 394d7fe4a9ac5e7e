package quota

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Claim is what a store says its journal adds up to.
type Claim struct {
	Balances
	// Runs are all runs, in any order. It must not be nil.
	Runs iter.Seq2[RunInfo, error]
}

// Report is what [Audit] found.
type Report struct {
	// Entries is how many there are.
	Entries int64 `json:"entries"`
	// Head is the Seq of the last one; 0 without any.
	Head int64 `json:"head"`
	// Balances are recomputed from the entries.
	Balances Balances `json:"-"`
	// Runs are recomputed from the entries, in the order they began. Leases,
	// which are not journaled, are zero.
	Runs []RunInfo `json:"-"`
	// Problems lists each invariant that fails, in words; empty, never nil, where none
	// does.
	Problems []string `json:"problems"`
}

// EntryError is an entry that can't be in a ledger, by itself or after those
// before it.
type EntryError struct {
	// Seq is the entry's number.
	Seq int64
	// Member is the name in JSON of what is wrong with it, and Detail says how.
	Member, Detail string
}

// Error has the number and the detail.
func (e *EntryError) Error() string {
	return fmt.Sprintf("the entries don't add up: entry %d: %s", e.Seq, e.Detail)
}

// Checked passes entries on that a ledger may be made of, in order. It ends with
// an [*EntryError] before the first that [Audit] would find a problem in, and
// before one that no store can have written: times and texts count here too. Then
// report, if it is not nil, is what Audit says of those that were passed on.
func Checked(entries iter.Seq2[Entry, error], report *Report) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		a := newAuditor()
		defer func() {
			if report != nil {
				*report = a.done()
			}
		}()
		for e, err := range entries {
			if err == nil {
				err = a.check(e)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Audit recomputes every balance from the entries, which must come in order,
// and lists what fails: 0 ≤ spent, 0 ≤ held, spent + held ≤ granted at every
// entry unless a reconciliation said otherwise, spent + held ≤ Max of each run,
// at most one end per run, at most one answer per spend, entries that refer to
// nothing, and every figure of claim that is not the recomputed one. A nil
// claim checks the entries alone. Its error is that of an iterator.
func Audit(entries iter.Seq2[Entry, error], claim *Claim) (Report, error) {
	a := newAuditor()
	for e, err := range entries {
		if err != nil {
			return a.report, err
		}
		a.entry(e)
	}
	a.done()
	if claim == nil {
		return a.report, nil
	}
	a.compare("granted", claim.Granted, a.sum.Granted)
	a.compare("spent", claim.Spent, a.sum.Spent)
	a.compare("held", claim.Held, a.sum.Held)
	a.compare("floor", claim.Floor, a.sum.Floor)
	a.compare("unknown", claim.Unknown, a.sum.Unknown)
	if claim.Exhausted != a.sum.Exhausted {
		a.problem("exhausted is %t, the entries say %t", claim.Exhausted, a.sum.Exhausted)
	}
	if claim.Bar != a.sum.Bar {
		a.problem("the ledger's bar: %s", differences(claim.Bar, a.sum.Bar))
	}
	return a.report, a.compareRuns(claim.Runs)
}

type auditor struct {
	report Report
	sum    Balances
	runs   map[string]*auditRun
	order  []string
	spends map[string]*auditSpend
	// over is set while a reconciliation has pushed spent + held over granted.
	over bool
	// told is set while the service's word counts that nothing is left.
	told bool
	// first is the first entry with a problem.
	first *EntryError
}

func newAuditor() *auditor {
	return &auditor{runs: map[string]*auditRun{}, spends: map[string]*auditSpend{}, report: Report{Problems: []string{}}}
}

// done is what the entries so far add up to.
func (a *auditor) done() Report {
	a.report.Balances, a.report.Runs = a.sum, nil
	for _, id := range a.order {
		a.report.Runs = append(a.report.Runs, a.runs[id].RunInfo)
	}
	return a.report
}

// check takes an entry that is to be written into a ledger, if nothing is wrong
// with it.
func (a *auditor) check(e Entry) error {
	if wrong := e.check(); wrong != nil {
		return &EntryError{e.Seq, wrong.Member, wrong.Error()}
	}
	if a.entry(e); a.first != nil {
		return a.first
	}
	return nil
}

// wrong is a problem with a member of an entry.
func (a *auditor) wrong(e Entry, member, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if a.first == nil {
		a.first = &EntryError{e.Seq, member, text}
	}
	a.problem("entry %d: %s", e.Seq, text)
}

func (a *auditor) problem(format string, args ...any) {
	a.report.Problems = append(a.report.Problems, fmt.Sprintf(format, args...))
}

func (a *auditor) compare(what string, claimed, sum int64) {
	if claimed != sum {
		a.problem("%s is %d, the entries sum to %d", what, claimed, sum)
	}
}

func (a *auditor) entry(e Entry) {
	if e.Seq <= a.report.Head {
		a.wrong(e, "seq", "it follows entry %d", a.report.Head)
	}
	a.report.Head = e.Seq
	a.report.Entries++
	if wrong := e.numbers(); wrong != nil {
		a.wrong(e, wrong.Member, "%v", wrong)
		return // a sum with it would mean nothing, and might overflow
	}
	switch e.Kind {
	case KindGrant:
		a.sum.Granted += e.Units
		if a.sum.Granted > MaxUnits {
			a.wrong(e, "units", "granted is %d in all, want %d at most", a.sum.Granted, int64(MaxUnits))
		}
		a.sum.Floor = e.Floor
		a.lift(e, e.Units > 0)
	case KindReconcile:
		a.sum.Spent += e.Units
		if a.sum.Spent > MaxUnits {
			a.wrong(e, "units", "spent is %d in all, want %d at most", a.sum.Spent, int64(MaxUnits))
		}
		a.lift(e, true)
	case KindExhaust:
		if a.sum.Exhausted = true; e.Bar == nil {
			a.told = true
		} else {
			a.sum.Bar = *e.Bar
		}
	case KindBlock:
	case KindSettle, KindRefund:
		a.settle(e)
	default:
		a.runEntry(e)
	}
	a.limits(e)
}

// lift takes an entry that may open the ledger again; more says that it is
// reason to believe that the service has something left.
func (a *auditor) lift(e Entry, more bool) {
	if a.sum.Bar != (Bar{}) && a.sum.Bar.Lifted(e) {
		a.sum.Bar = Bar{}
	}
	a.told = a.told && !more
	a.sum.Exhausted = a.told || a.sum.Bar != (Bar{})
}

// limits checks what must hold after every entry.
func (a *auditor) limits(e Entry) {
	if a.sum.Spent < 0 || a.sum.Held < 0 {
		a.wrong(e, "units", "spent is %d and held %d", a.sum.Spent, a.sum.Held)
	}
	over := a.sum.Available() < 0
	if over && !a.over && e.Kind != KindReconcile {
		a.wrong(e, "units", "spent %d + held %d is more than granted %d", a.sum.Spent, a.sum.Held, a.sum.Granted)
	}
	a.over = over
}

// compareRuns checks each claimed run against the recomputed one.
func (a *auditor) compareRuns(claimed iter.Seq2[RunInfo, error]) error {
	missing := maps.Clone(a.runs)
	for got, err := range claimed {
		if err != nil {
			return err
		}
		want := a.runs[got.ID]
		if want == nil {
			a.problem("run %s is in no entry", got.ID)
			continue
		}
		delete(missing, got.ID)
		got.LeaseUntil = want.LeaseUntil
		got.RunSpec = got.text()
		if same := got.Begun.Equal(want.Begun) && got.Over.Equal(want.Over); same {
			got.Begun, got.Over = want.Begun, want.Over
		}
		if got != want.RunInfo {
			a.problem("run %s: %s", got.ID, differences(got, want.RunInfo))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(missing)) {
		a.problem("run %s is in the entries only", id)
	}
	return nil
}
