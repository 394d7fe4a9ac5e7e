// Package limits adds the flags of commands that serve: what callers can take, and
// how soon the command ends when it is told to. It may touch packages
// typed, bounded and session, and nothing else of this module.
package limits

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/session"
)

// Serving are the settings of a command that serves.
type Serving struct {
	bounded.Limits
	// Grace is how long the end may take, from the signal on.
	Grace time.Duration
}

// More than any machine gives: bytes of bodies, and connections.
const (
	mostMemory      = 512 << 30
	mostConnections = 1 << 20
)

// Flags adds a flag for each setting.
func (s *Serving) Flags(flags *pflag.FlagSet) {
	s.Limits = bounded.Defaults()
	typed.Number(flags, &s.Body, "max-body", 1, bounded.MaxBody, "refuse a body of more than `N` bytes with 413")
	typed.Number(flags, &s.Memory, "max-memory", 1, mostMemory, "let all bodies under way take `N` bytes together, beside the first 16 KiB of each; others wait")
	typed.Number(flags, &s.Connections, "max-connections", 1, mostConnections, "let `N` connections be open; then the one that kept us waiting the longest is closed")
	typed.Span(flags, &s.HeaderTime, "header-time", s.HeaderTime, "close a connection whose request's headers take longer than this `time`")
	typed.Span(flags, &s.BodyTime, "body-time", s.BodyTime, "refuse a body that takes longer than this `time` with 408")
	typed.Span(flags, &s.AnswerTime, "answer-time", s.AnswerTime, "close a connection that takes longer than this `time` to read its answer")
	typed.Span(flags, &s.IdleTime, "idle-time", s.IdleTime, "close a connection that asks nothing for this `time`")
	typed.Span(flags, &s.Grace, "grace", session.DefaultGrace, "end within this `time` when told to, whatever is under way")
}

// Check says what does not fit together, or nil.
func (s *Serving) Check() error {
	for _, one := range []struct {
		flag string
		time time.Duration
	}{{"header-time", s.HeaderTime}, {"body-time", s.BodyTime}, {"answer-time", s.AnswerTime}, {"idle-time", s.IdleTime}, {"grace", s.Grace}} {
		if one.time <= 0 {
			return fmt.Errorf("--%s 0 leaves no time: want a time such as 10s", one.flag)
		}
	}
	if s.Memory < s.Body {
		return fmt.Errorf("--max-memory %d has no room for one body of --max-body %d: raise the one or lower the other", s.Memory, s.Body)
	}
	return nil
}

// late is how much longer than its grace an end may take before it is not waited for.
const late = 500 * time.Millisecond

// Within runs f, which ends by itself when ctx is over. Where it does not within the
// grace, Within does, with a [*LateError], and the program must end: f goes on.
func Within(ctx context.Context, grace time.Duration, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace + late)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return &LateError{grace}
	}
}

// LateError says that the end was not waited for.
type LateError struct{ Grace time.Duration }

func (e *LateError) Error() string {
	return fmt.Sprintf("could not end in order within --grace %s: what was under way counts, and what was held is free again within half a minute", e.Grace)
}
