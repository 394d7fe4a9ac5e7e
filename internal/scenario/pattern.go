package scenario

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

// matcher is a pattern of an expectation.
type matcher struct {
	op      string // "/", "$any", "$len", "$eq", "$hscode", "in" or a comparison
	compare string // the comparison of $len
	operand *Template
	re      *boundedRegexp // of "/", when the operand holds no template
}

// match tells whether got fits, and names what was wanted.
func (m *matcher) match(got any, env Env) (want string, ok bool, err error) {
	if m.op == "$any" {
		return "anything but null", got != nil, nil
	}
	if m.op == "/" {
		return m.regexp(got, env)
	}
	if m.op == hscode && m.operand == nil {
		return m.code(got, "", env)
	}
	operand, err := m.operand.Render(env)
	if err != nil {
		return "", false, err
	}
	if m.op == "$eq" {
		return strconv.Quote(shorten(operand)), equal(operand, got), nil
	}
	if m.op == hscode {
		return m.code(got, operand, env)
	}
	number, isNumber := exactText(strings.TrimSpace(operand))
	switch {
	case m.op == "!=":
		same := got == operand
		if g, ok := exactOf(got); ok && isNumber {
			same = g.compare(number) == 0
		}
		return "anything but " + shorten(operand), !same, nil
	case !isNumber:
		return "", false, fmt.Errorf("%q is no number", shorten(operand))
	}
	want, compare := "a number "+m.op+" "+operand, m.op
	if m.op == "$len" {
		want, compare = "length "+m.compare+" "+operand, m.compare
		n, ok := length(got)
		if !ok {
			return want, false, nil
		}
		got = n
	}
	g, ok := exactOf(got)
	return want, ok && holds(g.compare(number), compare), nil
}

// hscode is the pattern that judges a code.
const hscode = "$hscode"

// code tells whether got is a code, one that can be declared in the country where
// there is one.
func (m *matcher) code(got any, country string, env Env) (want string, ok bool, err error) {
	country = strings.TrimSpace(country)
	want = "an HS code of six digits or more"
	if country != "" {
		if !nomenclature.IsCountry(strings.ToUpper(country)) {
			return "", false, fmt.Errorf("%q is no country", shorten(country))
		}
		want = "a code that can be declared in " + strings.ToUpper(country)
	}
	switch got.(type) {
	case nil, bool, []any, map[string]any:
		return want, false, nil
	}
	text, err := inText(got)
	if err != nil {
		return "", false, err
	}
	if err := env.Schedules.Legal(country, text); err != nil {
		return want + ": " + err.Error(), false, nil
	}
	return want, true, nil
}

// regexp matches the text of got.
func (m *matcher) regexp(got any, env Env) (want string, ok bool, err error) {
	re := m.re
	if re == nil {
		expression, err := m.operand.join(env, regexp.QuoteMeta)
		if err != nil {
			return "", false, err
		}
		if re, err = compileRegexp(expression); err != nil {
			return "", false, err
		}
		env.spend(500 * re.states)
	}
	want = "a text like /" + re.String() + "/"
	text, _ := got.(string)
	switch got.(type) {
	case string:
	case nil, bool, []any, map[string]any:
		return want, false, nil
	default:
		if text, err = inText(got); err != nil {
			return want, false, err
		}
	}
	if re.steps(text) > maxSteps {
		return want, false, fmt.Errorf("the text has %d bytes, and a regular expression of %d states takes more than %d steps for them", len(text), re.states, maxSteps)
	}
	if env.spend(evaluation + re.steps(text)); env.over() {
		return want, false, errAllSteps
	}
	return want, re.MatchString(text), nil
}

// holds tells whether a op b is true of two numbers that compare like this.
func holds(order int, op string) bool {
	switch op {
	case ">=":
		return order >= 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	case "<":
		return order < 0
	case "!=":
		return order != 0
	default:
		return order == 0
	}
}

// length counts the elements of an array, the members of an object, or the
// characters of a text.
func length(v any) (int, bool) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), true
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	}
	return 0, false
}

// comparisons are the operators of patterns, longest first.
var comparisons = []string{">=", "<=", "!=", ">", "<"}

// matcherOf reads the pattern that a string under expect is, or returns nil
// when it is no pattern.
func (d *decoder) matcherOf(n *node) *matcher {
	text := n.text
	operand := func(from, to int) *Template { return d.templateIn(n, from, to) }
	switch {
	case text == "$any":
		return &matcher{op: "$any"}
	case text == hscode:
		return &matcher{op: hscode}
	case strings.HasPrefix(text, hscode+" "):
		m := &matcher{op: hscode, operand: operand(len(hscode)+1, len(text))}
		if country := strings.TrimSpace(m.operand.Text); m.operand.constant() && !nomenclature.IsCountry(country) {
			d.errorf(n.pos, "%s: %q is no country: write its two letters of ISO 3166-1, such as US, or a template", hscode, country)
		}
		return m
	case strings.HasPrefix(text, "$eq "):
		return &matcher{op: "$eq", operand: operand(4, len(text))}
	case strings.HasPrefix(text, "$len "):
		rest := strings.TrimLeft(text[5:], " ")
		m := &matcher{op: "$len", compare: "=="}
		for _, op := range comparisons {
			if strings.HasPrefix(rest, op) {
				m.compare, rest = op, rest[len(op):]
				break
			}
		}
		rest = strings.TrimLeft(rest, " ")
		m.operand = d.numeric(n, operand(len(text)-len(rest), len(text)), "$len")
		return m
	case len(text) > 1 && text[0] == '$' && name.MatchString(text[1:2]):
		word, _, _ := strings.Cut(text, " ")
		d.suggest(n.pos, d.nearest(word, []string{"$any", "$len", "$eq", hscode}), `unknown pattern %q: write "$eq %s" for the text itself`, word, shorten(text))
		return nil
	case len(text) > 2 && text[0] == '/' && text[len(text)-1] == '/':
		m := &matcher{op: "/", operand: operand(1, len(text)-1)}
		if m.operand.constant() {
			re, err := compileRegexp(m.operand.Text)
			if err != nil {
				d.errorf(n.pos, "bad regular expression: %s", err)
				return m
			}
			m.re = re
		}
		return m
	}
	for _, op := range comparisons {
		rest, ok := strings.CutPrefix(text, op)
		if !ok {
			continue
		}
		if !jsonNumber.MatchString(strings.TrimSpace(rest)) && !strings.HasPrefix(rest, " ") {
			return nil // "<html>" is a text
		}
		m := &matcher{op: op, operand: operand(len(text)-len(strings.TrimLeft(rest, " ")), len(text))}
		if op != "!=" {
			m.operand = d.numeric(n, m.operand, op)
		}
		return m
	}
	return nil
}

// numeric reports an operand that can't be a number.
func (d *decoder) numeric(n *node, t *Template, op string) *Template {
	if !t.constant() {
		return t
	}
	if !jsonNumber.MatchString(strings.TrimSpace(t.Text)) {
		d.errorf(n.pos, `%s compares numbers, and %q is none: write "$eq %s" for the text itself`, op, t.Text, shorten(n.text))
	}
	return t
}
