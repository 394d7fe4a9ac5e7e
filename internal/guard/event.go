package guard

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Event is what became of one request. It has nothing of what the request or
// its answer said.
type Event struct {
	// Client is whose token it came with, empty without a good one.
	Client string
	// Verdict is a [Verdict], or mocked, replayed, bought, unauthorized,
	// unreadable or aborted.
	Verdict string
	// Status is that of the answer, 0 where the guard or the mock made it.
	Status int
	// Units are what it cost, or would have where nothing was spent; Spent is
	// whether something was.
	Units int
	Spent bool
	Took  time.Duration
}

// event is what the log says of one request: the verdict that it ended with,
// what it cost or would have, and where to look further. It has nothing of what
// the request or its answer said.
type event struct {
	to      *slog.Logger // nil without a log
	start   time.Time
	handler *handler
	r       *http.Request

	client  string // whose token it came with
	verdict string // a [Verdict], or mocked, replayed, bought, unauthorized, unreadable
	status  int
	units   int
	key     string // of the recording
	entry   string // the spend that paid for it, the latest of several
}

func (f *handler) event(r *http.Request) *event {
	return &event{to: f.guard.cfg.Log, start: time.Now(), handler: f, r: r}
}

// spent notes a spend that was written down; a second one adds to the first.
func (e *event) spent(id string, units int) {
	e.entry = id
	e.units += units
}

// refused notes why the guard answers itself. What was spent all the same
// counts; else it is what the request would have cost.
func (e *event) refused(r *Refusal) {
	e.verdict = string(r.Verdict)
	if e.entry == "" {
		e.units = r.Units
	}
}

// named is the client where clients are told apart; where each run has one of
// its own, its id says nothing.
func (e *event) named() string {
	if e.handler.checker.Client == nil {
		return ""
	}
	return e.client
}

// close writes the event and tells the observer of it.
func (e *event) close() {
	if e.verdict == "" { // a handler that hung up on purpose
		e.verdict = "aborted"
	}
	took := time.Since(e.start)
	e.log(took)
	if observe := e.handler.guard.cfg.Observe; observe != nil {
		observe(Event{Client: e.client, Verdict: e.verdict, Status: e.status, Units: e.units, Spent: e.entry != "" && e.units > 0, Took: took})
	}
}

// log writes the event, at level warn when the guard refused.
func (e *event) log(took time.Duration) {
	level := slog.LevelInfo
	switch e.verdict {
	case "mocked", "replayed", "bought", "aborted":
	default:
		level = slog.LevelWarn
	}
	ctx := context.Background()
	if e.to == nil || !e.to.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("verdict", e.verdict), slog.Int("units", e.units),
		slog.String("environment", string(e.handler.env)), slog.String("api", string(e.handler.api)),
		slog.String("method", e.r.Method), slog.String("path", e.r.URL.EscapedPath()),
	}
	if e.status != 0 {
		attrs = append(attrs, slog.Int("status", e.status))
	}
	for _, text := range [][2]string{{"key", e.key}, {"entry", e.entry}, {"client", e.named()}, {"test", e.handler.guard.testOf(e.r)}} {
		if text[1] != "" {
			attrs = append(attrs, slog.String(text[0], text[1]))
		}
	}
	attrs = append(attrs, slog.Duration("took", took))
	e.to.LogAttrs(ctx, level, "request", attrs...)
}
