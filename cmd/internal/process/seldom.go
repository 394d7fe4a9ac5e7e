package process

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Seldom is a log of a server for people: while a ledger is down each request is
// refused for the same reason, and one line in ten seconds says as much as all of
// them. What is left out is counted in the next line. It is safe for concurrent use.
type Seldom struct {
	slog.Handler
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu      sync.Mutex
	told    time.Time
	between int
}

// seldom is how long a line stands for those that follow.
const seldom = 10 * time.Second

// Handle writes the record, or counts it.
func (s *Seldom) Handle(ctx context.Context, r slog.Record) error {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.told.IsZero() && now().Sub(s.told) < seldom {
		s.between++
		return nil
	}
	if s.between > 0 {
		r.AddAttrs(slog.Int("left_out", s.between))
	}
	s.told, s.between = now(), 0
	return s.Handler.Handle(ctx, r)
}
