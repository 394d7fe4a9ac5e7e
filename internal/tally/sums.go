package tally

import (
	"maps"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// sums makes one statement: from a journal's runs, then its spends, then the grants,
// reconciliations, exhaustions and blocks in their order. Times are in microseconds.
type sums struct {
	s                 quota.Statement
	now               time.Time
	since, from       int64
	earlier           int64 // where Statement.Earlier begins
	until             int64 // now
	begun             int64 // of Statement.Begun; 0 for not yet
	runs              []*tallyRun
	order             []*tallyRun
	words             *Journal
	tests, operations []tallySum
	days              map[int64]*quota.Day
	today             *quota.Day // that of the latest spend
	todayNumber       int64
	suiteDays         map[string]map[int64]*quota.Day
	floors            map[int64]int64 // those that grants left, by day
	blocked           map[refusal]*quota.Blocked
	refused           []refusedRun
}

// refusal is a rule that refused, and whose run.
type refusal struct {
	rule   string
	budget int
	suite  string
}

// tallyRun is a run and what it spent since Statement.Since.
type tallyRun struct {
	info quota.RunInfo
	sum  tallySum
	// spent is what it spent at any time.
	spent int64
	// day is that of the run's latest spend, of its suite, and dayNumber which one.
	day       *quota.Day
	dayNumber int64
}

// tallySum is what one thing spent since Statement.Since, and lately, and before.
type tallySum struct {
	quota.Tally
	lately, before int64
}

// refusedRun is one that was refused.
type refusedRun struct {
	at   time.Time
	spec quota.RunSpec
}

// eventGateway is how the run of a gateway says that its actor is a key.
const eventGateway = "gateway"

// latelyDays are those of Statement.Lately, today among them.
const latelyDays = 30

// newSums starts a statement. What is dated later than now, by a clock that was
// ahead, counts as of today.
func newSums(since, now time.Time) *sums {
	t := &sums{
		now: now, since: micros(since), until: now.UnixMicro(),
		s:    quota.Statement{Since: since, Recent: map[string][]int64{}},
		days: map[int64]*quota.Day{}, blocked: map[refusal]*quota.Blocked{},
		suiteDays: map[string]map[int64]*quota.Day{}, floors: map[int64]int64{},
	}
	t.s.From = since
	if since.IsZero() {
		t.s.From = now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-latelyDays)
	}
	t.from, t.earlier = micros(t.s.From), micros(t.s.From.Add(t.s.From.Sub(now)))
	return t
}

// begin takes the runs, which are all there are.
func (t *sums) begin(j *Journal, runs []quota.RunInfo) {
	t.words = j
	t.runs = make([]*tallyRun, len(j.runs.all))
	t.tests, t.operations = make([]tallySum, len(j.tests.all)), make([]tallySum, len(j.operations.all))
	all := make([]tallyRun, len(runs))
	t.order = make([]*tallyRun, 0, len(runs))
	for i := range runs {
		all[i].info = runs[i]
		t.order = append(t.order, &all[i])
		if n, ok := j.runs.numbers[runs[i].ID]; ok {
			t.runs[n] = &all[i]
		}
	}
	for n := range t.runs {
		if t.runs[n] == nil { // in a ledger that Verify finds fault with
			t.runs[n] = &tallyRun{info: quota.RunInfo{RunSpec: quota.RunSpec{ID: j.runs.all[n]}}}
			t.order = append(t.order, t.runs[n])
		}
	}
}

// balanced tells whether each run spent what the ledger says of it.
func (t *sums) balanced() bool {
	for _, r := range t.order {
		if r.spent != r.info.Spent {
			return false
		}
	}
	return true
}

const (
	secondsOfDay = 24 * 60 * 60
	microsOfDay  = secondsOfDay * 1_000_000
)

// dayOf numbers the days of UTC.
func (t *sums) dayOf(at int64) int64 { return min(at, t.until) / microsOfDay }

