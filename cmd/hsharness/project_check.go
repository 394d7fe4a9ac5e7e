package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	yamltoken "github.com/goccy/go-yaml/token"

	"github.com/hsharness/hsharness/harness/guard"
	"github.com/hsharness/hsharness/harness/scenario"
	"github.com/hsharness/hsharness/quota"
)

// complaint is a setting of the project file that can be read but makes no
// sense.
type complaint struct {
	path    string // where it stands, as "$.policy.ci[0].mode"
	message string
}

// complaints are all settings of p that make no sense.
func (p *project) complaints() []complaint {
	var all []complaint
	check := func(ok bool, path, format string, args ...any) {
		if !ok {
			all = append(all, complaint{path, fmt.Sprintf(format, args...)})
		}
	}
	check(p.Version == 1, "$.version", "version is %d, this program knows version 1", p.Version)
	checkAmount := func(path string, amount int64) {
		check(amount >= 0, "$."+path, "%s is %d, it must not be negative", path, amount)
	}
	checkAmount("allowance.granted", p.Allowance.Granted)
	checkAmount("allowance.spent_before", p.Allowance.SpentBefore)
	checkAmount("allowance.floor", p.Allowance.Floor)
	checkAmount("per_run", p.PerRun)
	checkMode := func(path, mode string) {
		if mode != "" {
			_, err := guard.ParseMode(mode)
			check(err == nil, path, "%v", err)
		}
	}
	checkMode("$.policy.mode", p.Policy.Mode)
	for i, rule := range p.Policy.CI {
		checkMode(fmt.Sprintf("$.policy.ci[%d].mode", i), rule.Mode)
	}
	check(p.Policy.CILedger == "" || p.Policy.CILedger == "shared" || p.Policy.CILedger == "local",
		"$.policy.ci_ledger", "policy.ci_ledger %q is neither shared nor local", p.Policy.CILedger)
	check(p.Policy.OnBlocked == "" || p.Policy.OnBlocked == "fail" || p.Policy.OnBlocked == "replay",
		"$.policy.on_blocked", "policy.on_blocked %q is neither fail nor replay", p.Policy.OnBlocked)
	for i := range p.Operations {
		if err := p.Operations[:i+1].Validate(); err != nil {
			check(false, fmt.Sprintf("$.operations[%d]", i), "%v", err)
			break // those after it would only repeat it
		}
	}
	if p.Allowance.WarnAt != "" {
		_, err := parsePercent(p.Allowance.WarnAt)
		check(err == nil, "$.allowance.warn_at", "allowance.warn_at %q is no percentage such as 70%%", p.Allowance.WarnAt)
	}
	if p.Recordings.MaxAge != "" {
		_, err := parseAge(p.Recordings.MaxAge)
		check(err == nil, "$.recordings.max_age", "recordings.max_age %q is no age such as 180d", p.Recordings.MaxAge)
	}
	return all
}

// covered are the rules of p that an earlier one covers, and that so are never
// used. Operations are among the complaints: an unused price is a wrong one.
func (p *project) covered() []complaint {
	var all []complaint
	never := func(path, what string, i, earlier int) {
		all = append(all, complaint{fmt.Sprintf("$.%s[%d]", path, i), fmt.Sprintf(
			"%s %d is never reached: %s %d before it matches all that it does", what, i+1, what, earlier+1)})
	}
	for i, rule := range p.Budgets {
		if j := slices.IndexFunc(p.Budgets[:i], func(r quota.Rule) bool { return r.Match.Covers(rule.Match) }); j >= 0 {
			never("budgets", "budget", i, j)
		}
	}
	for i, rule := range p.Policy.CI {
		if j := slices.IndexFunc(p.Policy.CI[:i], func(r ciRule) bool { return r.covers(rule) }); j >= 0 {
			never("policy.ci", "rule", i, j)
		}
	}
	return all
}

// covers tells whether r matches whatever other matches.
func (r ciRule) covers(other ciRule) bool {
	return r.Event.covers(other.Event) && r.Branch.covers(other.Branch)
}

// covers tells whether each glob of other is covered by one of o; no glob means
// any text.
func (o oneOrMany) covers(other oneOrMany) bool {
	if len(other) == 0 {
		other = oneOrMany{""}
	}
	for _, glob := range other {
		if len(o) > 0 && !slices.ContainsFunc(o, func(g string) bool { return quota.Match{Branch: g}.Covers(quota.Match{Branch: glob}) }) {
			return false
		}
	}
	return true
}

// findings is what lint says of the project file: the zero project has none.
func (p *project) findings() ([]scenario.Finding, error) {
	all := p.covered()
	if len(all) == 0 {
		return nil, nil
	}
	data, err := os.ReadFile(p.file)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, yamlError(p.file, err)
	}
	lines := strings.Split(string(data), "\n")
	out := make([]scenario.Finding, len(all))
	for i, c := range all {
		e := &scenario.Error{File: p.file, Msg: c.message, Pos: scenario.Pos{Line: 1, Column: 1}}
		if at := tokenAt(file, c.path); at != nil {
			e.Pos = scenario.Pos{Line: at.Position.Line, Column: at.Position.Column}
		}
		e.Source = strings.TrimSuffix(lines[min(e.Line, len(lines))-1], "\r")
		out[i] = scenario.Finding{Level: scenario.LevelError, Rule: "covered-rule", Error: e}
	}
	return out, nil
}

// complaintsError points each complaint at its place in the file, nil without
// any.
func complaintsError(name string, data []byte, all []complaint) error {
	if len(all) == 0 {
		return nil
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return yamlError(name, err)
	}
	errs := make([]error, len(all))
	for i, c := range all {
		errs[i] = fmt.Errorf("%s: %s", name, c.message)
		if at := tokenAt(file, c.path); at != nil {
			errs[i] = placed(name, at, c.message)
		}
	}
	return errors.Join(errs...)
}

// tokenAt is where a path begins in the file. One that is not there, such as a
// version that is missing, is where the setting above it begins.
func tokenAt(file *ast.File, at string) *yamltoken.Token {
	for at != "" {
		path, err := yaml.PathString(at)
		if err != nil {
			return nil
		}
		if node, err := path.FilterFile(file); err == nil && node != nil {
			return begin(node)
		}
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	return nil
}

// begin is the first token of a node: of a mapping its first key.
func begin(node ast.Node) *yamltoken.Token {
	switch n := node.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return node.GetToken()
}

// yamlError turns the library's error into file:line:column and a caret.
func yamlError(name string, err error) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return placed(name, syntax.GetToken(), syntax.GetMessage())
}

// secretLine is a setting whose value must not be shown, up to that value.
var secretLine = regexp.MustCompile(`(?i)^(.*?(?:secrets?|value)["']?\s*:\s*)(\S.*)$`)

// placed is a message with the place of a token, and its line with a caret.
// What the lines around it say of secrets is left out.
func placed(name string, at *yamltoken.Token, message string) error {
	syntax := &yaml.SyntaxError{Message: message, Token: at}
	lines := strings.Split(strings.TrimRight(syntax.FormatError(false, true), "\n"), "\n")
	for i, line := range lines {
		if m := secretLine.FindStringSubmatch(line); m != nil && !strings.Contains(m[2], "${") {
			lines[i] = m[1] + "…"
		}
	}
	return fmt.Errorf("%s:%d:%d: %s\n%s", name, at.Position.Line, at.Position.Column, message, strings.Join(lines[1:], "\n"))
}
