package listing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// Filter says which entries of a journal somebody wants to see. A settlement and a
// refund belong to their spend: they have its time, test and operation.
type Filter struct {
	flags                                      *pflag.FlagSet
	run, kinds, became, rule, since, until     string
	suite, branch, actor, key, test, operation string
	request                                    string
	from, to                                   time.Time
}

// Flags are those of a filter.
func (f *Filter) Flags(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringVar(&f.run, "run", "", "only entries of this `run`, by the beginning of its id")
	flags.StringVar(&f.kinds, "kind", "", "only entries of these `kinds`, such as spend,refund")
	flags.StringVar(&f.became, "became", "", "only spends of which this became: "+strings.Join(fates(), ", "))
	flags.StringVar(&f.suite, "suite", "", "only entries of runs of this `suite`; empty is of none")
	flags.StringVar(&f.branch, "branch", "", "only entries of runs of this `branch`")
	flags.StringVar(&f.actor, "actor", "", "only entries of runs of this `person` or account")
	flags.StringVar(&f.key, "key", "", "only entries of runs of this `key` of a gateway")
	flags.StringVar(&f.test, "test", "", "only spends of this `test`")
	flags.StringVar(&f.operation, "operation", "", "only spends on this `operation`")
	flags.StringVar(&f.request, "request", "", "only spends of this `request`, by its whole key, as report --by request has it")
	flags.StringVar(&f.rule, "rule", "", "only refusals by this `rule`, such as usable or max_per_run/2")
	flags.StringVar(&f.since, "since", "", "only what happened since this `time`: a day, a time, or an age such as 30d")
	flags.StringVar(&f.until, "until", "", "only what happened before this `time`")
	typed.Untwin(flags, append(filters(), "run")...)
	typed.Values(flags, "kind", kinds...)
	typed.Values(flags, "became", fates()...)
}

// fateOf is what may become of a spend, and wasted is several of them.
var fateOf = []struct {
	name string
	is   func(quota.Tally) bool
}{
	{"new", func(t quota.Tally) bool { return t.Answers > 0 }},
	{"repeated", func(t quota.Tally) bool { return t.Repeated > 0 }},
	{"refused", func(t quota.Tally) bool { return t.Refused > 0 }},
	{"failed", func(t quota.Tally) bool { return t.Failed > 0 }},
	{"unknown", func(t quota.Tally) bool { return t.Unknown > 0 }},
	{"wasted", func(t quota.Tally) bool { return t.Wasted() > 0 }},
	{"again", func(t quota.Tally) bool { return t.Again > 0 }},
	{"open", func(t quota.Tally) bool { return t.Open > 0 }},
	{"refunded", func(t quota.Tally) bool { return t.Refunded > 0 }},
}

func fates() []string {
	var names []string
	for _, fate := range fateOf {
		names = append(names, fate.name)
	}
	return names
}

// set tells whether anything but a run is asked for.
func (f *Filter) set() bool {
	set := false
	f.flags.Visit(func(flag *pflag.Flag) { set = set || slices.Contains(filters(), flag.Name) })
	return set
}

// filters are the flags of a filter, but for --run.
func filters() []string {
	return []string{"kind", "became", "suite", "branch", "actor", "key", "test", "operation", "request", "rule", "since", "until"}
}

// Check says what is wrong with the flags, or nil.
func (f *Filter) Check(now time.Time) (err error) {
	if f.from, err = typed.Since("--since", f.since, now); err != nil {
		return err
	}
	if f.to, err = typed.Since("--until", f.until, now); err != nil {
		return err
	}
	if f.became != "" && !slices.Contains(fates(), f.became) {
		return fmt.Errorf("%q is nothing that becomes of a spend: it is one of %s", f.became, strings.Join(fates(), ", "))
	}
	for _, kind := range f.kindsAsked() {
		if !slices.Contains(kinds, quota.Kind(kind)) {
			return fmt.Errorf("%q is no kind of entry: it is one of %v", kind, kinds)
		}
	}
	return nil
}

var kinds = []quota.Kind{
	quota.KindGrant, quota.KindBegin, quota.KindHold, quota.KindSpend, quota.KindSettle, quota.KindRefund, quota.KindEnd,
	quota.KindRelease, quota.KindExpire, quota.KindBlock, quota.KindReconcile, quota.KindExhaust,
}

func (f *Filter) kindsAsked() []string {
	if f.kinds == "" {
		return nil
	}
	return strings.Split(f.kinds, ",")
}

// Sum is what entries add up to.
type Sum struct {
	Entries, Granted, Spent int64
	// Refused are the units that runs asked for which were refused.
	Refused int64
}

func (s *Sum) add(e quota.Entry) {
	s.Entries++
	switch e.Kind {
	case quota.KindGrant:
		s.Granted += e.Units
	case quota.KindSpend, quota.KindReconcile:
		s.Spent += e.Units
	case quota.KindRefund:
		s.Spent -= e.Units
	case quota.KindBlock:
		if e.Spec != nil {
			s.Refused += e.Spec.Max
		}
	}
}

