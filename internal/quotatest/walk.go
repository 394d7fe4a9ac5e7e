package quotatest

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// walked compares the statement of a store with what a walk over its entries
// finds, from the start and from a moment in the middle.
func (f *fixture) walked() {
	f.Helper()
	for _, since := range []time.Time{{}, start.Add(time.Minute)} {
		got := f.continued(since)
		w := walk(f.store.Entries(context.Background(), 0), since, f.clock.Now())
		require.NoError(f, w.err)
		assert.Equal(f, w.total, got.Total)
		for name, groups := range map[string][]quota.Group{
			"suite": got.Suites, "branch": got.Branches, "actor": got.Actors, "operation": got.Operations, "test": got.Tests,
		} {
			assert.Equal(f, w.groups[name], sums(groups), name)
			assert.True(f, slices.IsSortedFunc(groups, func(a, b quota.Group) int {
				return cmp.Or(cmp.Compare(b.Spent, a.Spent), cmp.Compare(a.Name, b.Name))
			}), name)
		}
		days := map[string]quota.Tally{}
		for _, d := range got.Days {
			if d.Tally != (quota.Tally{}) {
				days[d.Start.Format(time.DateOnly)] = d.Tally
			}
		}
		assert.Equal(f, w.days, days)
		assert.Equal(f, w.changes, len(got.Changes))
		if n := len(got.Days); n > 0 && since.IsZero() {
			s, err := f.store.Status(context.Background())
			require.NoError(f, err)
			assert.Equal(f, max(s.Granted-s.Spent-s.Floor, 0), got.Days[n-1].Left, "what ordinary runs may still spend at the end of the last day")
			assert.Equal(f, s.Floor, got.Days[n-1].Floor)
		}
	}
}

// continued is the statement of everything. It compares it with one that goes on from
// the one before.
func (f *fixture) continued(since time.Time) quota.Statement {
	f.Helper()
	whole, err := f.store.Statement(context.Background(), since)
	require.NoError(f, err)
	var more quota.Statement
	more, f.known, err = f.store.(tally.Summer).Sum(context.Background(), since, f.known)
	require.NoError(f, err)
	assert.Equal(f, whole, more, "one that goes on from the one before")
	return whole
}

func sums(groups []quota.Group) map[string]quota.Tally {
	all := map[string]quota.Tally{}
	for _, g := range groups {
		if g.Tally != (quota.Tally{}) {
			all[g.Name] = g.Tally
		}
	}
	return all
}

// walker is a statement made the long way: everything in memory, and looked at
// again for every spend.
type walker struct {
	total   quota.Tally
	groups  map[string]map[string]quota.Tally
	days    map[string]quota.Tally
	changes int
	err     error
}

func walk(entries iter.Seq2[quota.Entry, error], since, now time.Time) walker {
	w := walker{groups: map[string]map[string]quota.Tally{}, days: map[string]quota.Tally{}}
	for _, name := range []string{"suite", "branch", "actor", "operation", "test"} {
		w.groups[name] = map[string]quota.Tally{}
	}
	var spends []quota.Entry
	runs, ends := map[string]quota.RunSpec{}, map[string]quota.Entry{}
	for e, err := range entries {
		if err != nil {
			w.err = err
			return w
		}
		switch e.Kind {
		case quota.KindBegin:
			runs[e.Run] = *e.Spec
		case quota.KindSpend:
			spends = append(spends, e)
		case quota.KindSettle, quota.KindRefund:
			ends[e.ID] = e
		case quota.KindGrant, quota.KindReconcile, quota.KindExhaust:
			if !e.Time.Before(since) {
				w.changes++
			}
		}
	}
	good := func(e quota.Entry) bool { return ends[e.ID].Outcome == quota.Answered && ends[e.ID].Status < 400 }
	for i, e := range spends {
		sum := quota.Tally{Attempts: 1}
		end := ends[e.ID]
		switch {
		case end.Kind == quota.KindRefund:
			sum.Refunded = e.Units
		case end.Outcome == "":
			sum.Open = e.Units
		case end.Outcome == quota.Unknown:
			sum.Unknown = e.Units
		case end.Status >= 500:
			sum.Failed = e.Units
		case end.Status >= 400:
			sum.Refused = e.Units
		}
		if sum.Refunded == 0 {
			sum.Spent = e.Units
			same := slices.DeleteFunc(slices.Clone(spends[:i]), func(o quota.Entry) bool {
				return e.RequestKey == "" || o.RequestKey != e.RequestKey || ends[o.ID].Kind == quota.KindRefund
			})
			if slices.ContainsFunc(same, func(o quota.Entry) bool { return o.Run == e.Run }) {
				sum.Retried = e.Units
			}
			switch there := slices.ContainsFunc(same, good); {
			case good(e) && there && runs[e.Run].Mode == "live":
				sum.Again = e.Units
			case good(e) && there:
				sum.Repeated = e.Units
			case good(e) && e.Units > 0:
				sum.Answers = 1
			}
		}
		day := e.Time.Format(time.DateOnly)
		if e.Time.After(now) {
			day = now.Format(time.DateOnly)
		}
		w.days[day] = plus(w.days[day], sum)
		if e.Time.Before(since) {
			continue
		}
		w.total = plus(w.total, sum)
		run := runs[e.Run]
		for by, name := range map[string]string{
			"suite": run.Suite, "branch": run.Branch, "actor": run.Actor, "operation": e.Operation, "test": e.Test,
		} {
			w.groups[by][name] = plus(w.groups[by][name], sum)
		}
	}
	return w
}

func plus(a, b quota.Tally) quota.Tally {
	return quota.Tally{
		Attempts: a.Attempts + b.Attempts, Spent: a.Spent + b.Spent, Refunded: a.Refunded + b.Refunded, Open: a.Open + b.Open,
		Unknown: a.Unknown + b.Unknown, Refused: a.Refused + b.Refused, Failed: a.Failed + b.Failed,
		Repeated: a.Repeated + b.Repeated, Retried: a.Retried + b.Retried, Again: a.Again + b.Again, Answers: a.Answers + b.Answers,
	}
}
