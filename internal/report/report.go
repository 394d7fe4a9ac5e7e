// Package report holds what a run found out, as data, and writes it: as lines
// for a terminal ([Text]), as [JSON], as [JUnit] XML, as [Markdown] for the
// summary of a CI job and as annotations of [GitHub] Actions. Its page is written by
// package pages.
//
// The package knows no scenario and no guard. Whoever runs something fills a
// [Run] and hands it over.
//
// It may touch the types of package quota and the writer that it is given.
package report

import (
	"fmt"
	"time"
)

// Verdict is what became of a scenario or of one of its cases.
type Verdict string

const (
	// Mocked passed on answers of the mock API.
	Mocked Verdict = "mocked"
	// Replayed passed on recordings.
	Replayed Verdict = "replayed"
	// Bought passed on at least one answer of the sandbox.
	Bought Verdict = "bought"
	// Stale passed on recordings, of which at least one is older than the
	// project's recordings.max_age.
	Stale Verdict = "stale"
	// Unbought passed on answers of which at least one is the mock's, in a replay, because
	// it was never bought.
	Unbought Verdict = "unbought"
	// Skipped was not carried out, and is no failure: see [Case.Why].
	Skipped Verdict = "skipped"
	// Missed asked for something that was never recorded. It counts as failed.
	Missed Verdict = "missed"
	// Blocked asked for something that the ledger did not allow. It counts as
	// failed.
	Blocked Verdict = "blocked"
	// Failed did not meet an expectation, or could not be carried out.
	Failed Verdict = "failed"
)

// Failed tells the verdicts that fail a run.
func (v Verdict) Failed() bool { return v == Failed || v == Missed || v == Blocked }

// Run is one execution of a selection of scenarios.
type Run struct {
	Scenarios []Scenario
	Elapsed   time.Duration
	// Seed is what the cases were shuffled with; 0 is the order of the files.
	Seed uint64
	Bill Bill
	// Allowance is how it stands after the run, nil where that is not known.
	Allowance *Budget
}

// Failed counts the scenarios that failed.
func (r Run) Failed() int {
	n := 0
	for _, s := range r.Scenarios {
		if s.Verdict.Failed() {
			n++
		}
	}
	return n
}

// Scenario is the outcome of one scenario file over all its cases.
type Scenario struct {
	File    string  `json:"file"`
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	// Part says what chose some of its cases, such as "shard 1/4"; empty where all ran.
	Part string `json:"part,omitempty"`
	// Of is how many cases the whole file has where it is a part; else 0.
	Of int `json:"of,omitempty"`
	// Cases are the cases of its matrix; one without a name when it has none.
	Cases []Case `json:"cases"`
	// Spend is the price of its requests in units: spent, or would have been.
	Spend int `json:"spend"`
	// Calls is how many requests the guard saw.
	Calls int `json:"calls"`
	// ElapsedMS is its time on the wall in milliseconds.
	ElapsedMS int64 `json:"elapsed_ms"`
	// Scores are those of its steps over all cases, and Unmet what is wrong with them: the
	// failures of no single case.
	Scores []Score   `json:"scores,omitempty"`
	Unmet  []Failure `json:"unmet,omitempty"`
	// Again is the command that runs just this one. May be empty.
	Again string `json:"again,omitempty"`
}

// Skipped counts the cases that were left out.
func (s Scenario) Skipped() int {
	n := 0
	for _, c := range s.Cases {
		if c.Verdict == Skipped {
			n++
		}
	}
	return n
}

// LeftOut says how many cases were left out and why, empty for none.
func (s Scenario) LeftOut() string {
	for _, c := range s.Cases {
		if c.Verdict == Skipped {
			return fmt.Sprintf("%d skipped: %s", s.Skipped(), c.Why)
		}
	}
	return ""
}

// Failures collects those of all cases, and of the scores.
func (s Scenario) Failures() []Failure {
	var all []Failure
	for _, c := range s.Cases {
		all = append(all, c.Failures...)
	}
	return append(all, s.Unmet...)
}

// Case is one combination of a matrix.
type Case struct {
	// Name is "country=US", empty without a matrix.
	Name string `json:"name,omitempty"`
	// Row is where the row of data stands that it was made of, FILE:LINE; empty without.
	Row     string  `json:"row,omitempty"`
	Verdict Verdict `json:"verdict"`
	// Why is the reason of a case that was left out, such as "not bought".
	Why   string `json:"why,omitempty"`
	Spend int    `json:"spend"`
	Calls int    `json:"calls"`
	// ElapsedMS is its time on the wall in milliseconds.
	ElapsedMS int64     `json:"elapsed_ms"`
	Failures  []Failure `json:"failures,omitempty"`
	// Scores are what its answers are worth to the scores of the scenario.
	Scores []ScoreRow `json:"scores,omitempty"`
}

