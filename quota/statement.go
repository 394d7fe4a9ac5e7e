package quota

import "time"

// Statement is what a ledger's journal adds up to, for reports. Units are
// classification requests.
type Statement struct {
	// Status is the state of the allowance at the moment that the statement is of.
	Status Status
	// Since is where it begins: spends, runs, blocks and changes before it are
	// left out of everything but Days and Recent. Zero takes the whole journal.
	Since time.Time
	// Total sums all spends since Since.
	Total Tally
	// Begun is the time of the first entry that moved units, zero without one.
	Begun time.Time
	// From is Since, and without one the midnight that begins the last 30 days.
	From time.Time
	// Lately sums what was since From. It has no name.
	Lately Group
	// Earlier sums what was before From, for as long as Lately is.
	Earlier Group
	// Days has each day of UTC on which something happened, the first one first,
	// from the start of the journal whatever Since is. None is later than today.
	Days []Day
	// SuiteDays has the same days of each suite, with its spends, what its runs saved
	// and how often they were blocked, and nothing of the allowance.
	SuiteDays map[string][]Day
	// The groups, the one that spent most first, then by name. The name is empty
	// for what had none. Keys are those of gateways.
	Suites, Branches, Actors, Keys, Operations, Tests []Group
	// Runs is how many began; Replayed, Missed and Saved are what they counted at
	// their end: requests answered by a recording, requests without one, and the
	// units that requests would have cost that were not sent.
	Runs, Replayed, Missed, Saved int64
	// Recent has for each suite what its latest finished runs spent, the latest
	// first, at most [RecentRuns] of them, runs that could spend nothing left out.
	Recent map[string][]int64
	// Blocked counts the refusals of each rule and suite, the most frequent first.
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
	// earlier spend on the same request key was: that answer was there already, and
	// nobody meant to buy it again.
	Repeated int64 `json:"repeated"`
	// Again is the part of which the same holds, but for a run in mode live, which
	// buys again on purpose, as a verification of recordings does.
	Again int64 `json:"again"`
	// Answers is how many spends of a unit or more were the first to be answered with a
	// status below 400 on their request key. It counts answers, and not units.
	Answers int64 `json:"answers"`
	// Retried is the part that followed, in the same run, another spend on the
	// same request key that counts. It overlaps with the others.
	Retried int64 `json:"retried"`
}

// Wasted is the part of Spent that bought no answer, or one that was there
// already.
func (t Tally) Wasted() int64 { return t.Unknown + t.Refused + t.Failed + t.Repeated }

// Group is what spends with one thing in common add up to.
type Group struct {
	// Name is what they have in common; empty for what had none.
	Name string `json:"name"`
	// Runs is how many began; 0 for tests and operations, as are Blocked, Replayed and
	// Saved.
	Runs int64 `json:"runs"`
	// Blocked is how many runs were refused.
	Blocked int64 `json:"blocked"`
	// Replayed is how many requests a recording answered, as the runs counted them at
	// their end.
	Replayed int64 `json:"replayed"`
	// Saved is what the requests would have cost, in units, that were not sent.
	Saved int64 `json:"saved"`
	// Lately is how many units were spent in the time of [Statement.Lately].
	Lately int64 `json:"lately"`
	// Before is how many were in that of [Statement.Earlier].
	Before int64 `json:"before"`
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
	// Floor is how many units ordinary runs might not touch at the end of the day.
	Floor int64 `json:"floor"`
	// Left is what ordinary runs might still spend at the end of the day, in units:
	// granted − spent − floor, never below 0. Holds are not in it. A refund counts on
	// the day of its spend.
	Left int64 `json:"left"`
	// Blocked is how many runs were refused.
	Blocked int64 `json:"blocked"`
	// Replayed is that of a [Group], of the runs that began on the day.
	Replayed int64 `json:"replayed"`
	// Saved is that of a [Group], in units, of the same runs.
	Saved int64 `json:"saved"`
}

// Blocked is how often a rule refused the runs of a suite.
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
	// Suite is whose runs they were. Empty is not known.
	Suite string `json:"suite"`
}
