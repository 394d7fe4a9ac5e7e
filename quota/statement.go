package quota

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"
)

// Statement is what a ledger's journal adds up to, for reports. Units are
// classification requests.
type Statement struct {
	// Since is where it begins: spends, runs, blocks and changes before it are
	// left out of everything but Days and Recent. Zero takes the whole journal.
	Since time.Time
	// Total sums all spends since Since.
	Total Tally
	// Days has each day of UTC on which something happened, the first one first,
	// from the start of the journal whatever Since is. None is later than today.
	Days []Day
	// The groups, the one that spent most first, then by name. The name is empty
	// for what had none.
	Suites, Branches, Actors, Operations, Tests []Group
	// Runs is how many began; Replayed, Missed and Saved are what they counted at
	// their end: requests answered by a recording, requests without one, and the
	// units that requests would have cost that were not sent.
	Runs, Replayed, Missed, Saved int64
	// Recent has for each suite what its latest finished runs spent, the latest
	// first, at most [RecentRuns] of them, runs that could spend nothing left out.
	Recent map[string][]int64
	// Blocked counts the refusals of each rule, the most frequent first.
	Blocked []Blocked
	// Changes are the grants, reconciliations and exhaustions, in order.
	Changes []Entry
}

// RecentRuns bounds the runs of a suite in [Statement.Recent].
const RecentRuns = 20

// Tally sums spends. All but Attempts is in units. Every part of Spent is disjoint
// from the others but Retried.
type Tally struct {
	// Attempts is how many spends there are, each of them one try on the wire.
	Attempts int64 `json:"attempts"`
	// Spent is in units and leaves out what was refunded.
	Spent int64 `json:"spent"`
	// Refunded is in units: proof came that nothing was sent, or that it does not count.
	Refunded int64 `json:"refunded"`
	// Open is the part of Spent that nothing is known of yet, because its run is
	// active.
	Open int64 `json:"open"`
	// Unknown is the part that was settled as unknown.
	Unknown int64 `json:"unknown"`
	// Refused is the part that was answered with a status of 400 to 499.
	Refused int64 `json:"refused"`
	// Failed is the part that was answered with a status of 500 or more.
	Failed int64 `json:"failed"`
	// Repeated is the part that was answered with a status below 400 although an
	// earlier spend on the same request key was: that answer was there already.
	Repeated int64 `json:"repeated"`
	// Retried is the part that followed, in the same run, another spend on the
	// same request key that counts. It overlaps with the others.
	Retried int64 `json:"retried"`
}

// Wasted is the part of Spent that bought no answer, or one that was there
// already.
func (t Tally) Wasted() int64 { return t.Unknown + t.Refused + t.Failed + t.Repeated }

func (t *Tally) add(o *Tally) {
	t.Attempts += o.Attempts
	t.Spent += o.Spent
	t.Refunded += o.Refunded
	t.Open += o.Open
	t.Unknown += o.Unknown
	t.Refused += o.Refused
	t.Failed += o.Failed
	t.Repeated += o.Repeated
	t.Retried += o.Retried
}

// Group is what spends with one thing in common add up to.
type Group struct {
	// Name is what they have in common; empty for what had none.
	Name string `json:"name"`
	// Runs is how many began; 0 for tests and operations.
	Runs int64 `json:"runs"`
	Tally
}

// Day is one day of UTC.
type Day struct {
	// Start is its midnight.
	Start time.Time `json:"start"`
	Tally
	// Granted is how many units grants added.
	Granted int64 `json:"granted"`
	// Corrected is how many units reconciliations added to what counts as spent. It
	// may be negative.
	Corrected int64 `json:"corrected"`
	// Left is granted − spent, in units, at the end of the day, without holds. A refund
	// counts on the day of its spend.
	Left int64 `json:"left"`
}

// Blocked is how often a rule refused a run.
type Blocked struct {
	// Rule is that of the [Refusal].
	Rule string `json:"rule"`
	// Budget is that of the [Refusal]: the rule's position from 1, or 0.
	Budget int `json:"budget,omitempty"`
	// Times is how often.
	Times int64 `json:"times"`
	// Units is how many units the refused runs asked for in all.
	Units int64 `json:"units"`
	// Last is when the latest one was refused.
	Last time.Time `json:"last"`
	// Suite is the suite of the latest one. Empty is not known.
	Suite string `json:"suite"`
}

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
	tests, operations map[string]*Tally
	days              map[int64]*Day
	blocked           map[Refusal]*Blocked

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
	sum    Tally
}

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
		tests: map[string]*Tally{}, operations: map[string]*Tally{}, days: map[int64]*Day{}, blocked: map[Refusal]*Blocked{},
		tried: map[tallyTry]bool{},
	}
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
	run := &tallyRun{info: r, number: int32(len(t.order) + 1)}
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

