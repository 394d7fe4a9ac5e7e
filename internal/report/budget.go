package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// Budget is what became of an allowance, as data. Units are classification
// requests, days are those of UTC.
type Budget struct {
	// Made is when, and Seq after which entry of the ledger.
	Made      time.Time `json:"made"`
	LedgerID  string    `json:"ledger_id"`
	Seq       int64     `json:"seq"`
	Allowance string    `json:"allowance"`
	// Ledger is where the ledger is, without a password, for commands that name it; empty is
	// that of the project.
	Ledger string `json:"ledger,omitempty"`
	// Summary is how it stands, in a few sentences; see [Budget.Answers].
	Summary string `json:"summary"`
	// Since is where the report begins; zero is with the ledger. The figures from
	// Granted to Exhausted, Forecast and RunsLeft do not depend on it.
	Since time.Time `json:"since,omitzero"`
	// Begun is when the ledger began; zero is not known.
	Begun time.Time `json:"begun,omitzero"`

	Granted int64 `json:"granted"`
	// Spent is all that counts against Granted, with what was spent before the
	// ledger began and what reconciliations added; Unknown is the part of it whose
	// outcome nobody knows.
	Spent   int64 `json:"spent"`
	Unknown int64 `json:"unknown"`
	Held    int64 `json:"held"`
	// Left is what ordinary runs may still spend: Usable, and never below 0.
	Left int64 `json:"left"`
	// Available is Granted − Spent − Held, Usable is Available − Floor; both may be
	// negative.
	Available int64 `json:"available"`
	Floor     int64 `json:"floor"`
	Usable    int64 `json:"usable"`
	Exhausted bool  `json:"exhausted"`
	// Bar is zero unless the ledger is barred, which is a part of Exhausted.
	Bar quota.Bar `json:"bar,omitzero"`

	Forecast Forecast   `json:"forecast"`
	RunsLeft []RunsLeft `json:"runs_left"`

	// Total sums the spends since Since, Wasted is [quota.Tally.Wasted] of it.
	Total  quota.Tally `json:"total"`
	Wasted int64       `json:"wasted"`
	// Waste is Wasted by cause, the largest first, with what to do about it. What a run
	// in mode live bought again on purpose is in Total, and no waste.
	Waste []Waste `json:"waste"`
	// Saved is what recordings saved.
	Saved Saved `json:"saved"`
	// Lately sums what was from From on, which is Since, or else the last 30 days;
	// Earlier what was as long before that.
	From    time.Time   `json:"from,omitzero"`
	Lately  quota.Group `json:"lately"`
	Earlier quota.Group `json:"earlier"`
	// Days has every day from the first spend, or from Since, to that of Made. Left of
	// the last one is that above.
	Days []quota.Day `json:"days"`
	// SuiteDays are the days of each suite on which something happened, from Since on.
	SuiteDays map[string][]quota.Day `json:"suite_days"`
	// The groups, the one that spent most first.
	Suites     []quota.Group `json:"suites"`
	Branches   []quota.Group `json:"branches"`
	Actors     []quota.Group `json:"actors"`
	Keys       []quota.Group `json:"keys"` // of gateways
	Tests      []quota.Group `json:"tests"`
	Operations []quota.Group `json:"operations"`
	// Requests are by request key; nil unless the report is by request: there may be a
	// million of them.
	Requests []quota.Group `json:"requests,omitempty"`
	// Blocked counts the refusals of each rule, Changes are the grants,
	// reconciliations and exhaustions.
	Blocked  []quota.Blocked `json:"blocked"`
	Changes  []quota.Entry   `json:"changes"`
	Warnings []string        `json:"warnings"`
	// Cells are set by [Budget.Spread]; a page can be filtered by them.
	Cells tally.Spread `json:"-"`
}

// Saved is what runs got without spending, as they counted it at their end.
type Saved struct {
	// Runs is how many began.
	Runs int64 `json:"runs"`
	// Replayed is how many requests a recording answered, Missed how many wanted
	// one that was not there.
	Replayed int64 `json:"replayed"`
	Missed   int64 `json:"missed"`
	// Units is what the requests would have cost that were not sent.
	Units int64 `json:"units"`
}

// RunsLeft is how many more runs of a suite what is left pays for.
type RunsLeft struct {
	Suite string `json:"suite"`
	// PerRun is what its latest runs spent, the newer ones weighing more.
	PerRun float64 `json:"per_run"`
	// Left is at that price, AtLeast at that of the dearest of those runs.
	Left    int64 `json:"left"`
	AtLeast int64 `json:"at_least"`
}

// Dimension is what spends are grouped by.
type Dimension string

// The dimensions of a [Budget].
const (
	BySuite     Dimension = "suite"
	ByBranch    Dimension = "branch"
	ByActor     Dimension = "actor"
	ByKey       Dimension = "key"
	ByTest      Dimension = "test"
	ByOperation Dimension = "operation"
	ByRequest   Dimension = "request"
	ByDay       Dimension = "day"
)

