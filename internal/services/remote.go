package services

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Remote is a client of the guard around this process, an hsharness exec, reached
// over loopback. Its services, clock, faults and counts are its own; the
// ledger's run and the recordings are everybody's in that exec.
type Remote struct {
	answer ClientAnswer
	parent wire // the control endpoint that made it
	own    wire
	runID  string
	tokens tokens
}

// Nested tells whether this process runs inside the guard of an hsharness exec,
// or beside a server that makes clients too.
func Nested(getenv func(string) string) bool {
	return getenv("HSHARNESS_CONTROL_URL") != ""
}

// ErrGuardGone says that the exec which this process was started by has ended.
var ErrGuardGone = errors.New("the guard around this process is gone")

// Join makes a client of the exec around this process. The error matches
// [ErrGuardGone] when that has ended, and is a [*RuleError] when it does not let
// a client go so far. Where a URL leads to a real host it is a
// [*guard.ProductionError] or a [*guard.PastGuardError].
func Join(getenv func(string) string, r Rules) (*Remote, error) {
	base, err := guard.LocalURL(getenv("HSHARNESS_CONTROL_URL"))
	if err != nil {
		return nil, fmt.Errorf("HSHARNESS_CONTROL_URL: %w", err)
	}
	return newRemote(newWire(base, getenv("HSHARNESS_CONTROL_TOKEN")), getenv("HSHARNESS_RUN_ID"), r)
}

// NewClient makes a client of this one.
func (g *Remote) NewClient(r Rules) (*Remote, error) { return newRemote(g.own, g.runID, r) }

func newRemote(parent wire, runID string, r Rules) (*Remote, error) {
	g := &Remote{parent: parent, runID: runID}
	if err := parent.call(http.MethodPost, "/clients", r, &g.answer); err != nil {
		return nil, err
	}
	if err := g.answer.check(); err != nil {
		return nil, fmt.Errorf("the control endpoint at %s: %w", parent.base, err)
	}
	g.own = newWire(g.answer.ControlURL, parent.token)
	return g, nil
}

// IdentityURL is the base URL of an environment's identity service.
func (g *Remote) IdentityURL(env avalara.Environment) string { return g.answer.Of(env).Identity }

// TokenURL is its token endpoint.
func (g *Remote) TokenURL(env avalara.Environment) string { return g.answer.Of(env).Token }

// APIURL is the base URL of the guard for one API. It never errs.
func (g *Remote) APIURL(env avalara.Environment, api avalara.API) (string, error) {
	return g.answer.Of(env).of(api), nil
}

// Client is the dummy client of the mock identity service.
func (g *Remote) Client() (id, secret string) { return g.answer.ClientID, g.answer.ClientSecret }

// Token is a token of that client.
func (g *Remote) Token(ctx context.Context, env avalara.Environment, scope string) (string, error) {
	return g.tokens.get(ctx, g, env, scope)
}

// BadToken has the guard mint one.
func (g *Remote) BadToken(env avalara.Environment, api avalara.API, defect string) (string, error) {
	var answer Minted
	err := g.own.call(http.MethodPost, "/tokens", MintRequest{
		Environment: env, ClientID: g.answer.ClientID, Scopes: avalara.HostOf(env, api).Scopes[:1], Defect: mockidp.Defect(defect),
	}, &answer)
	return answer.AccessToken, err
}

// Now is the client's time, or this machine's when it can't be asked.
func (g *Remote) Now() time.Time {
	var answer Time
	if g.own.call(http.MethodGet, "/clock", nil, &answer) != nil {
		return time.Now()
	}
	return answer.Now
}

// Advance moves the client's clock.
func (g *Remote) Advance(d time.Duration) error {
	return g.own.call(http.MethodPost, "/clock", ClockMove{control.Duration(d)}, nil)
}

