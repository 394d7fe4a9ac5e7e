package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/secret"
)

// Level says how bad a finding is.
type Level string

const (
	// LevelError is a file that contradicts itself: it can't pass.
	LevelError Level = "error"
	// LevelWarning is a file that probably does not mean what it says.
	LevelWarning Level = "warning"
)

// Finding is something that the format allows and that is probably wrong.
type Finding struct {
	Level Level
	// Rule is the short name of what was checked, such as unused-capture.
	Rule string
	*Error
}

// Lint checks a parsed file. cost prices its requests as [Scenario.Price]
// does; nil leaves out the rules about prices. Findings stand in the order of
// the file.
//
// It takes environment variables at their defaults, or as empty where they have
// none, so that its answer does not depend on the machine.
func Lint(s *Scenario, cost Cost) []Finding {
	l := &linter{s: s}
	l.uses()
	l.environment()
	l.secrets()
	l.faults()
	if s.Why == "" {
		l.add(LevelWarning, "no-why", s.Pos, "the file does not say why it exists: add why")
	}
	if cost != nil {
		l.prices(cost)
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if last := len(l.found) - 1; l.more > 0 {
		l.found = append(l.found, Finding{LevelWarning, "too-many", s.Problem(l.found[last].Pos, fmt.Sprintf("%d more warnings of this file are not told", l.more))})
	}
	return l.found
}

type linter struct {
	s     *Scenario
	found []Finding
	more  int // warnings that are not told
}

func (l *linter) add(level Level, rule string, pos Pos, format string, args ...any) {
	if level == LevelWarning && len(l.found) >= maxErrors {
		l.more++
		return
	}
	l.found = append(l.found, Finding{level, rule, l.s.Problem(pos, fmt.Sprintf(format, args...))})
}

// uses finds variables, axes and captures that no expression names.
func (l *linter) uses() {
	used := make(map[use]bool)
	for e := range l.s.exprs() {
		for _, u := range e.uses {
			used[u] = true
		}
	}
	for st := range l.s.all() {
		if st.Score != nil {
			used[use{"matrix", st.Score.By}] = true
		}
	}
	for _, v := range l.s.Vars {
		if !used[use{"vars", v.Name}] {
			l.add(LevelWarning, "unused-var", v.Pos, "vars.%s is never used", v.Name)
		}
	}
	for _, a := range l.s.Matrix.Axes {
		if !used[use{"matrix", a.Name}] {
			l.add(LevelWarning, "unused-axis", a.Pos, "matrix.%s is never used: its cases are all the same", a.Name)
		}
	}
	if data := l.s.Matrix.Data; data != nil && !slices.ContainsFunc(data.Columns, func(name string) bool { return used[use{"row", name}] }) {
		l.add(LevelWarning, "unused-axis", data.Pos, "no column of %s is ever used: its cases are all the same", data.From)
	}
	for st := range l.s.all() {
		for _, c := range st.Capture {
			if !used[use{"capture", c.Name}] {
				l.add(LevelWarning, "unused-capture", c.Pos, "capture.%s is never used", c.Name)
			}
		}
	}
}

// prices compares what the file says of its price with what it adds up to.
func (l *linter) prices(cost Cost) {
	vars, _, err := l.s.ResolveVars(func(string) (string, bool) { return "", true })
	if err != nil {
		return // can't be: every variable has a value
	}
	p, err := (&Pricer{Cost: cost}).price(l.s, vars, guard.Live)
	var wrong *Error
	if errors.As(err, &wrong) {
		l.found = append(l.found, Finding{LevelError, "too-many-steps", wrong})
		return
	}
	if q := l.s.Quota.Expected; q != nil && len(p.Unpriced) == 0 && q.Value != p.Sure {
		l.add(LevelError, "expected-differs", q.Pos, "quota.expected is %d, but the steps add up to %d over %s", q.Value, p.Sure, plural(len(p.Cases), "case"))
	}
	switch e, m := l.s.Quota.Expected, l.s.Quota.Max; {
	case m == nil:
	case e != nil && m.Value < e.Value:
		l.add(LevelError, "max-below-expected", m.Pos, "quota.max is %d, below quota.expected, which is %d", m.Value, e.Value)
	case m.Value < p.Uncapped:
		l.add(LevelWarning, "max-below-worst", m.Pos, "quota.max is %d, but the worst case is %d: the guard may stop this file half way", m.Value, p.Uncapped)
	}
	env := Env{Vars: vars, Capture: l.s.captured()}
	if cases := l.s.Cases(); len(cases) > 0 {
		env.Matrix, env.Row = cases[0].Values, cases[0].Row
	}
	for st := range l.s.all() {
		if st.Request == nil {
			continue
		}
		units, why, _ := st.price(env, cost)
		if _, worst := st.bought(); st.Retry != nil && st.Expect.Calls == nil && units > 0 && worst > 1 {
			l.add(LevelWarning, "retry-without-calls", st.Retry.Pos, "this retry can buy %s: say with expect.calls how many requests you expect", plural(units*worst, "unit"))
		}
		if why != "" {
			l.add(LevelWarning, "unpriced", st.Request.Pos, "%s: record and live refuse it", why)
		}
	}
}

// environment finds ${NAME} where it is no more than text.
func (l *linter) environment() {
	for st := range l.s.all() {
		for _, t := range st.templates() {
			if t == nil {
				continue
			}
			for _, p := range t.parts {
				if m := reference.FindString(p.text); m != "" {
					l.add(LevelWarning, "env-outside-vars", t.Pos, "%s is sent as it stands: only vars read the environment", m)
				}
			}
		}
	}
}

// longSecret is how long a client's secret has to be to look like a real one:
// those that tests make up are short.
const longSecret = 20

// faults finds those that can't strike, so that the test passes without them.
func (l *linter) faults() {
	for st := range l.s.all() {
		if st.Exec != nil {
			continue // a command may call anything, and as often as it likes
		}
		tries := 1
		if st.Retry != nil {
			tries += st.Retry.Max
		}
		for _, f := range st.Faults {
			switch {
			case st.Token != nil && f.On != "" && f.On != "token":
				l.add(LevelWarning, "fault-never-strikes", f.Pos, "this fault is on %s, and the step calls the token endpoint alone", f.On)
			case st.Request != nil && (f.On == "discovery" || f.On == "jwks"):
				l.add(LevelWarning, "fault-never-strikes", f.Pos, "this fault is on %s, which a request does not call", f.On)
			case (st.Token != nil || f.On == "api") && len(f.Nth) > 0 && slices.Min(f.Nth) > tries:
				l.add(LevelWarning, "fault-never-strikes", f.Pos, "this fault strikes call %d, and the step makes %s at most", slices.Min(f.Nth), plural(tries, "call"))
			}
		}
	}
}

// secrets finds literals that look like a secret of a real account.
func (l *linter) secrets() {
	check := func(t *Template, where string) {
		if t == nil {
			return
		}
		for _, p := range t.parts {
			if p.expr == nil && secret.LooksLike(p.text) {
				l.add(LevelWarning, "secret", t.Pos, "%s looks like a secret: read it from the environment, as vars: { token: \"${TOKEN}\" }", where)
				return
			}
		}
	}
	for _, v := range l.s.Vars {
		if text := v.Value.Text; text != nil && secret.IsName(v.Name) && len(text.Text) >= 8 && !reference.MatchString(text.Text) {
			l.add(LevelWarning, "secret", text.Pos, "vars.%s looks like a secret: read it from the environment, as %s: \"${%s}\"", v.Name, v.Name, strings.ToUpper(v.Name))
			continue
		}
		v.Value.texts(func(t *Template) { check(t, "vars."+v.Name) })
	}
	for st := range l.s.all() {
		if t := st.Token; t != nil && t.Client.Secret != nil && t.Client.Secret.constant() && len(t.Client.Secret.Text) >= longSecret {
			l.add(LevelWarning, "secret", t.Client.Secret.Pos, "the client secret looks like a real one: read it from the environment, as vars: { secret: \"${SECRET}\" }")
		}
		r := st.Request
		if r == nil {
			continue
		}
		for _, h := range r.Headers {
			if strings.EqualFold(h.Name, "authorization") {
				l.add(LevelWarning, "authorization", h.Pos, "an Authorization header overrides auth: use auth: { token: … } instead")
				continue
			}
			check(h.Value, "the header "+h.Name)
		}
		check(r.Auth.Token, "the token")
		if r.Body != nil {
			r.Body.texts(func(t *Template) { check(t, "the body") })
		}
	}
}

// plural writes "1 case" or "2 cases".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
