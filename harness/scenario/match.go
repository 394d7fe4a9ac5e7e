package scenario

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Mismatch is one difference between an expectation and an answer.
type Mismatch struct {
	// Path says where in the answer: "status", "headers.content-type",
	// "json.items[0].hsCode".
	Path string
	// Want and Got are short texts for a message, values as JSON.
	Want, Got string
	// Pos is the expectation's place in the file.
	Pos Pos
}

func (m Mismatch) String() string { return fmt.Sprintf("%s: want %s, got %s", m.Path, m.Want, m.Got) }

// Match compares got, a decoded JSON value, with an expectation and lists the
// differences in the order of the file; path is what to call got.
//
// Numbers are equal by value (1 and 1.0), everything else by type and value.
// An object is compared by the members that want has: others are not looked
// at. An array must have the same length and is compared element by element.
// null matches null, not an absent member. In want these texts are patterns:
//
//	/re/                    a text, or a number's text, in which the regular
//	                        expression (RE2) is found
//	>= 1, > 1, <= 1, < 1    a number of that size
//	!= 1, != text           anything else; numbers by value
//	$any                    anything but null
//	$len 3, $len >= 3       an array, object or text of that length
//	$eq text                this text, whatever it looks like
//
// What a template puts into a pattern is taken literally, and a text that is
// one template and nothing else is never a pattern.
func Match(path string, want *Value, got any, env Env) []Mismatch {
	differs := func(w string) []Mismatch {
		return []Mismatch{{Path: path, Want: w, Got: show(got), Pos: want.Pos}}
	}
	switch want.Kind {
	case List:
		items, ok := got.([]any)
		if !ok {
			return differs("an array of " + strconv.Itoa(len(want.Items)))
		}
		if len(items) != len(want.Items) {
			return differs(fmt.Sprintf("an array of %d, not of %d", len(want.Items), len(items)))
		}
		var out []Mismatch
		for i, w := range want.Items {
			out = append(out, Match(path+"["+strconv.Itoa(i)+"]", w, items[i], env)...)
		}
		return out
	case Map:
		members, ok := got.(map[string]any)
		if !ok {
			return differs("an object")
		}
		var out []Mismatch
		for _, m := range want.Members {
			below := path + "." + m.Name
			g, ok := members[m.Name]
			if !ok {
				out = append(out, Mismatch{Path: below, Want: want.describe(m.Value), Got: "nothing: there is no such member", Pos: m.Value.Pos})
				continue
			}
			out = append(out, Match(below, m.Value, g, env)...)
		}
		return out
	}
	if want.matcher != nil {
		w, ok, err := want.matcher.match(got, env)
		switch {
		case err != nil:
			return differs(fmt.Sprintf("%s (%s)", want.Text.Text, err))
		case !ok:
			return differs(w)
		}
		return nil
	}
	w, err := want.Render(env)
	if err != nil {
		return differs(err.Error())
	}
	if !equal(w, got) {
		return differs(show(w))
	}
	return nil
}

// describe names what an expectation wants without evaluating it.
func (v *Value) describe(want *Value) string {
	switch want.Kind {
	case List:
		return "an array of " + strconv.Itoa(len(want.Items))
	case Map:
		return "an object"
	case String:
		if want.matcher != nil {
			return want.Text.Text
		}
		return strconv.Quote(want.Text.Text)
	default:
		return show(want.Scalar)
	}
}

// matcher is a pattern of an expectation.
type matcher struct {
	op      string // "/", "$any", "$len", "$eq", "in" or a comparison
	compare string // the comparison of $len
	operand *Template
	re      *regexp.Regexp // of "/", when the operand holds no template
}

// match tells whether got fits, and names what was wanted.
func (m *matcher) match(got any, env Env) (want string, ok bool, err error) {
	if m.op == "$any" {
		return "anything but null", got != nil, nil
	}
	if m.op == "/" {
		return m.regexp(got, env)
	}
	operand, err := m.operand.Render(env)
	if err != nil {
		return "", false, err
	}
	if m.op == "$eq" {
		return strconv.Quote(operand), equal(operand, got), nil
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(operand), 64)
	switch {
	case m.op == "!=":
		same := got == operand
		if g, isNumber := toFloat(got); isNumber && err == nil {
			same = g == number
		}
		return "anything but " + operand, !same, nil
	case err != nil:
		return "", false, fmt.Errorf("%q is no number", operand)
	case m.op == "$len":
		n, ok := length(got)
		return "length " + m.compare + " " + operand, ok && holds(float64(n), m.compare, number), nil
	default:
		g, ok := toFloat(got)
		return "a number " + m.op + " " + operand, ok && holds(g, m.op, number), nil
	}
}