// AddFaults appends faults to the client's script.
func (g *Remote) AddFaults(faults ...control.Fault) error {
	return g.own.call(http.MethodPost, "/faults", faults, nil)
}

// ClearFaults removes all of them.
func (g *Remote) ClearFaults() error { return g.own.call(http.MethodDelete, "/faults", nil, nil) }

// Requests are the journal after an entry's Seq.
func (g *Remote) Requests(since int64) ([]control.Entry, error) {
	var entries []control.Entry
	err := g.own.call(http.MethodGet, fmt.Sprintf("/requests?since=%d", since), nil, &entries)
	return entries, err
}

// askAgain is how often a client that waits looks into the journal.
const askAgain = 20 * time.Millisecond

// WaitFor looks again and again: nothing tells a client of a new entry.
func (g *Remote) WaitFor(ctx context.Context, n int, match func(control.Entry) bool) ([]control.Entry, error) {
	for {
		entries, err := g.Requests(0)
		if err != nil {
			return nil, err
		}
		got, other := control.Sort(entries, match)
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return got, control.Missing(ctx.Err(), n, got, other)
		}
	}
}

// Tally is what the guard counted of the client's requests.
func (g *Remote) Tally() (guard.Tally, error) {
	var t guard.Tally
	err := g.own.call(http.MethodGet, "/tally", nil, &t)
	return t, err
}

// Mode is how far the client may go.
func (g *Remote) Mode() guard.Mode { return g.answer.Mode }

// Max is the most that the client may use, in units; nil is any number.
func (g *Remote) Max() *int { return g.answer.Max }

// Left is what the client may still spend.
func (g *Remote) Left() (units int, metered bool, err error) {
	var answer Left
	if err := g.own.call(http.MethodGet, "/left", nil, &answer); err != nil || answer.Left == nil {
		return 0, false, err
	}
	return *answer.Left, true, nil
}

// Environ are the variables by which a command finds the client's services. It
// never errs.
func (g *Remote) Environ(env avalara.Environment) ([]string, error) {
	return append(g.answer.Environ(env), "HSHARNESS_MODE="+g.answer.Mode.String(), "HSHARNESS_RUN_ID="+g.runID), nil
}

// Outcome is the gravest of the guard's refusals that fail a run. An error is none: what
// was refused is not known then.
func (g *Remote) Outcome() (Outcome, error) {
	var answer Outcome
	err := g.own.call(http.MethodGet, "/verdict", nil, &answer)
	return answer, err
}

// Reuse is refused: a client of one's own costs little.
func (g *Remote) Reuse(*guard.Cap) bool { return false }

// Close ends the client. That a guard is gone is no error then: a client ends with it,
// and whoever wants to know what it counted and refused has asked before.
func (g *Remote) Close() error {
	err := g.parent.call(http.MethodDelete, "/clients/"+g.answer.ID, nil, nil)
	g.own.close()
	g.parent.close()
	if errors.Is(err, ErrGuardGone) {
		return nil
	}
	return err
}

func (g *Remote) hasAPI(env avalara.Environment, api avalara.API, u *url.URL) bool {
	return reached(g.answer.Of(env).of(api), u)
}

// wire is a control endpoint as its caller sees it.
type wire struct {
	base, token string
	client      *http.Client
}

func newWire(base, token string) wire {
	// Proxies of the environment have no part in what stays on this machine.
	// A guard on a busy machine is slow, not gone: a test fails by the one that is gone.
	return wire{base, token, guard.LocalClient(time.Minute)}
}

func (c wire) close() { c.client.CloseIdleConnections() }

// call asks the endpoint. An error that it answers is a [*RuleError] where it
// names a field.
func (c wire) call(method, path string, body, answer any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequest(method, c.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.client.Do(r)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrGuardGone, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrGuardGone, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		var p Problem
		if json.Unmarshal(text, &p) == nil && p.Field != "" {
			return &RuleError{p.Field, p.Detail}
		}
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, p.Detail)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
