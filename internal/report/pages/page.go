package pages

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

//go:embed style.css
var style string

// Style is the style sheet for a page with charts: it has the colours they are
// drawn in, and those of the page, in light, in dark and on paper.
func Style() template.CSS { return template.CSS(style) } //nolint:gosec // it is ours

// sorts lets a reader sort the rows of tables.
//
//go:embed sort.js
var sorts string

// filters shows one suite or the last days alone.
//
//go:embed filter.js
var filters string

// draws draws the charts of that.
//
//go:embed draw.js
var draws string

// again loads a page again and again.
//
//go:embed again.js
var again string

// Again is a script that keeps a page of a server up to date: its main element becomes
// that of the server every five seconds, and the element silent is shown where the
// server does not answer. LivePolicy allows it.
func Again() template.JS { return template.JS(again) } //nolint:gosec // it is ours

// hashed names a text in a Content-Security-Policy.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Policy is the Content-Security-Policy of a page with [Style]: it may load nothing, send
// nothing, and has no script.
func Policy() string {
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + hashed(style)
}

// LivePolicy is the Content-Security-Policy of a page with [Style] and [Again].
func LivePolicy() string {
	return Policy() + "; script-src " + hashed(again) + "; connect-src 'self'; frame-ancestors 'none'"
}

//go:embed parts.html.tmpl
var partsText string

// Parts are the templates that pages share: "summary" of a [report.Budget], which is its
// "sentence" and the "answers" beside it, "figures" and "charts" of a list of them, "th" of
// a text, and the functions that they need.
func Parts() *template.Template {
	return template.Must(template.New("parts").Funcs(template.FuncMap{
		"style": Style, "name": report.Name, "line": plain.Line, "summary": summary,
		// A command breaks between words, where what is copied stays the same.
		"words":  func(command string) []string { return strings.Split(command, " ") },
		"beside": beside,
	}).Parse(partsText))
}

// sentence are the answers that the sentence above everything is made of, in order.
var sentence = []string{"left", "until", "bought", "next"}

func summary(b report.Budget) []report.Answer {
	var all []report.Answer
	for _, id := range sentence {
		for _, a := range b.Answers() {
			if a.ID == id {
				all = append(all, a)
			}
		}
	}
	return all
}

// beside are the answers that are not in the sentence.
func beside(b report.Budget) []report.Answer {
	return slices.DeleteFunc(b.Answers(), func(a report.Answer) bool { return slices.Contains(sentence, a.ID) })
}

//go:embed budget.html.tmpl
var budgetPage string

var budgetTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(Parts().New("budget").Funcs(template.FuncMap{
		"rule": report.RuleName, "suite": func(string) int { return -1 },
		"script": func() template.JS { return template.JS(script()) }, //nolint:gosec // it is ours
		"policy": func() string { return Policy() + "; script-src " + hashed(script()) },
		"minute": minute, "meanings": report.Meanings, "change": func(e quota.Entry) string { return plain.Short(report.ChangeNote(e)) }, "place": func(time.Time) int { return 0 },
		"one": func(f float64) string { return fmt.Sprintf("%.1f", f) },
	}).Parse(budgetPage))
})

// minute is a time of UTC.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func script() string { return sorts + filters + draws }

// Budget writes a report as one page that asks no network for anything. Its
// figures are those of b, its tables can be sorted and filtered, and everything in it
// that somebody else wrote is shown as text.
func Budget(w io.Writer, b report.Budget) error {
	var drawn []template.HTML
	for _, draw := range []func(report.Budget) (template.HTML, error){BurnDown, PerDay, Savings, by(report.BySuite), by(report.ByTest)} {
		chart, err := draw(b)
		if err != nil {
			return err
		}
		drawn = append(drawn, chart)
	}
	tables := newTables(b)
	page, err := budgetTemplate().Clone()
	if err != nil {
		return err
	}
	return page.Funcs(template.FuncMap{"suite": places(b.Suites), "place": func(at time.Time) int { return place(b, at) }}).Execute(w, struct {
		report.Budget
		Charts []template.HTML
		Tables []table
		Data   data
	}{b, drawn, tables, newData(b, tables)})
}

func by(d report.Dimension) func(report.Budget) (template.HTML, error) {
	return func(b report.Budget) (template.HTML, error) { return Bars(b, d) }
}

// places gives each suite its place in the order of the groups, -1 for one that is none.
func places(suites []quota.Group) func(string) int {
	all := map[string]int{}
	for n, g := range suites {
		all[g.Name] = n
	}
	return func(name string) int {
		if n, ok := all[name]; ok {
			return n
		}
		return -1
	}
}