// Failure is one thing that was not as the file says.
type Failure struct {
	// File, Line and Column point at what was expected. Line and Column count
	// from 1 and are 0 where there is no such place.
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Case   string `json:"case,omitempty"`
	// Row is where the row of data stands that the case was made of; empty without.
	Row  string `json:"row,omitempty"`
	Step string `json:"step,omitempty"`
	// Message is the whole finding in a line.
	Message string `json:"message"`
	// Want and Got are set where one value was compared with another.
	Want string `json:"want,omitempty"`
	Got  string `json:"got,omitempty"`
	// Exchange is the request and its answer, secrets masked; may be empty.
	Exchange string `json:"exchange,omitempty"`
}

// Recordings names the files that a run wrote what it bought into.
type Recordings struct {
	// Dir is the recordings folder, as an absolute path.
	Dir string `json:"dir"`
	// Written are files in it, as slash-separated paths below it, sorted.
	Written []string `json:"written"`
	// Copies are the absolute paths of answers that could not be recorded where they
	// belong, and Quarantined of those with a secret in them.
	Copies      []string `json:"copies,omitempty"`
	Quarantined []string `json:"quarantined,omitempty"`
}

// Bill says what a run cost. Units are classification requests.
type Bill struct {
	Run  string `json:"run"`
	Mode string `json:"mode"`
	// ModeLimitedBy names what kept the mode from going further.
	ModeLimitedBy string `json:"mode_limited_by"`
	// MaxSpend is the most the run might have spent.
	MaxSpend       int `json:"max_spend"`
	Requests       int `json:"requests"`
	Spent          int `json:"spent"`
	Unknown        int `json:"unknown"`
	Replayed       int `json:"replayed"`
	Mocked         int `json:"mocked"`
	Missed         int `json:"missed"`
	Refused        int `json:"refused"`
	WouldHaveSpent int `json:"would_have_spent"`
	// MissedUnits is what buying Missed would cost, at most.
	MissedUnits int `json:"missed_units,omitempty"`
	// Unbought is the part of Mocked that a replay let the mock API answer because it was
	// never bought. UnboughtUnits is what buying them would cost, and Buy how, empty where
	// that is not known.
	Unbought      int    `json:"unbought,omitempty"`
	UnboughtUnits int    `json:"unbought_units,omitempty"`
	Buy           string `json:"-"`
	// AskedAgain is how many metered requests were sent though they had been
	// before: what came then is kept as evidence and is no answer.
	AskedAgain int `json:"asked_again,omitempty"`
	// Proxy is the host and port that the way to the sandbox led through, or
	// several; empty for a direct one.
	Proxy string `json:"proxy,omitempty"`
	// Waited is how requests waited for their turn at the account's rate; nil where none
	// did.
	Waited *Waited `json:"waited,omitempty"`
	// Seal is what kept the command from other hosts: sealed, or intercept, which only
	// helps; empty for nothing. AskedFor are hosts that it asked for and that are not
	// there, in order, and AskedForMore how many there were besides.
	Seal         string   `json:"seal,omitempty"`
	AskedFor     []string `json:"asked,omitempty"`
	AskedForMore int      `json:"asked_more,omitempty"`
	// Recordings is where the answers that the run bought are. It is nil where the run
	// could buy none.
	Recordings *Recordings `json:"recordings,omitempty"`
	// Left is what ordinary runs may still spend. It is null without a ledger, and where
	// NotLeft says why it is not known.
	Left    *int   `json:"left"`
	NotLeft string `json:"left_unknown,omitempty"`
	// Asked is the mode that the run was asked for where it went less far, by
	// ModeLimitedBy; else empty.
	Asked string `json:"-"`
	// Next is what to type where there is no ledger, empty for nothing.
	Next string `json:"-"`
	// Refusal is the gravest of the guard's refusals that fail a run, empty without
	// one.
	Refusal string `json:"-"`
	// Exit is the exit code. CommandExit is that of the command behind the guard, null
	// where there was none; the run's Verdict leaves it out: ok, failed, missed,
	// blocked, unavailable, upstream, policy or usage.
	Exit        int    `json:"exit"`
	CommandExit *int   `json:"command_exit"`
	Verdict     string `json:"verdict"`
	// Reason is why Exit is not 0, or what is odd about a run of which it is.
	Reason string `json:"reason"`
	// Begun is when the run began, zero is not known. Suite, Branch and Commit say on whose
	// behalf it was, as its attribution in the ledger does; each may be empty.
	Begun  time.Time `json:"begun,omitzero"`
	Suite  string    `json:"suite,omitempty"`
	Branch string    `json:"branch,omitempty"`
	Commit string    `json:"commit,omitempty"`
}

// Waited is how long requests waited for their turn.
type Waited struct {
	// Requests is how many waited, and LongestMS and TotalMS how long: one of them at
	// most, and all together.
	Requests  int   `json:"requests"`
	LongestMS int64 `json:"longest_ms"`
	TotalMS   int64 `json:"total_ms"`
}
