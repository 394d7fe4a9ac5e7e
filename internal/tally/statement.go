package tally

import (
	"cmp"
	"slices"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// ranks orders the runs. When one that is dated ahead began is not known, so it is
// none of the latest.
func (t *sums) ranks(r *tallyRun) time.Time {
	if r.info.Begun.After(t.now) {
		return time.Time{}
	}
	return r.info.Begun
}

// statement is what was taken so far. The sums must not be used after it.
func (t *sums) statement() quota.Statement {
	s := &t.s
	if t.begun != 0 {
		s.Begun = time.UnixMicro(t.begun).UTC()
	}
	slices.SortFunc(t.order, func(a, b *tallyRun) int {
		return cmp.Or(t.ranks(a).Compare(t.ranks(b)), cmp.Compare(a.info.ID, b.info.ID))
	})
	by := newGroupsBy()
	for _, r := range slices.Backward(t.order) {
		if r.info.State != quota.Active && r.info.Max > 0 && len(s.Recent[r.info.Suite]) < quota.RecentRuns {
			s.Recent[r.info.Suite] = append(s.Recent[r.info.Suite], r.info.Spent)
		}
		t.ran(r)
		began := !r.info.Begun.Before(s.Since)
		if !began && r.sum == (tallySum{}) {
			continue
		}
		Add(&s.Total, &r.sum.Tally)
		for _, g := range by.of(r.info.Attribution) {
			Add(&g.Tally, &r.sum.Tally)
			g.Lately += r.sum.lately
			g.Before += r.sum.before
			if began {
				ran(g, r.info.Counters)
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
		n := t.dayOf(r.at.UnixMicro())
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
	s.Operations, s.Tests = named(t.words.operations.all, t.operations), named(t.words.tests.all, t.tests)
	s.Days = inOrder(t.days)
	s.SuiteDays = make(map[string][]quota.Day, len(t.suiteDays))
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
	slices.SortFunc(s.Blocked, func(a, b quota.Blocked) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Budget, b.Budget), cmp.Compare(a.Suite, b.Suite))
	})
	return *s
}

// ran notes on which day, and in which time, a run saved what it did.
func (t *sums) ran(r *tallyRun) {
	n := t.dayOf(r.info.Begun.UnixMicro())
	if c := r.info.Counters; c.Replayed != 0 || c.WouldSpend != 0 {
		for _, d := range []*quota.Day{dayIn(t.days, n), t.suiteDay(r.info.Suite, n)} {
			d.Replayed += c.Replayed
			d.Saved += c.WouldSpend
		}
	}
	if in := t.period(r.info.Begun); in != nil {
		ran(in, r.info.Counters)
	}
}

// period is the time that something at that time counts in, nil for none.
func (t *sums) period(at time.Time) *quota.Group {
	switch {
	case !at.Before(t.s.From):
		return &t.s.Lately
	case at.UnixMicro() >= t.earlier:
		return &t.s.Earlier
	}
	return nil
}

// ran counts a run that began.
func ran(g *quota.Group, c quota.Counters) {
	g.Runs++
	g.Replayed += c.Replayed
	g.Saved += c.WouldSpend
}

// groupsBy are the groups that a run can be in.
type groupsBy struct{ suites, branches, actors, keys map[string]*quota.Group }

func newGroupsBy() groupsBy {
	return groupsBy{map[string]*quota.Group{}, map[string]*quota.Group{}, map[string]*quota.Group{}, map[string]*quota.Group{}}
}

// of are those of a run.
func (by groupsBy) of(a quota.Attribution) []*quota.Group {
	all := []*quota.Group{group(by.suites, a.Suite), group(by.branches, a.Branch), group(by.actors, a.Actor)}
	if a.Event == eventGateway {
		all = append(all, group(by.keys, a.Actor))
	}
	return all
}

func inOrder(days map[int64]*quota.Day) []quota.Day {
	all := make([]quota.Day, 0, len(days))
	for _, d := range days {
		all = append(all, *d)
	}
	slices.SortFunc(all, func(a, b quota.Day) int { return a.Start.Compare(b.Start) })
	return all
}

func group(groups map[string]*quota.Group, name string) *quota.Group {
	g := groups[name]
	if g == nil {
		g = &quota.Group{Name: name}
		groups[name] = g
	}
	return g
}

// named are the sums of what spent anything, with their names.
func named(names []string, sums []tallySum) []quota.Group {
	all := make([]quota.Group, 0, len(sums))
	for n, sum := range sums {
		if sum.Attempts > 0 || sum.before > 0 {
			all = append(all, quota.Group{Name: names[n], Tally: sum.Tally, Lately: sum.lately, Before: sum.before})
		}
	}
	return inRank(all)
}

func ranked(groups map[string]*quota.Group) []quota.Group {
	all := make([]quota.Group, 0, len(groups))
	for _, g := range groups {
		all = append(all, *g)
	}
	return inRank(all)
}

func inRank(all []quota.Group) []quota.Group {
	slices.SortFunc(all, func(a, b quota.Group) int {
		return cmp.Or(cmp.Compare(b.Spent, a.Spent), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Add counts in one sum what another one has.
func Add(t, o *quota.Tally) { count(t, o, 1) }

// Subtract takes out of one sum what another one has, which is a part of it.
func Subtract(t, o *quota.Tally) { count(t, o, -1) }

func count(t, o *quota.Tally, times int64) {
	t.Attempts += times * o.Attempts
	t.Spent += times * o.Spent
	t.Refunded += times * o.Refunded
	t.Open += times * o.Open
	t.Unknown += times * o.Unknown
	t.Refused += times * o.Refused
	t.Failed += times * o.Failed
	t.Repeated += times * o.Repeated
	t.Again += times * o.Again
	t.Answers += times * o.Answers
	t.Retried += times * o.Retried
}
