package quota

import (
	"crypto/sha256"
	"time"
)

// Attempt is a spend as a [Tallier] takes it. The bytes are not kept.
type Attempt struct {
	// At is the time of its entry.
	At time.Time
	// Run is the run's id, Operation and Test are those of the [SpendSpec], each empty
	// where it is not known.
	Run, Operation, Test string
	// ID is the id of the spend, RequestKey what equal requests share, empty where it
	// is not known.
	ID, RequestKey []byte
	// Units is its price; 0 for one that cost nothing.
	Units int64
}

// Tallier makes a [Statement]: from the runs, then the endings, then all spends
// and all grants, reconciliations, exhaustions and blocks in the order of the
// journal. All stores share it; it is for one goroutine.
type Tallier struct {
	s                 Statement
	now               time.Time
	runs              map[string]*tallyRun
	order             []*tallyRun
	endings           map[string]ending
	tests, operations map[string]*tallySum
	days              map[int64]*Day
	suiteDays         map[string]map[int64]*Day
	floors            map[int64]int64 // those that grants left, by day
	earlier           time.Time       // where Statement.Earlier begins
	blocked           map[Refusal]*Blocked
	refused           []refusedRun

	// keys has what happened to each request so far, tried the further runs that
	// tried it. A request is known by half of the SHA-256 of its key: there may be
	// a million of them.
	keys  map[request]tallyKey
	tried map[tallyTry]bool
}

type request [sha256.Size / 2]byte

// tallyRun is a run and what it spent since Statement.Since.
type tallyRun struct {
	number int32 // from 1
	info   RunInfo
	sum    tallySum
	// live buys again on purpose.
	live bool
	// day is that of the run's latest spend, of its suite, and dayNumber which one.
	day       *Day
	dayNumber int64
}

// tallySum is what one thing spent since Statement.Since, and lately, and before.
type tallySum struct {
	Tally
	lately, before int64
}

// refusedRun is one that was refused.
type refusedRun struct {
	at   time.Time
	spec RunSpec
}

// modeLive is how a run says that it buys again what is there, and eventGateway how
// the run of a gateway says that its actor is a key.
const (
	modeLive     = "live"
	eventGateway = "gateway"
)

// latelyDays are those of Statement.Lately, today among them.
const latelyDays = 30

type tallyKey struct {
	answered bool  // with a status below 400
	run      int32 // that tried first
}

type tallyTry struct {
	request request
	run     int32
}

// ending is what became of a spend.
type ending struct {
	outcome Outcome
	status  int
}

// NewTallier starts a statement over these runs, which are all there are. What is
// dated later than now, by a clock that was ahead, counts as of today.
func NewTallier(since, now time.Time, runs []RunInfo) *Tallier {
	t := &Tallier{
		now:  now,
		s:    Statement{Since: since, Recent: map[string][]int64{}},
		runs: make(map[string]*tallyRun, len(runs)), endings: map[string]ending{},
		tests: map[string]*tallySum{}, operations: map[string]*tallySum{}, days: map[int64]*Day{}, blocked: map[Refusal]*Blocked{},
		suiteDays: map[string]map[int64]*Day{}, floors: map[int64]int64{}, tried: map[tallyTry]bool{},
	}
	t.s.From = since
	if since.IsZero() {
		t.s.From = now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-latelyDays)
	}
	t.earlier = t.s.From.Add(t.s.From.Sub(now))
	spent := int64(0)
	for _, r := range runs {
		t.run(r)
		spent += r.Spent
	}
	const most = 1 << 20 // growing a large map costs more than all else, a wrong guess memory
	t.keys = make(map[request]tallyKey, min(spent, most))
	return t
}

func (t *Tallier) run(r RunInfo) *tallyRun {
	run := &tallyRun{info: r, number: int32(len(t.order) + 1), live: r.Mode == modeLive}
	t.runs[r.ID] = run
	t.order = append(t.order, run)
	return run
}

// Ending says what became of a spend in the end: an empty outcome for nothing
// yet. A spend without one was answered with a status below 400, as most are.
func (t *Tallier) Ending(spend string, outcome Outcome, status int) {
	t.endings[spend] = ending{outcome, status}
}

