package stand

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hsharness/hsharness/harness/guard"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Guest is the stand of the hsharness exec that this process runs in, reached
// by the variables that exec set. It has no ledger and no guard of its own. Its
// clock and faults are those of everybody in that exec.
type Guest struct {
	vars   map[string]string
	client *http.Client
	tokens tokens
	mode   guard.Mode
	before guard.Tally // what had been counted when the guest came
}

// guestVariables are what exec sets and a guest needs.
var guestVariables = []string{
	"HSHARNESS_RUN_ID", "HSHARNESS_IDENTITY_URL", "HSHARNESS_TOKEN_URL", "HSHARNESS_API_URL", "HSHARNESS_LEGACY_API_URL",
	"HSHARNESS_MANAGED_API_URL", "HSHARNESS_CLIENT_ID", "HSHARNESS_CLIENT_SECRET", "HSHARNESS_CONTROL_URL", "HSHARNESS_MODE",
}

// Nested tells whether this process runs inside the guard of an hsharness exec.
func Nested(getenv func(string) string) bool {
	return getenv("HSHARNESS_API_URL") != "" && getenv("HSHARNESS_RUN_ID") != ""
}

// ErrGuardGone says that the exec which this process was started by has ended.
var ErrGuardGone = errors.New("the guard of the hsharness exec around this process is gone; start again with hsharness exec")

// Join makes a guest of the exec around this process. The error matches
// [ErrGuardGone] when that has ended.
func Join(getenv func(string) string) (*Guest, error) {
	g := &Guest{vars: map[string]string{}, client: &http.Client{Timeout: 10 * time.Second}}
	for _, name := range guestVariables {
		if g.vars[name] = getenv(name); g.vars[name] == "" {
			return nil, fmt.Errorf("%s is not set, though HSHARNESS_RUN_ID and HSHARNESS_API_URL are: run this inside hsharness exec, or unset those", name)
		}
	}
	var err error
	if g.mode, err = guard.ParseMode(g.vars["HSHARNESS_MODE"]); err != nil {
		return nil, fmt.Errorf("HSHARNESS_MODE: %w", err)
	}
	tally, err := g.counted()
	if err != nil {
		return nil, err
	}
	g.before = tally
	return g, nil
}

// errSandboxOnly is what a guest says of production.
var errSandboxOnly = errors.New("hsharness exec serves the sandbox alone")

// IdentityURL is the sandbox's.
func (g *Guest) IdentityURL(avalara.Environment) string { return g.vars["HSHARNESS_IDENTITY_URL"] }

// TokenURL is the sandbox's.
func (g *Guest) TokenURL(avalara.Environment) string { return g.vars["HSHARNESS_TOKEN_URL"] }

// APIURL is the outer guard's face for an API of the sandbox.
func (g *Guest) APIURL(env avalara.Environment, api avalara.API) (string, error) {
	if env != avalara.Sandbox {
		return "", errSandboxOnly
	}
	return g.vars[apiVariables[api]], nil
}

// Client is the dummy client of the run.
func (g *Guest) Client() (id, secret string) {
	return g.vars["HSHARNESS_CLIENT_ID"], g.vars["HSHARNESS_CLIENT_SECRET"]
}

// Token is a token of that client.
func (g *Guest) Token(ctx context.Context, env avalara.Environment, scope string) (string, error) {
	return g.tokens.get(ctx, g, env, scope)
}

// BadToken has the outer stand mint one.
func (g *Guest) BadToken(_ avalara.Environment, api avalara.API, defect string) (string, error) {
	id, _ := g.Client()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err := g.call(http.MethodPost, "/tokens", map[string]any{
		"client_id": id, "scopes": avalara.HostOf(avalara.Sandbox, api).Scopes[:1], "defect": defect,
	}, &answer)
	return answer.AccessToken, err
}

// Now is the outer stand's time, or this machine's when it can't be asked.
func (g *Guest) Now() time.Time {
	var answer struct{ Now time.Time }
	if g.call(http.MethodPost, "/clock", map[string]string{"advance": "0s"}, &answer) != nil {
		return time.Now()
	}
	return answer.Now
}

// Advance moves the clock of the whole exec.
func (g *Guest) Advance(d time.Duration) error {
	return g.call(http.MethodPost, "/clock", map[string]control.Duration{"advance": control.Duration(d)}, nil)
}

// AddFaults strikes everybody in the exec.
func (g *Guest) AddFaults(faults ...control.Fault) error {
	return g.call(http.MethodPost, "/faults", faults, nil)
}

// ClearFaults removes everybody's.
func (g *Guest) ClearFaults() error { return g.call(http.MethodDelete, "/faults", nil, nil) }

// Requests are the outer journal after an entry's Seq.
func (g *Guest) Requests(since int64) ([]control.Entry, error) {
	var entries []control.Entry
	err := g.call(http.MethodGet, fmt.Sprintf("/requests?since=%d", since), nil, &entries)
	return entries, err
}

// askAgain is how often a guest that waits looks into the outer journal.
const askAgain = 20 * time.Millisecond

// WaitFor looks again and again: nothing tells a guest of a new entry.
func (g *Guest) WaitFor(ctx context.Context, n int, match func(control.Entry) bool) ([]control.Entry, error) {
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

// Tally is what the outer guard counted since this guest came, for whomever.
func (g *Guest) Tally() (guard.Tally, error) {
	now, err := g.counted()
	return now.Sub(g.before), err
}

func (g *Guest) counted() (guard.Tally, error) {
	var t guard.Tally
	err := g.call(http.MethodGet, "/tally", nil, &t)
	return t, err
}

// Mode is the outer guard's.
func (g *Guest) Mode() guard.Mode { return g.mode }

// Left is what the run around this process may still spend.
func (g *Guest) Left() (units int, metered bool, err error) {
	var answer struct{ Left *int }
	if err := g.call(http.MethodGet, "/left", nil, &answer); err != nil || answer.Left == nil {
		return 0, false, err
	}
	return *answer.Left, true, nil
}

// Environ passes on what exec set.
func (g *Guest) Environ(env avalara.Environment) ([]string, error) {
	if env != avalara.Sandbox {
		return nil, errSandboxOnly
	}
	var vars []string
	for _, name := range guestVariables {
		vars = append(vars, name+"="+g.vars[name])
	}
	return vars, nil
}

// Exit is 0: the outer exec says what its guard refused.
func (g *Guest) Exit() (code int, reason string) { return 0, "" }

// Reuse is refused: what the exec's other users did to it is not known.
func (g *Guest) Reuse(*guard.Cap) bool { return false }

// Close leaves the outer stand as it is.
func (g *Guest) Close() error {
	g.client.CloseIdleConnections()
	return nil
}

// call asks the outer control endpoint.
func (g *Guest) call(method, path string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if body == nil {
		data = nil
	}
	r, err := http.NewRequest(method, g.vars["HSHARNESS_CONTROL_URL"]+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	resp, err := g.client.Do(r)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrGuardGone, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s", method, path, strings.TrimSpace(string(text)))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

func (g *Guest) hasAPI(env avalara.Environment, api avalara.API, host string) bool {
	return env == avalara.Sandbox && g.vars[apiVariables[api]] == "http://"+host
}
