package services

import (
	"context"
	"net/url"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Service is what tests talk to: a [Local] of their own, or as a [Remote] that
// of the hsharness exec that they run in.
type Service interface {
	// IdentityURL is the base URL of an environment's identity service, and
	// TokenURL its token endpoint.
	IdentityURL(avalara.Environment) string
	TokenURL(avalara.Environment) string
	// APIURL is the base URL of the guard for one API.
	APIURL(avalara.Environment, avalara.API) (string, error)
	// Client is the id and secret of the mock identity service.
	Client() (id, secret string)
	// Token is a good token of that client for a scope; BadToken one with a
	// defect.
	Token(ctx context.Context, env avalara.Environment, scope string) (string, error)
	BadToken(env avalara.Environment, api avalara.API, defect string) (string, error)
	// Now and Advance are the clock that the mock's tokens expire by.
	Now() time.Time
	Advance(time.Duration) error
	AddFaults(...control.Fault) error
	ClearFaults() error
	// Requests are the mocks' journal after an entry's Seq.
	Requests(since int64) ([]control.Entry, error)
	// WaitFor returns the matching entries as soon as there are n of them; see
	// [control.Journal.WaitFor].
	WaitFor(ctx context.Context, n int, match func(control.Entry) bool) ([]control.Entry, error)
	// Tally is what the guard counted.
	Tally() (guard.Tally, error)
	// Mode is how far the guard may go.
	Mode() guard.Mode
	// Left is how many units its run may still spend, of which metered is
	// false when it buys nothing.
	Left() (units int, metered bool, err error)
	// Environ are the variables by which a command finds all this.
	Environ(avalara.Environment) ([]string, error)
	// Reuse readies the services for another user once the one before is done, who
	// moved no clock, armed no fault and called no API that keeps something. The
	// new one gets a cap of its own. False means that it must not be used again.
	Reuse(*guard.Cap) bool
	// Outcome is the gravest of the guard's refusals that fail a run, and why.
	Outcome() (Outcome, error)
	Close() error

	// hasAPI tells whether an API is reached by a URL.
	hasAPI(env avalara.Environment, api avalara.API, u *url.URL) bool
}

var (
	_ Service = (*Local)(nil)
	_ Service = (*Remote)(nil)
)

// Reuse is for services whose every answer is the mock's, of which there is no end, or a
// recording, which all services of a run read alike.
func (s *Local) Reuse(limit *guard.Cap) bool {
	verdict, _ := s.Verdict()
	if s.mode.Buys() || s.limited || verdict != "" {
		return false
	}
	s.guard.SetCap(limit)
	return true
}

// Left is the guard's; it never errs.
func (s *Local) Left() (units int, metered bool, err error) {
	units, metered = s.guard.Left()
	return units, metered, nil
}

// Now is the time by the services' clock.
func (s *Local) Now() time.Time { return s.Clock.Now() }

// Advance moves the services' clock.
func (s *Local) Advance(d time.Duration) error { return s.Clock.Advance(d) }

// AddFaults appends faults to the services' script. One that would never strike is an error.
func (s *Local) AddFaults(faults ...control.Fault) error { return s.addAll(faults) }

// ClearFaults removes all faults.
func (s *Local) ClearFaults() error {
	s.Faults.Clear()
	return nil
}

// Requests are the mocks' journal after an entry's Seq.
func (s *Local) Requests(since int64) ([]control.Entry, error) { return s.Journal.Entries(since), nil }

// WaitFor is the journal's.
func (s *Local) WaitFor(ctx context.Context, n int, match func(control.Entry) bool) ([]control.Entry, error) {
	return s.Journal.WaitFor(ctx, n, match)
}

// hasAPI looks at the URLs that were asked for: no others can be in use.
func (s *Local) hasAPI(env avalara.Environment, api avalara.API, u *url.URL) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return reached(s.api[apiOf{env, api}], u)
}