// String is the sum in a line.
func (s Sum) String() string {
	noun := "entries"
	if s.Entries == 1 {
		noun = "entry"
	}
	return fmt.Sprintf("%d %s: granted %d, spent %d, refused %d", s.Entries, noun, s.Granted, s.Spent, s.Refused)
}

// spent is what a spend tells of those that follow it.
type spent struct {
	at                       time.Time
	test, operation, request string
}

// each hands each entry that f leaves to take, up to its first error.
func (f *Filter) each(ctx context.Context, store quota.Store, run string, take func(quota.Entry) error) error {
	set := f.set()
	by := map[string]quota.Attribution{}
	var fate map[string]quota.Tally
	if set {
		runs, err := store.Runs(ctx, 0)
		if err == nil && f.became != "" {
			fate, err = became(ctx, store, runs)
		}
		if err != nil {
			return session.Failed(err)
		}
		for _, r := range runs {
			by[r.ID] = r.Attribution
		}
	}
	spends := map[string]spent{}
	for e, err := range store.Entries(ctx, 0) {
		if err != nil {
			return session.Failed(err)
		}
		of := spent{e.Time, e.Test, e.Operation, e.RequestKey}
		switch {
		case !set: // nobody asks for the spend of a settlement
		case e.Kind == quota.KindSpend:
			spends[e.ID] = of
		case e.Kind == quota.KindSettle, e.Kind == quota.KindRefund:
			of = spends[e.ID]
		}
		who := by[e.Run]
		if e.Kind == quota.KindBlock && e.Spec != nil {
			who = e.Spec.Attribution
		}
		if run != "" && e.Run != run || set && !f.takes(e, of, who) || fate != nil && !f.isFate(e, fate) {
			continue
		}
		if err := take(e); err != nil {
			return err
		}
	}
	return nil
}

func (f *Filter) isFate(e quota.Entry, fate map[string]quota.Tally) bool {
	i := slices.Index(fates(), f.became)
	return e.Kind == quota.KindSpend && fateOf[i].is(fate[e.ID])
}

func (f *Filter) takes(e quota.Entry, of spent, who quota.Attribution) bool {
	if asked := f.kindsAsked(); asked != nil && !slices.Contains(asked, string(e.Kind)) {
		return false
	}
	if !of.at.IsZero() && (of.at.Before(f.from) || !f.to.IsZero() && !of.at.Before(f.to)) {
		return false
	}
	key := ""
	if who.Event == "gateway" {
		key = who.Actor
	}
	ofRun := e.Run != "" || e.Kind == quota.KindBlock
	isSpend := e.Kind == quota.KindSpend || e.Kind == quota.KindSettle || e.Kind == quota.KindRefund
	for _, want := range []struct {
		flag, value, is string
		has             bool
	}{
		{"suite", f.suite, who.Suite, ofRun}, {"branch", f.branch, who.Branch, ofRun}, {"actor", f.actor, who.Actor, ofRun},
		{"key", f.key, key, ofRun}, {"test", f.test, of.test, isSpend}, {"operation", f.operation, of.operation, isSpend},
		{"request", f.request, of.request, isSpend},
	} {
		if f.flags.Changed(want.flag) && (!want.has || want.value != want.is) {
			return false
		}
	}
	return f.rule == "" || slices.ContainsFunc(e.Refusals, func(r quota.Refusal) bool {
		return report.RuleKey(quota.Blocked{Rule: r.Rule, Budget: r.Budget}) == f.rule
	})
}

// became is what became of each spend, by its id.
func became(ctx context.Context, store quota.Store, runs []quota.RunInfo) (map[string]quota.Tally, error) {
	active := map[string]bool{}
	for _, r := range runs {
		active[r.ID] = r.State == quota.Active
	}
	open, ids, spends := map[string]bool{}, map[int64]string{}, map[string]int64{}
	p := tally.NewPart(0)
	for e, err := range store.Entries(ctx, 0) {
		if err != nil {
			return nil, err
		}
		switch e.Kind {
		case quota.KindSpend:
			open[e.ID], ids[e.Seq], spends[e.ID] = active[e.Run], e.ID, e.Seq
			p.Spend(tally.NewAttempt(e))
		case quota.KindSettle, quota.KindRefund:
			open[e.ID] = false
			p.Ending(spends[e.ID], e.Outcome, e.Status) // a late answer comes later
		}
	}
	for id, is := range open {
		if is {
			p.Ending(spends[id], "", 0)
		}
	}
	all := make(map[string]quota.Tally, len(ids))
	tally.Each(runs, p, func(seq int64, is quota.Tally) { all[ids[seq]] = is })
	return all, nil
}
