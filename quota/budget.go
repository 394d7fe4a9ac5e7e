package quota

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rule is one budget of the project file. It can only tighten what the ledger
// allows, except that may_use_floor opens the floor to the runs it matches.
type Rule struct {
	// Match says for which runs it is. Zero is for all.
	Match Match `json:"match" yaml:"match"`
	// MaxPerRun is how many units one run may ask for; zero is no limit.
	MaxPerRun int64 `json:"max_per_run,omitempty" yaml:"max_per_run,omitempty"`
	// MaxPerDay is how many units the runs that Match selects may spend of those begun
	// on one day of UTC; zero is no limit. What an active run holds counts as spent.
	MaxPerDay int64 `json:"max_per_day,omitempty" yaml:"max_per_day,omitempty"`
	// MaxTotal is how many units the runs that Match selects may ever spend; zero is
	// no limit. What an active run holds counts as spent.
	MaxTotal int64 `json:"max_total,omitempty" yaml:"max_total,omitempty"`
	// MayUseFloor lets the runs it matches draw on the floor.
	MayUseFloor bool `json:"may_use_floor,omitempty" yaml:"may_use_floor,omitempty"`
	// Block refuses the runs it matches.
	Block bool `json:"block,omitempty" yaml:"block,omitempty"`
	// Beside makes the rule hold beside the first match of the others instead
	// of being one of them: the cap of a gateway's key, which must not take the
	// place of the project's budgets. It opens no floor, and a project file
	// can't set it.
	Beside bool `json:"-" yaml:"-"`
}

// Match selects runs by glob: * stands for any text, also with slashes in it,
// and ? for one character. An empty pattern matches everything. Of branches, a tag is
// matched by a pattern that begins with tag:, such as tag:v*, and by stars alone.
type Match struct {
	// Suite is the pattern of [Attribution.Suite].
	Suite string `json:"suite,omitempty" yaml:"suite,omitempty"`
	// Branch is the pattern of [Attribution.Branch] and, for what is permitted, of
	// [Attribution.Trusted].
	Branch string `json:"branch,omitempty" yaml:"branch,omitempty"`
	// Actor is the pattern of [Attribution.Actor].
	Actor string `json:"actor,omitempty" yaml:"actor,omitempty"`
	// Event is the pattern of [Attribution.Event].
	Event string `json:"event,omitempty" yaml:"event,omitempty"`
}

// Matches tells whether m selects runs with this attribution, by what it claims: for
// what restricts them, and for reports.
func (m Match) Matches(a Attribution) bool {
	return globBranch(m.Branch, a.Branch) && glob(m.Suite, a.Suite) && glob(m.Actor, a.Actor) && glob(m.Event, a.Event)
}

// permits tells whether m, which matches, also selects for what permits something: a
// branch that it names has to be trusted.
func (m Match) permits(a Attribution) bool { return m.Branch == "" || a.Trusted != "" }

// globBranch is [glob] for branches: only those patterns match a tag that say tag:, or
// are nothing but stars.
func globBranch(pattern, branch string) bool {
	if strings.HasPrefix(branch, tagPrefix) && !strings.HasPrefix(pattern, tagPrefix) && strings.Trim(pattern, "*") != "" {
		return false
	}
	return glob(pattern, branch)
}

// Covers tells whether m selects every run that other selects. It may be false
// for patterns with question marks that it can't compare.
func (m Match) Covers(other Match) bool {
	return covers(m.Suite, other.Suite) && coversBranch(m.Branch, other.Branch) && covers(m.Actor, other.Actor) && covers(m.Event, other.Event)
}

// coversBranch is [covers] for branches. A star leaves out what nobody trusts, and most
// patterns leave tags out.
func coversBranch(pattern, other string) bool {
	if pattern != "" && other == "" {
		return false
	}
	return covers(pattern, other) && (strings.Trim(pattern, "*") == "" || strings.HasPrefix(pattern, tagPrefix) == strings.HasPrefix(other, tagPrefix))
}

// covers tells whether a pattern matches all that another one matches, taking
// the other's stars for text: only a star of ours can match them.
func covers(pattern, other string) bool {
	switch {
	case pattern == other, strings.Trim(pattern, "*") == "":
		return true
	case other == "", !strings.ContainsAny(pattern, "*?"), // of many rules most say a name
		strings.Contains(pattern, "?") && strings.Contains(other, "*"):
		return false
	}
	return glob(pattern, other)
}

