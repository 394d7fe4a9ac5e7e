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
		"dash": func(text string) string { return cmp.Or(text, "-") }, "again": pages.Again, "used": func(s quota.Status) int64 { return s.Spent + s.Held },
		"figures": func(s quota.Status) []report.Figure {
			return report.NewBudget(s, quota.Statement{}, time.Now()).Figures()
		},
	}).Parse(pageText))
})

// pageRuns is how many runs the page lists.
const pageRuns = 20

// statusPage is what the page shows.
type statusPage struct {
	Mode  guard.Limit
	Begun time.Time
	// Ledger is nil where nothing is bought, or the ledger does not answer; then Wrong
	// says why.
	Ledger *look
	Wrong  string
	Keys   []keyUse
}

// look is the ledger at one moment, At.
type look struct {
	At     time.Time
	Status quota.Status
	// Budget is nil where the journal could not be summed up.
	Budget *report.Budget
	Charts []template.HTML
	runs   []quota.RunInfo
}

// Runs are the latest ones.
func (l *look) Runs() []quota.RunInfo { return l.runs[:min(len(l.runs), pageRuns)] }

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
	if p.Ledger, err = g.look(ctx); err != nil {
		return p, err
	}
	for _, run := range p.Ledger.runs {
		if run.Event != event {
			continue
		}
		if i := slices.IndexFunc(p.Keys, func(k keyUse) bool { return k.Name == run.Actor }); i >= 0 {
			p.Keys[i].Spent += run.Spent
			p.Keys[i].Held += run.Held()
		}
	}
	return p, g.meter.trusted()
}

// workOf: looks at the ledger take one part in so many of the time, however many readers
// there are.
const workOf = 10

// sumTime is how long a sum may take, which readers of the page don't wait for.
const sumTime = 5 * time.Minute

// summed is a sum, and when it was made.
type summed struct {
	begun, ended time.Time
	statement    quota.Statement
	known        *tally.Journal
	err          error
}

// next is when there is another look.
func (s summed) next() time.Time { return s.ended.Add(workOf * s.ended.Sub(s.begun)) }

// sum sums up the journal. Readers may go away, or not wait so long: the next one has it.
func (g *Gateway) sum() {
	done, known := make(chan summed, 1), g.known
	g.summing, g.known = done, nil
	ctx, cancel := context.WithTimeout(g.ending, sumTime)
	go func() {
		defer cancel()
		s := summed{begun: time.Now()}
		s.statement, s.known, s.err = g.ledger.Sum(ctx, time.Time{}, known)
		s.ended = time.Now()
		done <- s
	}()
}

// stopLooking ends a sum that is under way: nobody reads a ledger that is closed.
func (g *Gateway) stopLooking() {
	g.end()
	g.looking.Lock()
	defer g.looking.Unlock()
	if g.summing != nil {
		<-g.summing
		g.summing = nil
	}
}

// look sums up the journal, so that all of the page is of one moment: sentence, figures,
// charts, keys and runs. Where that has just been done it is the look of then. Of a ledger
// that is not summed up in half of the time there is it has the figures and the runs.
func (g *Gateway) look(ctx context.Context) (*look, error) {
	g.looking.Lock()
	defer g.looking.Unlock()
	due := !time.Now().Before(g.next)
	switch {
	case !due && g.seen != nil:
		return g.seen, nil
	case due && g.summing == nil && g.ending.Err() == nil:
		g.sum()
	case g.summing == nil:
		return g.without(ctx)
	}
	for most := time.After(collectTime / 2); ; {
		select {
		case s := <-g.summing:
			g.summing, g.known = nil, s.known
			if s.next().Add(collectTime).Before(time.Now()) && g.ending.Err() == nil { // nobody looked for long
				g.sum()
				continue
			}
			return g.with(ctx, s)
		case <-most:
			g.next = time.Now().Add(collectTime / 2) // who comes meanwhile does not wait as well
			return g.without(ctx)
		}
	}
}

// with is a look with a sum.
func (g *Gateway) with(ctx context.Context, s summed) (*look, error) {
	g.seen, g.next = nil, s.next()
	if s.err != nil {
		return g.without(ctx)
	}
	b := report.NewBudget(s.statement.Status, s.statement, s.begun)
	l := &look{At: s.begun, Status: s.statement.Status, Budget: &b}
	if s.known == nil { // of a store that tells no more
		var err error
		if l.runs, err = g.ledger.Store.Runs(ctx, 0); err != nil {
			return l, err
		}
	} else {
		l.runs = s.known.Runs()
	}
	burnDown, err1 := pages.BurnDown(b)
	perDay, err2 := pages.PerDay(b)
	if errors.Join(err1, err2) == nil {
		l.Charts = []template.HTML{burnDown, perDay}
	}
	g.seen = l
	return l, nil
}

// without is a look without a sum, which is kept as one with it is.
func (g *Gateway) without(ctx context.Context) (*look, error) {
	l, err := g.plain(ctx)
	g.seen = l
	return l, err
}

// tries is how often the figures and the runs are read until both are of one moment.
const tries = 3

// plain has what the ledger says without a sum: the runs, between two looks at the figures
// that have the same entry as the latest.
func (g *Gateway) plain(ctx context.Context) (*look, error) {
	before, err := g.ledger.Status(ctx)
	for range tries {
		if err != nil {
			return nil, err
		}
		l := &look{At: time.Now()}
		if l.runs, err = g.ledger.Store.Runs(ctx, 0); err == nil {
			l.Status, err = g.ledger.Status(ctx)
		}
		if err == nil && l.Status.Seq == before.Seq {
			return l, nil
		}
		before = l.Status
	}
	return nil, cmp.Or(err, errors.New("the ledger changes too fast to be shown"))
}
