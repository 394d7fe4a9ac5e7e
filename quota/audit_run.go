package quota

type auditRun struct {
	RunInfo
	held int64
}

type auditSpend struct {
	run     string
	units   int64
	outcome Outcome
}

// runEntry takes the entries that need a run.
func (a *auditor) runEntry(e Entry) {
	run := a.runs[e.Run]
	if e.Kind == KindBegin {
		if run != nil || e.Spec == nil {
			a.wrong(e, "spec", "run %s begins twice or without a spec", e.Run)
			return
		}
		a.runs[e.Run] = &auditRun{RunInfo: RunInfo{RunSpec: *e.Spec, State: Active, Begun: e.Time}}
		a.order = append(a.order, e.Run)
		return
	}
	if run == nil {
		a.wrong(e, "run", "%s of run %q, which never began", e.Kind, e.Run)
		return
	}
	if run.State != Active {
		a.wrong(e, "run", "%s after run %s %s", e.Kind, e.Run, run.State)
	}
	switch e.Kind {
	case KindHold:
		run.held += e.Units
		a.sum.Held += e.Units
	case KindSpend:
		if a.spends[e.ID] != nil {
			a.wrong(e, "id", "spend %s is there twice", e.ID)
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
		a.wrong(e, "kind", "unknown kind %q", e.Kind)
	}
	if run.held < 0 || run.Spent+run.held > run.Max {
		a.wrong(e, "units", "run %s has spent %d and holds %d of %d", e.Run, run.Spent, run.held, run.Max)
	}
	if run.State != Active && run.held != 0 {
		a.wrong(e, "units", "run %s is over and holds %d", e.Run, run.held)
	}
}

func (a *auditor) settle(e Entry) {
	spend, run := a.spends[e.ID], a.runs[e.Run]
	if spend == nil || run == nil || spend.run != e.Run || spend.units != e.Units {
		a.wrong(e, "id", "%s of spend %q of run %q, which is not there like this", e.Kind, e.ID, e.Run)
		return
	}
	if fresh, err := (Settlement{Spend: e.ID, Outcome: e.Outcome}).Settles(spend.outcome); !fresh {
		a.wrong(e, "outcome", "spend %s is settled as %s after %s (%v)", e.ID, e.Outcome, spend.outcome, err)
	}
	if (e.Kind == KindRefund) != (e.Outcome == Refunded) {
		a.wrong(e, "outcome", "%s with outcome %s", e.Kind, e.Outcome)
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
			a.wrong(e, "run", "refund after run %s %s", e.Run, run.State)
		}
		run.Spent -= e.Units
		run.held += e.Units
		a.sum.Spent -= e.Units
		a.sum.Held += e.Units
	}
}