// regexp matches the text of got.
func (m *matcher) regexp(got any, env Env) (want string, ok bool, err error) {
	re := m.re
	if re == nil {
		expression, err := m.operand.join(env, regexp.QuoteMeta)
		if err != nil {
			return "", false, err
		}
		if re, err = regexp.Compile(expression); err != nil {
			return "", false, err
		}
	}
	want = "a text like /" + re.String() + "/"
	switch g := got.(type) {
	case string:
		return want, re.MatchString(g), nil
	case nil, bool, []any, map[string]any:
		return want, false, nil
	default:
		return want, re.MatchString(show(g)), nil
	}
}

// holds tells whether a op b is true.
func holds(a float64, op string, b float64) bool {
	switch op {
	case ">=":
		return a >= b
	case ">":
		return a > b
	case "<=":
		return a <= b
	case "<":
		return a < b
	case "!=":
		return a != b
	default:
		return a == b
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

// equal compares two JSON values, numbers by value.
func equal(a, b any) bool {
	if x, ok := toFloat(a); ok {
		y, ok := toFloat(b)
		return ok && x == y
	}
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !equal(v, w) {
				return false
			}
		}
		return true
	case string, bool, nil:
		return a == b
	default: // a value of another type that an expression made
		return show(a) == show(b)
	}
}

// toFloat reads any number.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v)
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// show writes a value for a message: as JSON, and not too long.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("a %T", v)
	}
	return shorten(string(b))
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
		d.suggest(n.pos, nearest(word, []string{"$any", "$len", "$eq"}), `unknown pattern %q: write "$eq %s" for the text itself`, word, shorten(text))
		return nil
	case len(text) > 2 && text[0] == '/' && text[len(text)-1] == '/':
		m := &matcher{op: "/", operand: operand(1, len(text)-1)}
		if m.operand.constant() {
			re, err := regexp.Compile(m.operand.Text)
			if err != nil {
				d.errorf(n.pos, "bad regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
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
		_, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
		if err != nil && !strings.HasPrefix(rest, " ") {
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
	if _, err := strconv.ParseFloat(strings.TrimSpace(t.Text), 64); err != nil {
		d.errorf(n.pos, `%s compares numbers, and %q is none: write "$eq %s" for the text itself`, op, t.Text, shorten(n.text))
	}
	return t
}

// Usage is what a step used, as the guard counted it.
type Usage struct {
	// Spend is units spent, or that would have been spent.
	Spend int
	// Calls is requests seen.
	Calls int
}

// Check compares everything that e expects with the answer in env.Res, and
// with what the step used, and lists the differences in the order of the file.
// Without an answer (env.Res is nil) only spend and calls are compared.
func (e *Expect) Check(env Env, used Usage) []Mismatch {
	var out []Mismatch
	if env.Res != nil {
		out = e.answer(env)
	}
	for _, c := range []struct {
		path string
		want *Int
		got  int
	}{{"spend", e.Spend, used.Spend}, {"calls", e.Calls, used.Calls}} {
		if c.want != nil && c.want.Value != c.got {
			out = append(out, Mismatch{Path: c.path, Want: strconv.Itoa(c.want.Value), Got: strconv.Itoa(c.got), Pos: c.want.Pos})
		}
	}
	slices.SortStableFunc(out, func(a, b Mismatch) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return out
}

// answer compares what e expects of the answer.
func (e *Expect) answer(env Env) []Mismatch {
	var out []Mismatch
	if e.Status != nil && !e.Status.Matches(env.Res.Status) {
		out = append(out, Mismatch{Path: "status", Want: e.Status.String(), Got: strconv.Itoa(env.Res.Status), Pos: e.Status.Pos})
	}
	for _, h := range e.Headers {
		path := "headers." + strings.ToLower(h.Name)
		got, ok := env.Res.Headers[strings.ToLower(h.Name)]
		if !ok {
			out = append(out, Mismatch{Path: path, Want: h.Value.describe(h.Value), Got: "nothing: there is no such header", Pos: h.Value.Pos})
			continue
		}
		out = append(out, Match(path, h.Value, got, env)...)
	}
	if e.JSON != nil {
		out = append(out, Match("json", e.JSON, env.Res.JSON, env)...)
	}
	for _, a := range e.Assert {
		ok, err := a.Test(env)
		switch {
		case err != nil:
			out = append(out, Mismatch{Path: "assert", Want: a.Text, Got: err.Error(), Pos: a.Pos})
		case !ok:
			got := "false"
			if why := a.Explain(env); len(why) > 0 {
				got += ", where " + strings.Join(why, ", ")
			}
			out = append(out, Mismatch{Path: "assert", Want: a.Text, Got: got, Pos: a.Pos})
		}
	}
	return out
}
