package project

import (
	"slices"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/strict"
	"github.com/hsharness/hsharness/quota"
)

// CIRule is one line of policy.ci.
type CIRule struct {
	// Event and Branch are globs; none is any.
	Event  Globs  `yaml:"event"`
	Branch Globs  `yaml:"branch"`
	Mode   string `yaml:"mode"`
}

// CIPolicy is policy.ci: rules of which the first that matches holds. A single
// mode is one rule that matches all.
type CIPolicy []CIRule

// UnmarshalYAML reads a mode's name or a list of rules.
func (c *CIPolicy) UnmarshalYAML(unmarshal func(any) error) error {
	var mode string
	if unmarshal(&mode) == nil {
		*c = CIPolicy{{Mode: mode}}
		return nil
	}
	var rules []CIRule
	if err := unmarshal(&rules); err != nil {
		return err
	}
	*c = rules
	return nil
}

// Mode is what the policy allows whoever runs, and the number of the rule that says
// so, from 1; 0 and replay without one. A rule that only a claimed branch matches can
// lower what those after it allow, and allows nothing itself.
func (c CIPolicy) Mode(who quota.Attribution) (mode guard.Mode, rule int) {
	mode = guard.Live
	for i, r := range c {
		if !r.matches(who) {
			continue
		}
		if m := r.mode(); rule == 0 || m < mode {
			mode, rule = m, i+1
		}
		if who.Trusted != "" || len(r.Branch) == 0 {
			return mode, rule
		}
	}
	if rule == 0 || guard.Replay < mode {
		return guard.Replay, 0
	}
	return mode, rule
}

// matches tells whether the rule is for whoever runs, by what is claimed.
func (r CIRule) matches(who quota.Attribution) bool {
	return r.Event.any(func(glob string) bool { return eventMatch(glob).Matches(who) }) &&
		r.Branch.any(func(glob string) bool { return branchMatch(glob).Matches(who) })
}

// mode is the rule's; its name was checked when the file was read.
func (r CIRule) mode() guard.Mode {
	mode, err := guard.ParseMode(r.Mode)
	if err != nil {
		return guard.Offline
	}
	return mode
}

// exempt is the only value of policy.loopback.
const exempt = "exempt"

// InCI tells whether policy.ci and policy.ci_ledger hold: CI is set, whatever the
// URLs are, unless the project exempts stand-ins on loopback and has nothing else.
func (p *Project) InCI(upstream guard.Upstream, getenv func(string) string) bool {
	return quota.InCI(getenv) && (p.Policy.Loopback != exempt || !upstream.AllLoopback())
}

// Globs is a glob or a list of globs, as those of budgets are.
type Globs []string

// UnmarshalYAML reads both forms.
func (g *Globs) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*g = Globs{one}
		return nil
	}
	var many []string
	if err := unmarshal(&many); err != nil {
		return err
	}
	*g = many
	return nil
}

// any tells whether one of the globs matches; none of them means any text.
func (g Globs) any(matches func(glob string) bool) bool {
	return len(g) == 0 || slices.ContainsFunc(g, matches)
}

// covers tells whether each glob of other is covered by one of g, as patterns of what
// match makes of them; no glob means any text.
func (g Globs) covers(other Globs, match func(glob string) quota.Match) bool {
	if len(other) == 0 {
		other = Globs{""}
	}
	for _, glob := range other {
		if !g.any(func(one string) bool { return match(one).Covers(match(glob)) }) {
			return false
		}
	}
	return true
}

func eventMatch(glob string) quota.Match  { return quota.Match{Event: glob} }
func branchMatch(glob string) quota.Match { return quota.Match{Branch: glob} }

// Covered is what lint says of the file: the rules that an earlier one covers,
// and that so are never used, each as an error with its place; nil without any.
// Operations are refused when the file is read: an unused price is a wrong one.
func (p *Project) Covered() ([]*strict.Problem, error) {
	if p.File == "" {
		return nil, nil
	}
	f, err := Settings().Read(p.File, p.data)
	if err != nil {
		return nil, err
	}
	never := func(path, what string, i, earlier int) {
		f.Complain(at(path, i), "%s %d is never reached: %s %d before it matches all that it does", what, i+1, what, earlier+1)
	}
	for i, rule := range p.Budgets {
		if j := slices.IndexFunc(p.Budgets[:i], func(r quota.Rule) bool { return r.Match.Covers(rule.Match) }); j >= 0 {
			never("budgets", "budget", i, j)
		}
	}
	for i, rule := range p.Policy.CI {
		covers := func(r CIRule) bool {
			return r.Event.covers(rule.Event, eventMatch) && r.Branch.covers(rule.Branch, branchMatch)
		}
		if j := slices.IndexFunc(p.Policy.CI[:i], covers); j >= 0 {
			never("policy.ci", "rule", i, j)
		}
	}
	return f.Problems(), nil
}
