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
	Runs iter.Seq2[RunInfo, error]
}

// Report is what [Audit] found.
type Report struct {
	// Entries is how many there are, Head the Seq of the last.
	Entries int64 `json:"entries"`
	Head    int64 `json:"head"`
	// Balances are recomputed from the entries.
	Balances Balances `json:"-"`
	// Runs are recomputed from the entries, in the order they began. Leases,
	// which are not journaled, are zero.
	Runs []RunInfo `json:"-"`
	// Problems lists each invariant that fails, in words.
	Problems []string `json:"problems"`
}

// Audit recomputes every balance from the entries, which must come in order,
// and lists what fails: 0 ≤ spent, 0 ≤ held, spent + held ≤ granted at every
// entry unless a reconciliation said otherwise, spent + held ≤ Max of each run,
// at most one end per run, at most one answer per spend, entries that refer to
// nothing, and every figure of claim that is not the recomputed one. A nil
// claim checks the entries alone. Its error is that of an iterator.
func Audit(entries iter.Seq2[Entry, error], claim *Claim) (Report, error) {
	a := auditor{runs: map[string]*auditRun{}, spends: map[string]*auditSpend{}}
	a.report.Problems = []string{}
	for e, err := range entries {
		if err != nil {
			return a.report, err
		}
		a.entry(e)
	}
	a.report.Balances = a.sum
	for _, id := range a.order {
		a.report.Runs = append(a.report.Runs, a.runs[id].RunInfo)
	}
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
		a.problem("the ledger's bar is %+v, the entries say %+v", claim.Bar, a.sum.Bar)
	}
	return a.report, a.compareRuns(claim.Runs)
}

type auditRun struct {
	RunInfo
	held int64
}

type auditSpend struct {
	run     string
	units   int64
	outcome Outcome
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
		a.problem("entry %d follows entry %d", e.Seq, a.report.Head)
	}
	a.report.Head = e.Seq
	a.report.Entries++
	switch e.Kind {
	case KindGrant:
		a.sum.Granted += e.Units
		a.sum.Floor = e.Floor
		a.lift(e, e.Units > 0)
	case KindReconcile:
		a.sum.Spent += e.Units
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
		a.problem("entry %d: spent is %d and held %d", e.Seq, a.sum.Spent, a.sum.Held)
	}
	over := a.sum.Available() < 0
	if over && !a.over && e.Kind != KindReconcile {
		a.problem("entry %d: spent %d + held %d is more than granted %d", e.Seq, a.sum.Spent, a.sum.Held, a.sum.Granted)
	}
	a.over = over
}

// runEntry takes the entries that need a run.
func (a *auditor) runEntry(e Entry) {
	run := a.runs[e.Run]
	if e.Kind == KindBegin {
		if run != nil || e.Spec == nil {
			a.problem("entry %d: run %s begins twice or without a spec", e.Seq, e.Run)
			return
		}
		a.runs[e.Run] = &auditRun{RunInfo: RunInfo{RunSpec: *e.Spec, State: Active, Begun: e.Time}}
		a.order = append(a.order, e.Run)
		return
	}
	if run == nil {
		a.problem("entry %d: %s of run %q, which never began", e.Seq, e.Kind, e.Run)
		return
	}
	if run.State != Active {
		a.problem("entry %d: %s after run %s %s", e.Seq, e.Kind, e.Run, run.State)
	}
	switch e.Kind {
	case KindHold:
		run.held += e.Units
		a.sum.Held += e.Units
	case KindSpend:
		if a.spends[e.ID] != nil {
			a.problem("entry %d: spend %s is there twice", e.Seq, e.ID)
		}
		a.spends[e.ID] = &auditSpend{run: e.Run, units: e.Units}
		run.held -= e.Units
		run.Spent += e.Units
		a.sum.Held -= e.Units
		a.sum.Spent += e.Units
	case KindRelease, KindExpire:
		run.held -= e.Units
		a.sum.Held -= e.Units
		if e.Kind == KindExpire {
			run.State, run.Over = Expired, e.Time
		}
	case KindEnd:
		run.State, run.Over = Ended, e.Time
		if e.Counters != nil {
			run.Counters = *e.Counters
		}
	default:
		a.problem("entry %d: unknown kind %q", e.Seq, e.Kind)
	}
	if run.held < 0 || run.Spent+run.held > run.Max {
		a.problem("entry %d: run %s has spent %d and holds %d of %d", e.Seq, e.Run, run.Spent, run.held, run.Max)
	}
	if run.State != Active && run.held != 0 {
		a.problem("entry %d: run %s is over and holds %d", e.Seq, e.Run, run.held)
	}
}

func (a *auditor) settle(e Entry) {
	spend, run := a.spends[e.ID], a.runs[e.Run]
	if spend == nil || run == nil || spend.run != e.Run || spend.units != e.Units {
		a.problem("entry %d: %s of spend %q of run %q, which is not there like this", e.Seq, e.Kind, e.ID, e.Run)
		return
	}
	if fresh, err := (Settlement{Spend: e.ID, Outcome: e.Outcome}).Settles(spend.outcome); !fresh {
		a.problem("entry %d: spend %s is settled as %s after %s (%v)", e.Seq, e.ID, e.Outcome, spend.outcome, err)
	}
	if (e.Kind == KindRefund) != (e.Outcome == Refunded) {
		a.problem("entry %d: %s with outcome %s", e.Seq, e.Kind, e.Outcome)
	}
	if spend.outcome == Unknown {
		run.Unknown -= e.Units
		a.sum.Unknown -= e.Units
	}
	spend.outcome = e.Outcome
	switch {
	case e.Outcome == Unknown:
		run.Unknown += e.Units
		a.sum.Unknown += e.Units
	case e.Kind == KindRefund:
		if run.State != Active {
			a.problem("entry %d: refund after run %s %s", e.Seq, e.Run, run.State)
		}
		run.Spent -= e.Units
		run.held += e.Units
		a.sum.Spent -= e.Units
		a.sum.Held += e.Units
	}
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
		if same := got.Begun.Equal(want.Begun) && got.Over.Equal(want.Over); same {
			got.Begun, got.Over = want.Begun, want.Over
		}
		if got != want.RunInfo {
			a.problem("run %s is %+v, the entries say %+v", got.ID, got, want.RunInfo)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(missing)) {
		a.problem("run %s is in the entries only", id)
	}
	return nil
}
