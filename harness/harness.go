// Package harness starts everything that a Go test of an HS classification
// client needs, in one call:
//
//	h := harness.Start(t, harness.Options{})
//
// The code under test gets its URLs and credentials from h as it would get
// them from its configuration: [Harness.TokenURL], [Harness.APIURL],
// [Harness.ClientID] and [Harness.ClientSecret]. Behind them stand a mock
// identity service and a mock classification API of both environments, on
// loopback, with a clock that the test can move and faults that it can add.
//
// It may touch the project file, recordings, scenario files, the environment and
// sockets of this machine, and never a ledger.
//
// Code that has the real hosts built in can be tested too: give it
// [Harness.RealHosts] as its transport.
//
// # Time
//
// [Harness.Clock] moves the clock that tokens expire by. It does not move the
// clock of the code under test.
//
// # Replay
//
// With HSHARNESS_MODE=replay recordings answer instead of the mock API, and a
// request without one fails the test, with its price and the command that buys
// it, also when the code under test swallows the error. Where the project file says
// recordings: { on_miss: mock } the mock answers it, and the test's log says so. No
// variable can make a test spend.
//
// # The project file
//
// The nearest hsharness.yaml above the test counts here as for every command: its
// prices, its recordings and what tells them apart. A file that can't be read
// fails the test. No variable that it names is looked at, so the real credential
// is not even read.
//
// # Inside hsharness exec
//
// A test that runs under `hsharness exec` is a client of that guard: same code,
// in the mode and for the amount that exec was given, with a clock, faults and
// counts of its own. Its spends carry its name in the ledger.
//
// # What is safe
//
// Every Start is apart from every other, so tests may run in parallel. Nothing
// leaves the machine, and all is closed when the test ends. Where there is no test,
// [New] starts the same.
package harness

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp/control"
)

// TB is the part of testing.TB that the harness uses, so that it need not
// import package testing. Each method is to do what that one's does.
type TB interface {
	// Helper leaves its caller out of the place of a failure.
	Helper()
	// Cleanup calls a function when the test has ended, the last one first.
	Cleanup(func())
	// Errorf fails the test, and goes on.
	Errorf(format string, args ...any)
	// Fatalf fails the test and ends it: it must not return.
	Fatalf(format string, args ...any)
}

// Harness is what a test talks to. It is safe for concurrent use.
type Harness struct {
	t        TB
	env      avalara.Environment
	services services.Service
	real     http.RoundTripper
	closed   func() error // nil where a test ends it
}

// Start starts the services and stops them when the test ends. It fails the
// test at once when it can't.
func Start(t TB, o Options) *Harness {
	t.Helper()
	h := &Harness{t: t}
	if err := h.start(o); err != nil {
		t.Fatalf("harness: start: %s", hint.Text(err))
	}
	return h
}

func (h *Harness) start(o Options) (err error) {
	h.env = avalara.Sandbox
	if o.Production {
		h.env = avalara.Production
	}
	if h.services, h.real, err = begin(h.t, o); err != nil {
		return err
	}
	h.t.Cleanup(func() {
		tally, err := h.services.Tally()
		refused, refusedErr := h.services.Outcome()
		// A client may have swallowed it, but the test did not see an answer.
		if refused.Verdict != "" {
			h.t.Errorf("harness: %s%s", refused.Reason, o.buying(h.t, tally.MissedUnits))
		}
		// Nor perhaps did one whose guard went away in its midst.
		if err = cmp.Or(err, refusedErr); err != nil {
			h.t.Errorf("harness: what became of this test's requests can't be asked: %s", hint.Text(err))
		}
		if log, ok := h.t.(interface {
			Logf(format string, args ...any)
		}); ok && tally.Unbought > 0 {
			log.Logf("harness: answers from the mock, because they were never bought: %d, for %d units%s", tally.Unbought, tally.UnboughtUnits, o.buying(h.t, tally.UnboughtUnits))
		}
		if err := h.services.Close(); err != nil {
			h.t.Errorf("harness: stop: %v", err)
		}
	})
	return nil
}

// IdentityURL is the base URL of the identity service.
func (h *Harness) IdentityURL() string { return h.services.IdentityURL(h.env) }

// TokenURL is the token endpoint.
func (h *Harness) TokenURL() string { return h.services.TokenURL(h.env) }

// APIURL is the base URL of the current API, whose scope is
// hs-code-classification.
func (h *Harness) APIURL() string { return h.api(avalara.Current) }

// LegacyAPIURL is the base URL of the legacy API, whose scope is avatax_api.
func (h *Harness) LegacyAPIURL() string { return h.api(avalara.Legacy) }

// ManagedAPIURL is the base URL of the managed API.
func (h *Harness) ManagedAPIURL() string { return h.api(avalara.Managed) }

func (h *Harness) api(api avalara.API) string {
	h.t.Helper()
	u, err := h.services.APIURL(h.env, api)
	if err != nil {
		h.t.Fatalf("harness: listen: %v", err)
	}
	return u
}

// ClientID is the client id that the identity service knows.
func (h *Harness) ClientID() string { id, _ := h.services.Client(); return id }

// ClientSecret is its secret.
func (h *Harness) ClientSecret() string { _, secret := h.services.Client(); return secret }

// Client is ready to use: it gets tokens of the right scope by itself, renews
// them by the harness's clock, and reaches the harness's URLs and the real
// hosts, both answered on this machine. It follows no redirect, and refuses
// every other host.
func (h *Harness) Client() *http.Client {
	return &http.Client{
		Transport:     services.Authorized(h.services, h.real),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RealHosts is a transport for code that has the real hosts built in: the
// identity and API hosts of both environments are answered in this process,
// without sockets. It adds no token, and refuses every other host but
// loopback.
func (h *Harness) RealHosts() http.RoundTripper { return h.real }

// Clock moves the time that tokens expire by.
func (h *Harness) Clock() Clock { return Clock{h} }

// Clock is the clock of a [Harness]; see [Harness.Clock].
type Clock struct{ h *Harness }

// Now is the time by that clock.
func (c Clock) Now() time.Time { return c.h.services.Now() }

// Advance moves it forward, or back when d is negative.
func (c Clock) Advance(d time.Duration) {
	c.h.t.Helper()
	if err := c.h.services.Advance(d); err != nil {
		c.h.t.Fatalf("harness: %s", hint.Text(err))
	}
}

// Fault adds faults, in the order in which they are looked at. One that is
// invalid fails the test.
func (h *Harness) Fault(faults ...control.Fault) {
	h.t.Helper()
	if err := h.services.AddFaults(faults...); err != nil {
		h.t.Fatalf("harness: %s", hint.Text(err))
	}
}

// Requests are the last requests that the identity services and the mock APIs
// saw, oldest first, with secrets masked. A request that a fault or the guard
// answered did not come so far.
func (h *Harness) Requests() []control.Entry {
	h.t.Helper()
	entries, err := h.services.Requests(0)
	if err != nil {
		h.t.Fatalf("harness: %s", hint.Text(err))
	}
	return entries
}

// WaitFor returns the requests that match as soon as there are n of them, and
// fails the test with what came instead when there are fewer after timeout. A
// nil match takes all. It is for code that asks in the background.
func (h *Harness) WaitFor(n int, match func(control.Entry) bool, timeout time.Duration) []control.Entry {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	got, err := h.services.WaitFor(ctx, n, match)
	if err != nil {
		h.t.Fatalf("harness: wait for %d requests: %v", n, err)
	}
	return got
}