// Dimensions are all of them.
func Dimensions() []Dimension {
	return []Dimension{BySuite, ByBranch, ByActor, ByKey, ByTest, ByOperation, ByRequest, ByDay}
}

// NewBudget derives the report from what the ledger says at a moment.
func NewBudget(status quota.Status, s quota.Statement, made time.Time) Budget {
	left := max(status.Usable, 0)
	b := Budget{
		Made: made.UTC().Truncate(time.Second), LedgerID: status.LedgerID, Seq: status.Seq, Allowance: status.Allowance, Since: s.Since, Begun: s.Begun,
		Granted: status.Granted, Spent: status.Spent, Unknown: status.Unknown, Held: status.Held,
		Left: left, Available: status.Available, Floor: status.Floor, Usable: status.Usable, Exhausted: status.Exhausted, Bar: status.Bar,
		Total: s.Total, Wasted: s.Total.Wasted(), Waste: waste(s.Total, s.Since),
		Saved: Saved{Runs: s.Runs, Replayed: s.Replayed, Missed: s.Missed, Units: s.Saved},
		From:  s.From, Lately: s.Lately, Earlier: s.Earlier,
		Suites: listed(s.Suites), Branches: listed(s.Branches), Actors: listed(s.Actors), Keys: listed(s.Keys),
		Tests: listed(s.Tests), Operations: listed(s.Operations),
		Blocked: listed(s.Blocked), Changes: listed(s.Changes), Warnings: listed(status.Warnings),
		Forecast: NewForecast(s.Days, s.Begun, left, made), RunsLeft: runsLeft(s.Recent, left),
	}
	b.Days = everyDay(s.Days, s.Since, b.Made)
	if n := len(b.Days); n > 0 {
		b.Days[n-1].Left, b.Days[n-1].Floor = left, status.Floor
	}
	b.SuiteDays = map[string][]quota.Day{}
	for suite, days := range s.SuiteDays {
		if i := slices.IndexFunc(days, func(d quota.Day) bool { return !d.Start.Before(s.Since.Truncate(day)) }); i >= 0 {
			b.SuiteDays[suite] = days[i:]
		}
	}
	b.Summary = b.summary()
	return b
}

// listed is never null in JSON.
func listed[T any](all []T) []T { return append([]T{}, all...) }

// By are the groups of a dimension. Days come in their own order.
func (b Budget) By(d Dimension) []quota.Group {
	switch d {
	case BySuite:
		return b.Suites
	case ByBranch:
		return b.Branches
	case ByActor:
		return b.Actors
	case ByKey:
		return b.Keys
	case ByTest:
		return b.Tests
	case ByOperation:
		return b.Operations
	case ByRequest:
		return b.Requests
	}
	var all []quota.Group
	for _, day := range b.Days {
		all = append(all, quota.Group{Name: day.Start.Format(time.DateOnly), Tally: day.Tally})
	}
	return all
}

const day = 24 * time.Hour

// everyDay fills the gaps between the days on which something happened, so that
// a chart has a place for each. It begins with since or the first one.
func everyDay(days []quota.Day, since, made time.Time) []quota.Day {
	all := []quota.Day{}
	left, floor := int64(0), int64(0)
	for len(days) > 0 && days[0].Start.Before(since.Truncate(day)) {
		left, floor = days[0].Left, days[0].Floor
		days = days[1:]
	}
	next := since.Truncate(day)
	if since.IsZero() {
		if len(days) == 0 {
			return all
		}
		next = days[0].Start
	}
	for ; !next.After(made) || len(days) > 0; next = next.Add(day) {
		d := quota.Day{Start: next, Left: left, Floor: floor}
		if len(days) > 0 && !days[0].Start.After(next) {
			d, days = days[0], days[1:]
		}
		left, floor = d.Left, d.Floor
		all = append(all, d)
	}
	return all
}

// runsHalf is after how many runs of a suite one weighs half as much.
const runsHalf = 5

func runsLeft(recent map[string][]int64, left int64) []RunsLeft {
	all := []RunsLeft{}
	for suite, spent := range recent {
		dearest := slices.Max(spent)
		if dearest == 0 {
			continue // it costs nothing
		}
		sum, weights := 0.0, 0.0
		for i, units := range spent {
			w := half(float64(i) / runsHalf)
			sum += w * float64(units)
			weights += w
		}
		r := RunsLeft{Suite: suite, PerRun: sum / weights, AtLeast: left / dearest}
		r.Left = int64(float64(left) / r.PerRun)
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b RunsLeft) int { return cmp.Or(cmp.Compare(a.Left, b.Left), cmp.Compare(a.Suite, b.Suite)) })
	return all
}
