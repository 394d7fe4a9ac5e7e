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

// Mode is what the policy allows for an event and a branch. Without a rule that
// matches it is replay.
func (c CIPolicy) Mode(event, branch string) string {
	for _, rule := range c {
		if rule.Event.matches(event) && rule.Branch.matches(branch) {
			return rule.Mode
		}
	}
	return guard.Replay.String()
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

// matches tells whether one of the globs matches; none of them means any.
func (g Globs) matches(text string) bool {
	return len(g) == 0 || slices.ContainsFunc(g, func(glob string) bool {
		return quota.Match{Branch: glob}.Matches(quota.Attribution{Branch: text})
	})
}

// covers tells whether each glob of other is covered by one of g; no glob means
// any text.
func (g Globs) covers(other Globs) bool {
	if len(other) == 0 {
		other = Globs{""}
	}
	for _, glob := range other {
		if len(g) > 0 && !slices.ContainsFunc(g, func(one string) bool { return quota.Match{Branch: one}.Covers(quota.Match{Branch: glob}) }) {
			return false
		}
	}
	return true
}

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
		covers := func(r CIRule) bool { return r.Event.covers(rule.Event) && r.Branch.covers(rule.Branch) }
		if j := slices.IndexFunc(p.Policy.CI[:i], covers); j >= 0 {
			never("policy.ci", "rule", i, j)
		}
	}
	return f.Problems(), nil
}
