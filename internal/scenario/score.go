package scenario

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/report"
)

// Score says what a step's answers must be worth over all cases of the file.
type Score struct {
	Pos Pos
	// Want is the right code. Nil where no metric compares one.
	Want *Template
	// At are JSON pointers (RFC 6901) to the codes of an answer, the likeliest first.
	At []string
	// Country is where the code must be legal; nil is countryOfDestination of what was sent.
	Country *Template
	// By is the column or axis by which cases are grouped, empty for none.
	By string
	// Gates stand in the order of [report.Metrics].
	Gates []Gate
}

// Gate is the least share of the cases that must be right, and of confidence what is right:
// the number at At must be above Over.
type Gate struct {
	report.Gate
	At   string
	Over exact
}

// countryOfDestination is the member of a request that says where the goods go.
const countryOfDestination = "countryOfDestination"

// confidencePointer is where an answer says how sure it is.
const confidencePointer = "/confidence"

// share is a percentage as a gate has it.
var share = pattern.New(`^(100(\.0{1,3})?|[0-9]{1,2}(\.[0-9]{1,3})?)%$`)

// pointer is an RFC 6901 pointer to something within a document.
var pointer = pattern.New(`^(/([^~/]|~[01])*)+$`)

// score reads what a step's answers must be worth.
func (d *decoder) score(st *Step, e entry) *Score {
	out := &Score{Pos: e.pos}
	f := d.fields(e.value, "score")
	if f == nil {
		return out
	}
	if w, ok := f["want"]; ok {
		out.Want = d.template(w.value, 0, "want")
	}
	if c, ok := f["country"]; ok {
		out.Country = d.template(c.value, 0, "country")
	}
	if at, ok := f["at"]; ok && at.value != nil {
		items := []*node{at.value}
		if at.value.kind == List {
			if items = at.value.items; len(items) == 0 {
				d.errorf(at.value.pos, "at must name at least one place")
			}
		}
		for _, item := range items {
			out.At = append(out.At, d.pointer(item, "at"))
		}
	}
	if by, ok := f["by"]; ok {
		out.By = d.text(by.value, "by")
		d.by(by, out.By)
	}
	for _, metric := range report.Metrics {
		if g, ok := f[metric]; ok {
			out.Gates = append(out.Gates, d.gate(metric, g))
		}
	}
	d.complete(st, out, f)
	return out
}

// complete reports what the gates of a score need and the file does not have.
func (d *decoder) complete(st *Step, s *Score, f map[string]entry) {
	if len(s.Gates) == 0 {
		d.errorf(s.Pos, "a score needs a gate: one of %s", strings.Join(report.Metrics, ", "))
	}
	for _, g := range s.Gates {
		needs := []string{"want", "at"}
		switch g.Metric {
		case "legal":
			needs = needs[1:]
			if s.Country == nil && !st.Request.sends(countryOfDestination) {
				d.errorf(Pos{g.Line, g.Column}, "legal needs a country: the request has no %s, and the score no country", countryOfDestination)
			}
		case "confidence":
			needs = nil
		case "among3":
			if _, list := f["at"]; list && f["at"].value != nil && f["at"].value.kind != List {
				d.errorf(f["at"].value.pos, "among3 looks at several codes: at must be a list, the likeliest first")
			}
		}
		for _, key := range needs {
			if _, ok := f[key]; !ok {
				d.errorf(Pos{g.Line, g.Column}, "%s needs %s", g.Metric, key)
			}
		}
	}
}

// sends tells whether the body has a member of that name.
func (r *Request) sends(name string) bool {
	return r != nil && r.Body != nil && slices.ContainsFunc(r.Body.Members, func(m Member) bool { return m.Name == name })
}

func (d *decoder) pointer(n *node, what string) string {
	if !d.is(n, String, what) {
		return ""
	}
	if !pointer.MatchString(n.text) {
		d.errorf(n.pos, "%s %q is no JSON pointer: write it as /hsCode, or /codes/0", what, shorten(n.text))
	}
	return n.text
}

// by checks the name of a column or an axis.
func (d *decoder) by(e entry, name string) {
	known := slices.Clone(d.scope.matrix)
	if data := d.scope.data; data != nil {
		if data.Columns == nil {
			return
		}
		known = append(slices.Clone(data.Columns), known...)
	}
	if name != "" && !slices.Contains(known, name) {
		d.suggest(e.value.pos, d.nearest(name, known), "undefined by %q: it is a column of the data or an axis of the matrix", shorten(name))
	}
}

