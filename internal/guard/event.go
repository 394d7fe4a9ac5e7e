package guard

import (
	"context"
	"log/slog"
	"time"
)

// Event is what became of one request. It has nothing of what the request or
// its answer said.
type Event struct {
	// Client is whose token it came with, empty without a good one.
	Client string
	// Verdict is how it ended.
	Verdict Verdict
	// Status is that of the answer, 0 where the guard or the mock made it.
	Status int
	// Tally is what it added to the guard's.
	Tally Tally
	Took  time.Duration
}

// named is the client where clients are told apart; where each run has one of
// its own, its id says nothing.
func (x *exchange) named() string {
	if x.handler.checker.Client == nil {
		return ""
	}
	return x.client
}

// report writes the exchange to the log and tells the observer of it.
func (x *exchange) report() {
	took := time.Since(x.start)
	x.log(took)
	if observe := x.handler.guard.cfg.Observe; observe != nil {
		observe(Event{Client: x.client, Verdict: x.verdict, Status: x.status, Tally: x.counts, Took: took})
	}
}

// log writes the exchange: at level warn when the guard refused or let the mock answer for a recording, and at level error
// when the client was not told why.
func (x *exchange) log(took time.Duration) {
	to, level := x.handler.guard.cfg.Log, slog.LevelInfo
	switch x.verdict {
	case Mocked, Replayed, Bought:
	default:
		level = slog.LevelWarn
	}
	if x.reason != "" {
		level = slog.LevelError // nobody else is told
	}
	ctx := context.Background()
	if to == nil || !to.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("verdict", string(x.verdict)), slog.Int("units", x.units),
		slog.String("environment", string(x.handler.env)), slog.String("api", string(x.handler.api)),
		slog.String("method", x.r.Method), slog.String("path", x.r.URL.EscapedPath()),
	}
	if x.status != 0 {
		attrs = append(attrs, slog.Int("status", x.status))
	}
	for _, text := range [][2]string{{"key", x.key.Sum}, {"entry", x.entry}, {"client", x.named()}, {"test", x.handler.guard.testOf(x.r)}, {"reason", x.reason}} {
		if text[1] != "" {
			attrs = append(attrs, slog.String(text[0], text[1]))
		}
	}
	attrs = append(attrs, slog.Duration("took", took))
	to.LogAttrs(ctx, level, "request", attrs...)
}
