package guard

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// event is what the log says of one request: the verdict that it ended with,
// what it cost or would have, and where to look further. It has nothing of what
// the request or its answer said.
type event struct {
	to    *slog.Logger // nil without a log
	start time.Time
	face  *face
	r     *http.Request

	verdict string // a [Verdict], or mocked, replayed, bought, unauthorized, unreadable
	status  int
	units   int
	key     string // of the recording
	entry   string // the spend that paid for it, the latest of several
}

func (f *face) event(r *http.Request) *event {
	return &event{to: f.guard.cfg.Log, start: time.Now(), face: f, r: r}
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

// log writes the event, at level warn when the guard refused.
func (e *event) log() {
	level := slog.LevelInfo
	switch e.verdict {
	case "mocked", "replayed", "bought":
	case "": // a handler that hung up on purpose
		e.verdict = "aborted"
	default:
		level = slog.LevelWarn
	}
	ctx := context.Background()
	if e.to == nil || !e.to.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("verdict", e.verdict), slog.Int("units", e.units),
		slog.String("environment", string(e.face.env)), slog.String("api", string(e.face.api)),
		slog.String("method", e.r.Method), slog.String("path", e.r.URL.EscapedPath()),
	}
	if e.status != 0 {
		attrs = append(attrs, slog.Int("status", e.status))
	}
	for _, text := range [][2]string{{"key", e.key}, {"entry", e.entry}, {"test", e.r.Header.Get(TestHeader)}} {
		if text[1] != "" {
			attrs = append(attrs, slog.String(text[0], text[1]))
		}
	}
	attrs = append(attrs, slog.Duration("took", time.Since(e.start)))
	e.to.LogAttrs(ctx, level, "request", attrs...)
}