// gate reads the least share of one metric.
func (d *decoder) gate(metric string, e entry) Gate {
	g := Gate{Gate: report.Gate{Metric: metric, Line: e.pos.Line, Column: e.pos.Column, Min: new(big.Rat)}, At: confidencePointer}
	if metric != "confidence" && (e.value == nil || e.value.kind != Map) {
		if d.is(e.value, String, metric) {
			text, ok := strings.CutPrefix(e.value.text, ">= ")
			if ok = ok && g.least(text); !ok {
				d.errorf(e.value.pos, `%s: %q is no gate: write it as ">= 90%%", or { min: 90%%, lower: true } for the lower end of its interval`, metric, shorten(e.value.text))
			}
		}
		return g
	}
	kind := "gate"
	if metric == "confidence" {
		kind = metric
	}
	f := d.fields(e.value, kind)
	if f == nil {
		return g
	}
	for _, key := range []string{"min", "over"} {
		if _, ok := f[key]; !ok && slices.Contains(keys[kind], key) {
			d.errorf(e.pos, "%s: missing key %q", metric, key)
		}
	}
	if m, ok := f["min"]; ok && d.is(m.value, String, "min") && !g.least(m.value.text) {
		d.errorf(m.value.pos, "min: %q is no share: write it as 90%%", shorten(m.value.text))
	}
	if l, ok := f["lower"]; ok {
		g.Lower = d.flag(l.value, "lower")
	}
	if at, ok := f["at"]; ok {
		g.At = d.pointer(at.value, "at")
	}
	if o, ok := f["over"]; ok && d.is(o.value, Number, "over") {
		g.Over, _ = exactOf(o.value.scalar)
		g.Text = "over " + o.value.text + " " + g.Text
	}
	if g.Lower {
		g.Text += " (lower end)"
	}
	return g
}

// least reads a share such as 90% or 99.5%.
func (g *Gate) least(text string) bool {
	if !share.MatchString(text) {
		return false
	}
	g.Min.SetString(strings.TrimSuffix(text, "%"))
	g.Min.Quo(g.Min, big.NewRat(100, 1))
	g.Text = ">= " + text
	return true
}

// digits is how many digits of the wanted code the score compares.
func (s *Score) digits() int {
	n := 0
	for _, g := range s.Gates {
		switch g.Metric {
		case "heading":
			n = max(n, 4)
		case "six", "among3":
			n = 6
		}
	}
	return n
}

// group is the value by which a case is grouped, as text.
func (s *Score) group(c Case) string {
	if s.By == "" {
		return ""
	}
	v, ok := c.Row[s.By]
	if !ok {
		v = c.Values[s.By]
	}
	if text, ok := v.(string); ok {
		return text
	}
	return show(v)
}

// wanted is how many digits a wanted code must have, for a message.
func wanted(code string, n int) string {
	return "the wanted code " + strconv.Quote(shorten(code)) + " does not have " + strconv.Itoa(n) + " digits"
}

// wants checks the wanted codes that are known before anything is sent: a row whose code
// has too few digits, or lost one, could never be right.
func (d *decoder) wants(s *Scenario) {
	var all []Case
	left := maxAllSteps
	for st := range s.all() {
		if st.Score == nil || st.Score.Want == nil || !st.Score.Want.known() {
			continue
		}
		if all == nil {
			all = s.Cases()
		}
		cases, times := all, 1
		if st.Score.Want.constant() && len(all) > 0 { // one code is looked at once, and stands in each case's row
			cases, times = []Case{{}}, len(all)
		}
		found := 0
		codes, errs := make([]string, len(cases)), make([]error, len(cases))
		for i, c := range cases {
			codes[i], errs[i] = st.Score.Want.Render(Env{Matrix: c.Values, Row: c.Row, left: &left})
			left -= times * perByte * len(codes[i])
			if left < 0 {
				d.errorf(st.Score.Want.Pos, "want takes more than %d steps for %d of %s, the most that it may take for all: let the table have the codes", maxAllSteps, i+times, plural(len(all), "case"))
				return
			}
		}
		zeros := newZeros(codes)
		for i, c := range cases {
			msg := zeros.problem(codes[i])
			switch n := st.Score.digits(); {
			case errs[i] != nil:
				msg = errs[i].Error()
			case msg == "" && len(nomenclature.Digits(codes[i])) < n:
				msg = wanted(codes[i], n)
			case msg == "":
				continue
			}
			e := &Error{File: d.file, Pos: st.Score.Want.Pos, Msg: msg, Source: lineAt(d.lines, st.Score.Want.Pos.Line), excerpt: d.excerpts}
			if c.Place != "" {
				e = &Error{File: s.Matrix.Data.File, Pos: c.pos, Msg: msg}
			}
			d.tell(e)
			if found++; found == maxWrongRows || c.Place == "" {
				break
			}
		}
	}
}

// known tells whether the template's value is known before a case runs.
func (t *Template) known() bool {
	for _, p := range t.parts {
		if p.expr == nil {
			continue
		}
		for _, u := range p.expr.uses {
			if u.space != "row" && u.space != "matrix" {
				return false
			}
		}
	}
	return true
}