// suiteDay is the day of a suite.
func (t *sums) suiteDay(suite string, n int64) *quota.Day {
	days := t.suiteDays[suite]
	if days == nil {
		days = map[int64]*quota.Day{}
		t.suiteDays[suite] = days
	}
	return dayIn(days, n)
}

func dayIn(days map[int64]*quota.Day, n int64) *quota.Day {
	d := days[n]
	if d == nil {
		d = &quota.Day{Start: time.Unix(n*secondsOfDay, 0).UTC()}
		days[n] = d
	}
	return d
}

// begins notes when the ledger began.
func (t *sums) begins(at int64) {
	if at = min(at, t.until); t.begun == 0 || at < t.begun {
		t.begun = at
	}
}

// add counts the spend in a sum.
func (s *spent) add(to *quota.Tally) {
	to.Attempts++
	if s.is == refunded {
		to.Refunded += s.units
		return
	}
	to.Spent += s.units
	switch s.is &^ retried {
	case answered:
		to.Answers++
	case opened:
		to.Open += s.units
	case unknown:
		to.Unknown += s.units
	case refused:
		to.Refused += s.units
	case failed:
		to.Failed += s.units
	case repeated:
		to.Repeated += s.units
	case again:
		to.Again += s.units
	}
	if s.is&retried != 0 {
		to.Retried += s.units
	}
}

// spend takes the next spend.
func (t *sums) spend(s *spent) {
	run, units := t.runs[s.run], s.units
	if s.is == refunded {
		units = 0
	}
	run.spent += units
	t.begins(s.at)
	n := t.dayOf(s.at)
	if run.day == nil || run.dayNumber != n {
		run.day, run.dayNumber = t.suiteDay(run.info.Suite, n), n
	}
	if t.today == nil || t.todayNumber != n {
		t.today, t.todayNumber = dayIn(t.days, n), n
	}
	s.add(&run.day.Tally)
	s.add(&t.today.Tally)
	test, operation := &t.tests[s.test], &t.operations[s.operation]
	switch {
	case s.at >= t.from:
		s.add(&t.s.Lately.Tally)
		run.sum.lately += units
		test.lately += units
		operation.lately += units
	case s.at >= t.earlier:
		s.add(&t.s.Earlier.Tally)
		run.sum.before += units
		test.before += units
		operation.before += units
	}
	if s.at < t.since {
		return
	}
	s.add(&run.sum.Tally)
	s.add(&test.Tally)
	s.add(&operation.Tally)
}

// entry takes the next grant, reconciliation, exhaustion or block.
func (t *sums) entry(e quota.Entry) {
	at := e.Time.UnixMicro()
	n := t.dayOf(at)
	switch e.Kind {
	case quota.KindGrant:
		t.begins(at)
		dayIn(t.days, n).Granted += e.Units
		maps.DeleteFunc(t.floors, func(day, _ int64) bool { return day > n }) // the clock went back, and the last word holds
		t.floors[n] = e.Floor
	case quota.KindReconcile:
		t.begins(at)
		dayIn(t.days, n).Corrected += e.Units
	case quota.KindBlock:
		r := refusedRun{at: e.Time}
		if e.Spec != nil {
			r.spec = *e.Spec
		}
		t.refused = append(t.refused, r)
	}
	if at < t.since {
		return
	}
	if e.Kind != quota.KindBlock {
		t.s.Changes = append(t.s.Changes, e)
		return
	}
	for _, r := range e.Refusals {
		of := refusal{rule: r.Rule, budget: r.Budget}
		if e.Spec != nil {
			of.suite = e.Spec.Suite
		}
		b := t.blocked[of]
		if b == nil {
			b = &quota.Blocked{Rule: of.rule, Budget: of.budget, Suite: of.suite}
			t.blocked[of] = b
		}
		b.Times++
		b.Last = e.Time
		if e.Spec != nil {
			b.Units += e.Spec.Max
		}
	}
}
