package quota

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Entry takes the next grant, reconciliation, exhaustion or block.
func (t *Tallier) Entry(e Entry) {
	switch e.Kind {
	case KindGrant:
		t.begins(e.Time)
		t.day(e.Time).Granted += e.Units
		n := t.dayOf(e.Time)
		maps.DeleteFunc(t.floors, func(day, _ int64) bool { return day > n }) // the clock went back, and the last word holds
		t.floors[n] = e.Floor
	case KindReconcile:
		t.begins(e.Time)
		t.day(e.Time).Corrected += e.Units
	case KindBlock:
		r := refusedRun{at: e.Time}
		if e.Spec != nil {
			r.spec = *e.Spec
		}
		t.refused = append(t.refused, r)
	}
	if e.Time.Before(t.s.Since) {
		return
	}
	if e.Kind != KindBlock {
		t.s.Changes = append(t.s.Changes, e)
		return
	}
	for _, r := range e.Refusals {
		of := Refusal{Rule: r.Rule, Budget: r.Budget}
		b := t.blocked[of]
		if b == nil {
			b = &Blocked{Rule: r.Rule, Budget: r.Budget}
			t.blocked[of] = b
		}
		b.Times++
		b.Last = e.Time
		if e.Spec != nil {
			b.Units += e.Spec.Max
			b.Suite = e.Spec.Suite
		}
	}
}

// begun orders the runs. When one that is dated ahead began is not known, so it is
// none of the latest.
func (t *Tallier) begun(r *tallyRun) time.Time {
	if r.info.Begun.After(t.now) {
		return time.Time{}
	}
	return r.info.Begun
}

// Statement is what was taken so far. The Tallier must not be used after it.
func (t *Tallier) Statement() Statement {
	s := &t.s
	slices.SortFunc(t.order, func(a, b *tallyRun) int {
		return cmp.Or(t.begun(a).Compare(t.begun(b)), cmp.Compare(a.info.ID, b.info.ID))
	})
	by := newGroupsBy()
	for _, r := range slices.Backward(t.order) {
		if r.info.State != Active && r.info.Max > 0 && len(s.Recent[r.info.Suite]) < RecentRuns {
			s.Recent[r.info.Suite] = append(s.Recent[r.info.Suite], r.info.Spent)
		}
		t.ran(r)
		began := !r.info.Begun.Before(s.Since)
		if !began && r.sum == (tallySum{}) {
			continue
		}
		s.Total.add(&r.sum.Tally)
		for _, g := range by.of(r.info.Attribution) {
			g.add(&r.sum.Tally)
			g.Lately += r.sum.lately
			g.Before += r.sum.before
			if began {
				g.ran(r.info.Counters)
			}
		}
		if began {
			s.Runs++
			s.Replayed += r.info.Counters.Replayed
			s.Missed += r.info.Counters.Missed
			s.Saved += r.info.Counters.WouldSpend
		}
	}
	for _, r := range t.refused {
		n := t.dayOf(r.at)
		dayIn(t.days, n).Blocked++
		t.suiteDay(r.spec.Suite, n).Blocked++
		if in := t.period(r.at); in != nil {
			in.Blocked++
		}
		if r.at.Before(s.Since) {
			continue
		}
		for _, g := range by.of(r.spec.Attribution) {
			g.Blocked++
		}
	}
	s.Suites, s.Branches, s.Actors, s.Keys = ranked(by.suites), ranked(by.branches), ranked(by.actors), ranked(by.keys)
	s.Operations, s.Tests = ranked(groups(t.operations)), ranked(groups(t.tests))
	s.Days = inOrder(t.days)
	s.SuiteDays = make(map[string][]Day, len(t.suiteDays))
	for suite, days := range t.suiteDays {
		s.SuiteDays[suite] = inOrder(days)
	}
	left, floor := int64(0), int64(0)
	for i := range s.Days {
		d := &s.Days[i]
		if f, ok := t.floors[d.Start.Unix()/secondsOfDay]; ok {
			floor = f
		}
		left += d.Granted - d.Corrected - d.Spent
		d.Floor, d.Left = floor, max(left-floor, 0)
	}
	for _, b := range t.blocked {
		s.Blocked = append(s.Blocked, *b)
	}
	slices.SortFunc(s.Blocked, func(a, b Blocked) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Budget, b.Budget))
	})
	return *s
}

// ran notes on which day, and in which time, a run saved what it did.
func (t *Tallier) ran(r *tallyRun) {
	n := t.dayOf(r.info.Begun)
	if c := r.info.Counters; c.Replayed != 0 || c.WouldSpend != 0 {
		for _, d := range []*Day{dayIn(t.days, n), t.suiteDay(r.info.Suite, n)} {
			d.Replayed += c.Replayed
			d.Saved += c.WouldSpend
		}
	}
	if in := t.period(r.info.Begun); in != nil {
		in.ran(r.info.Counters)
	}
}

// period is the time that something at that time counts in, nil for none.
func (t *Tallier) period(at time.Time) *Group {
	switch {
	case !at.Before(t.s.From):
		return &t.s.Lately
	case !at.Before(t.earlier):
		return &t.s.Earlier
	}
	return nil
}

// ran counts a run that began.
func (g *Group) ran(c Counters) {
	g.Runs++
	g.Replayed += c.Replayed
	g.Saved += c.WouldSpend
}

// groupsBy are the groups that a run can be in.
type groupsBy struct{ suites, branches, actors, keys map[string]*Group }

func newGroupsBy() groupsBy {
	return groupsBy{map[string]*Group{}, map[string]*Group{}, map[string]*Group{}, map[string]*Group{}}
}

// of are those of a run.
func (by groupsBy) of(a Attribution) []*Group {
	all := []*Group{group(by.suites, a.Suite), group(by.branches, a.Branch), group(by.actors, a.Actor)}
	if a.Event == eventGateway {
		all = append(all, group(by.keys, a.Actor))
	}
	return all
}

func inOrder(days map[int64]*Day) []Day {
	all := make([]Day, 0, len(days))
	for _, d := range days {
		all = append(all, *d)
	}
	slices.SortFunc(all, func(a, b Day) int { return a.Start.Compare(b.Start) })
	return all
}

func group(groups map[string]*Group, name string) *Group {
	g := groups[name]
	if g == nil {
		g = &Group{Name: name}
		groups[name] = g
	}
	return g
}

func groups(sums map[string]*tallySum) map[string]*Group {
	all := make(map[string]*Group, len(sums))
	for name, sum := range sums {
		if sum.Attempts > 0 || sum.before > 0 {
			all[name] = &Group{Name: name, Tally: sum.Tally, Lately: sum.lately, Before: sum.before}
		}
	}
	return all
}

func ranked(groups map[string]*Group) []Group {
	all := make([]Group, 0, len(groups))
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Spent, a.Spent), cmp.Compare(a.Name, b.Name))
	})
	return all
}