// glob matches s in time linear in len(pattern) × len(s): only the last star
// ever needs to give way.
func glob(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	p, i, star, mark := 0, 0, -1, 0
	pr, sr := []rune(pattern), []rune(s)
	for i < len(sr) {
		switch {
		case p < len(pr) && pr[p] == '*':
			star, mark = p, i
			p++
		case p < len(pr) && (pr[p] == '?' || pr[p] == sr[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pr) && pr[p] == '*' {
		p++
	}
	return p == len(pr)
}

// Balances are the figures of an allowance, in units.
type Balances struct {
	// Granted is what was granted in all, Spent what counts as spent, Held what active
	// runs may still draw, Floor what ordinary runs may not touch.
	Granted, Spent, Held, Floor int64
	// Unknown is the part of Spent whose outcome nobody knows.
	Unknown int64
	// Exhausted blocks all runs: the service said so, or there is a Bar.
	Exhausted bool
	// Bar is zero where the ledger is not barred.
	Bar Bar
}

// Available is what is neither spent nor held. It is negative when a
// reconciliation found more than was granted.
func (b Balances) Available() int64 { return b.Granted - b.Spent - b.Held }

// Usage sums, in units, what the runs that m selects have spent and still
// hold, of those begun at since or later. The zero time takes all. A run whose
// begin is dated later than now began when the first entry after it was written
// that is not, or now without one.
type Usage func(m Match, since time.Time) (int64, error)

// Admit decides an admission from figures that the store read in one
// transaction, after it expired what had to expire: nil, or the refusal with
// every reason, to which the store adds the holders. An error of used refuses
// too. All stores share it.
func Admit(spec RunSpec, rules []Rule, now time.Time, b Balances, used Usage) (*BlockedError, error) {
	if spec.Max == 0 && b.Bar == (Bar{}) {
		return nil, nil // it buys nothing
	}
	blocked := &BlockedError{
		Run: spec.ID, Requested: spec.Max, Granted: b.Granted, Spent: b.Spent, Held: b.Held, Floor: b.Floor,
		Available: b.Available(), Usable: b.Available() - b.Floor,
	}
	refuse := func(r Refusal) { blocked.Refusals = append(blocked.Refusals, r) }
	if damaged := b.sound(); damaged != nil {
		return nil, damaged
	}
	switch {
	case b.Bar != (Bar{}):
		blocked.Bar = b.Bar
		refuse(Refusal{Rule: "barred"})
	case b.Exhausted:
		refuse(Refusal{Rule: "exhausted"})
	}
	usable := blocked.Usable
	matched := false
	for i, rule := range rules {
		if !rule.Match.Matches(spec.Attribution) || matched && !rule.Beside {
			continue
		}
		// A rule that only a claim matches restricts, and keeps no other from doing so.
		if !rule.Beside && rule.Match.permits(spec.Attribution) {
			matched = true // the first match wins
			if rule.MayUseFloor {
				usable = blocked.Available
			}
		}
		if err := rule.refuse(spec, now, i+1, used, refuse); err != nil {
			return nil, err
		}
	}
	if spec.Max > usable {
		refuse(Refusal{Rule: "usable", Limit: usable})
	}
	if len(blocked.Refusals) == 0 {
		return nil, nil
	}
	return blocked, nil
}

// refuse calls refuse for each limit of r that spec would break.
func (r Rule) refuse(spec RunSpec, now time.Time, budget int, used Usage, refuse func(Refusal)) error {
	if r.Block {
		refuse(Refusal{Rule: "block", Budget: budget})
	}
	if r.MaxPerRun > 0 && spec.Max > r.MaxPerRun {
		refuse(Refusal{Rule: "max_per_run", Budget: budget, Limit: r.MaxPerRun})
	}
	limits := []struct {
		name  string
		limit int64
		since time.Time
	}{
		{"max_per_day", r.MaxPerDay, now.UTC().Truncate(24 * time.Hour)},
		{"max_total", r.MaxTotal, time.Time{}},
	}
	for _, l := range limits {
		if l.limit <= 0 {
			continue
		}
		n, err := used(r.Match, l.since)
		if err != nil {
			return err
		}
		if err := checkUnits("used by budget "+strconv.Itoa(budget), n, 0); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err) // somebody else wrote it: a sum with it may wrap
		}
		if n+spec.Max > l.limit {
			refuse(Refusal{Rule: l.name, Budget: budget, Limit: l.limit, Used: n})
		}
	}
	return nil
}
