package gateway

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

//go:embed page.html
var pageText string

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(pages.Parts().New("status").Funcs(template.FuncMap{
		"time": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"dash": func(text string) string { return cmp.Or(text, "-") }, "again": pages.Again, "figures": figures, "used": func(s *quota.Status) int64 { return s.Spent + s.Held },
	}).Parse(pageText))
})

// figures are those that the report has.
func figures(s *quota.Status) []report.Figure {
	return report.NewBudget(*s, quota.Statement{}, time.Now()).Figures()
}

// pageRuns is how many runs the page lists.
const pageRuns = 20

// statusPage is what the page shows.
type statusPage struct {
	Mode  guard.Limit
	Begun time.Time
	// Status is nil where nothing is bought, or the ledger does not answer; then
	// Wrong says why.
	Status *quota.Status
	Wrong  string
	// Budget is nil until the journal was summed up.
	Budget *report.Budget
	Charts []template.HTML
	Keys   []keyUse
	Runs   []quota.RunInfo
}

// keyUse is what one key has drawn, over all instances and restarts.
type keyUse struct {
	Key
	Spent, Held int64
}

// Used is what the key has drawn and holds.
func (k keyUse) Used() int64 { return k.Spent + k.Held }

// Left is what the key may still draw: none where its cap was lowered below.
func (k keyUse) Left() int64 { return max(k.Cap-k.Used(), 0) }

func (g *Gateway) page(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), collectTime)
	defer cancel()
	p, err := g.status(ctx)
	if err != nil {
		p.Wrong = err.Error()
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", pages.LivePolicy())
	_ = pageTemplate().Execute(w, p) // the reader has gone when this fails
}

// status collects the page. What could be read is in it even with an error.
func (g *Gateway) status(ctx context.Context) (statusPage, error) {
	p := statusPage{Mode: g.mode, Begun: g.begun}
	keys, err := ReadKeys(g.ring.file)
	for _, k := range keys {
		p.Keys = append(p.Keys, keyUse{Key: k})
	}
	if err != nil || g.ledger == nil {
		return p, err
	}
	s, err := g.ledger.Status(ctx)
	if err != nil {
		return p, err
	}
	p.Status = &s
	p.Budget, p.Charts = g.draw(ctx, &s)
	runs, err := g.ledger.Store.Runs(ctx, 0)
	for _, run := range runs {
		if run.Event != event {
			continue
		}
		if i := slices.IndexFunc(p.Keys, func(k keyUse) bool { return k.Name == run.Actor }); i >= 0 {
			p.Keys[i].Spent += run.Spent
			p.Keys[i].Held += run.Held()
		}
	}
	p.Runs = runs[:min(len(runs), pageRuns)]
	return p, err
}

// chartTime is how old what the journal sums up to may be, and the charts of it.
const chartTime = time.Minute

// draw returns the sentence of the budget report and its charts, and the latest ones
// where the ledger can't sum up in time. What is left is always that of now: where the
// journal was summed up, the status becomes that of the same moment.
func (g *Gateway) draw(ctx context.Context, s *quota.Status) (*report.Budget, []template.HTML) {
	g.drawing.Lock()
	defer g.drawing.Unlock()
	fresh := false
	if time.Since(g.drawn) >= chartTime {
		g.drawn = time.Now() // also when it fails: not with every look at the page
		statement, known, err := tally.Sum(ctx, g.ledger.Store, time.Time{}, g.known)
		g.known = known
		if err == nil {
			g.statement, fresh = &statement, true
			statement.Status.Warnings = s.Warnings
			*s = statement.Status
		}
	}
	if g.statement == nil {
		return nil, nil
	}
	b := report.NewBudget(*s, *g.statement, time.Now())
	if fresh {
		burnDown, err1 := pages.BurnDown(b)
		perDay, err2 := pages.PerDay(b)
		if errors.Join(err1, err2) == nil {
			g.charts = []template.HTML{burnDown, perDay}
		}
	}
	return &b, g.charts
}