const secondsOfDay = 24 * 60 * 60

// past is a time that is not ahead of now.
func (t *Tallier) past(at time.Time) time.Time {
	if at.After(t.now) {
		at = t.now
	}
	return at
}

// dayOf numbers the days of UTC.
func (t *Tallier) dayOf(at time.Time) int64 { return t.past(at).Unix() / secondsOfDay }

func (t *Tallier) day(at time.Time) *Day { return dayIn(t.days, t.dayOf(at)) }

// suiteDay is the day of a suite.
func (t *Tallier) suiteDay(suite string, n int64) *Day {
	days := t.suiteDays[suite]
	if days == nil {
		days = map[int64]*Day{}
		t.suiteDays[suite] = days
	}
	return dayIn(days, n)
}

func dayIn(days map[int64]*Day, n int64) *Day {
	d := days[n]
	if d == nil {
		d = &Day{Start: time.Unix(n*secondsOfDay, 0).UTC()}
		days[n] = d
	}
	return d
}

// begins notes when the ledger began.
func (t *Tallier) begins(at time.Time) {
	at = t.past(at)
	if t.s.Begun.IsZero() || at.Before(t.s.Begun) {
		t.s.Begun = at.UTC()
	}
}

// Spend takes the next spend.
func (t *Tallier) Spend(a Attempt) {
	run := t.runs[a.Run]
	if run == nil { // in a ledger that Verify finds fault with
		run = t.run(RunInfo{RunSpec: RunSpec{ID: a.Run}})
	}
	sum := t.attempt(a, run)
	t.begins(a.At)
	n := t.dayOf(a.At)
	if run.day == nil || run.dayNumber != n {
		run.day, run.dayNumber = t.suiteDay(run.info.Suite, n), n
	}
	run.day.add(&sum)
	dayIn(t.days, n).add(&sum)
	test, operation := named(t.tests, a.Test), named(t.operations, a.Operation)
	switch {
	case !a.At.Before(t.s.From):
		t.s.Lately.add(&sum)
		run.sum.lately += sum.Spent
		test.lately += sum.Spent
		operation.lately += sum.Spent
	case !a.At.Before(t.earlier):
		t.s.Earlier.add(&sum)
		run.sum.before += sum.Spent
		test.before += sum.Spent
		operation.before += sum.Spent
	}
	if a.At.Before(t.s.Since) {
		return
	}
	run.sum.add(&sum)
	test.add(&sum)
	operation.add(&sum)
}

func named(sums map[string]*tallySum, name string) *tallySum {
	sum := sums[name]
	if sum == nil {
		sum = &tallySum{}
		sums[name] = sum
	}
	return sum
}

// attempt is the tally of one spend, given those before it.
func (t *Tallier) attempt(a Attempt, by *tallyRun) Tally {
	run := by.number
	end, other := t.endings[string(a.ID)]
	if end.outcome == Refunded {
		return Tally{Attempts: 1, Refunded: a.Units}
	}
	sum := Tally{Attempts: 1, Spent: a.Units}
	good := false
	switch {
	case other && end.outcome == "":
		sum.Open = a.Units
	case end.outcome == Unknown:
		sum.Unknown = a.Units
	case end.status >= 500:
		sum.Failed = a.Units
	case end.status >= 400:
		sum.Refused = a.Units
	default:
		good = true
	}
	if len(a.RequestKey) == 0 {
		if good && a.Units > 0 {
			sum.Answers = 1
		}
		return sum
	}
	hash := sha256.Sum256(a.RequestKey)
	id := request(hash[:])
	key, known := t.keys[id]
	switch {
	case !known:
		key.run = run
	case key.run == run || t.tried[tallyTry{id, run}]:
		sum.Retried = a.Units
	default:
		t.tried[tallyTry{id, run}] = true
	}
	switch {
	case good && key.answered && by.live:
		sum.Again = a.Units
	case good && key.answered:
		sum.Repeated = a.Units
	case good && a.Units > 0:
		sum.Answers = 1
	}
	if !known || good && !key.answered {
		key.answered = key.answered || good
		t.keys[id] = key
	}
	return sum
}