func (t *Tallier) day(at time.Time) *Day {
	if at.After(t.now) {
		at = t.now
	}
	n := at.Unix() / secondsOfDay
	d := t.days[n]
	if d == nil {
		d = &Day{Start: time.Unix(n*secondsOfDay, 0).UTC()}
		t.days[n] = d
	}
	return d
}

// Spend takes the next spend.
func (t *Tallier) Spend(a Attempt) {
	run := t.runs[a.Run]
	if run == nil { // in a ledger that Verify finds fault with
		run = t.run(RunInfo{RunSpec: RunSpec{ID: a.Run}})
	}
	sum := t.attempt(a, run.number)
	t.day(a.At).add(&sum)
	if a.At.Before(t.s.Since) {
		return
	}
	run.sum.add(&sum)
	named(t.tests, a.Test).add(&sum)
	named(t.operations, a.Operation).add(&sum)
}

func named(sums map[string]*Tally, name string) *Tally {
	sum := sums[name]
	if sum == nil {
		sum = &Tally{}
		sums[name] = sum
	}
	return sum
}

// attempt is the tally of one spend, given those before it.
func (t *Tallier) attempt(a Attempt, run int32) Tally {
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
	if good && key.answered {
		sum.Repeated = a.Units
	}
	if !known || good && !key.answered {
		key.answered = key.answered || good
		t.keys[id] = key
	}
	return sum
}

// Entry takes the next grant, reconciliation, exhaustion or block.
func (t *Tallier) Entry(e Entry) {
	switch e.Kind {
	case KindGrant:
		t.day(e.Time).Granted += e.Units
	case KindReconcile:
		t.day(e.Time).Corrected += e.Units
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
	suites, branches, actors := map[string]*Group{}, map[string]*Group{}, map[string]*Group{}
	for _, r := range slices.Backward(t.order) {
		if r.info.State != Active && r.info.Max > 0 && len(s.Recent[r.info.Suite]) < RecentRuns {
			s.Recent[r.info.Suite] = append(s.Recent[r.info.Suite], r.info.Spent)
		}
		began := !r.info.Begun.Before(s.Since)
		if !began && r.sum == (Tally{}) {
			continue
		}
		s.Total.add(&r.sum)
		for _, g := range []*Group{group(suites, r.info.Suite), group(branches, r.info.Branch), group(actors, r.info.Actor)} {
			g.add(&r.sum)
			if began {
				g.Runs++
			}
		}
		if began {
			s.Runs++
			s.Replayed += r.info.Counters.Replayed
			s.Missed += r.info.Counters.Missed
			s.Saved += r.info.Counters.WouldSpend
		}
	}
	s.Suites, s.Branches, s.Actors = ranked(suites), ranked(branches), ranked(actors)
	s.Operations, s.Tests = ranked(groups(t.operations)), ranked(groups(t.tests))
	for _, d := range t.days {
		s.Days = append(s.Days, *d)
	}
	slices.SortFunc(s.Days, func(a, b Day) int { return a.Start.Compare(b.Start) })
	left := int64(0)
	for i := range s.Days {
		d := &s.Days[i]
		left += d.Granted - d.Corrected - d.Spent
		d.Left = left
	}
	for _, b := range t.blocked {
		s.Blocked = append(s.Blocked, *b)
	}
	slices.SortFunc(s.Blocked, func(a, b Blocked) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Budget, b.Budget))
	})
	return *s
}

func group(groups map[string]*Group, name string) *Group {
	g := groups[name]
	if g == nil {
		g = &Group{Name: name}
		groups[name] = g
	}
	return g
}

func groups(sums map[string]*Tally) map[string]*Group {
	all := make(map[string]*Group, len(sums))
	for name, sum := range sums {
		all[name] = &Group{Name: name, Tally: *sum}
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
