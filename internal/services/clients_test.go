package services_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp/control"
)

func ask(t *testing.T, s *services.Local) int {
	t.Helper()
	return askAt(t, s, avalara.PathClassify)
}

func tallyOf(t *testing.T, s *services.Local) guard.Tally {
	t.Helper()
	tally, err := s.Tally()
	require.NoError(t, err)
	return tally
}

func client(t *testing.T, of *services.Local, r services.Rules) *services.Local {
	t.Helper()
	c, err := of.NewClient(r)
	require.NoError(t, err)
	return c
}

func units(n int) *int { return &n }

func TestAMaximumHoldsAtEveryDepth(t *testing.T) {
	t.Parallel()
	s := start(t)
	outer := client(t, s, services.Rules{Max: units(3)})
	middle := client(t, outer, services.Rules{})
	inner, sibling := client(t, middle, services.Rules{Max: units(2)}), client(t, outer, services.Rules{})
	assert.Equal(t, 3, *middle.Max(), "without a maximum of its own it may use what its parent may")

	for _, want := range []int{200, 200, 424} {
		assert.Equal(t, want, ask(t, inner))
	}
	assert.Equal(t, 200, ask(t, sibling))
	assert.Equal(t, 424, ask(t, sibling), "the others used the rest")
	assert.Equal(t, 424, ask(t, middle))
	assert.Equal(t, 200, ask(t, s), "nobody limits the first")

	assert.Equal(t, guard.Tally{Requests: 3, Mocked: 2, Refused: 1, Capped: 1, Price: 2}, tallyOf(t, inner))
	assert.Equal(t, guard.Tally{Requests: 7, Mocked: 4, Refused: 3, Capped: 3, Price: 4}, tallyOf(t, s), "it counts all")
	verdict, reason := s.Verdict()
	assert.Equal(t, guard.Capped, verdict)
	assert.Contains(t, reason, "2 of at most 2 units are used")
}

func TestRulesOnlyTighten(t *testing.T) {
	t.Parallel()
	s, err := services.New(services.Config{Operations: guard.Operations{{Match: "POST /hscode/classify", Cost: 3}, {Match: "POST /hscode/hints", Cost: 0}}})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	outer := client(t, s, services.Rules{Max: units(10)})
	record := guard.Record
	for field, r := range map[string]services.Rules{
		"mode":       {Mode: &record},
		"max":        {Max: units(11)},
		"operations": {Operations: guard.Operations{{Match: "POST /hscode/classify", Cost: 2}}},
	} {
		_, err := outer.NewClient(r)
		var rule *services.RuleError
		require.ErrorAs(t, err, &rule, field)
		assert.Equal(t, field, rule.Field)
	}
	for _, r := range []services.Rules{{Max: units(-1)}, {Operations: guard.Operations{{Match: "POST", Cost: 1}}}} {
		_, err := outer.NewClient(r)
		assert.Error(t, err)
	}

	// A rule for other requests, which would make these cheaper, does not.
	cheap := client(t, outer, services.Rules{Operations: guard.Operations{{Match: "POST /hscode/*", Cost: 0}}})
	assert.Equal(t, 200, ask(t, cheap))
	assert.Equal(t, 3, tallyOf(t, cheap).Price)
	dear := client(t, outer, services.Rules{Operations: guard.Operations{{Match: "POST /hscode/classify", Cost: 7}}})
	assert.Equal(t, 200, ask(t, dear))
	assert.Equal(t, 7, tallyOf(t, dear).Price)
	assert.Equal(t, 424, ask(t, outer), "3 and 7 of 10 are used")
}

// TestAClientMayDemandASeal: the guard says whether there is one, at every depth.
func TestAClientMayDemandASeal(t *testing.T) {
	t.Parallel()
	store, err := recording.Open(recording.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	for _, sealed := range []bool{true, false} {
		s, err := services.New(services.Config{Mode: guard.Record, Sealed: sealed, Cassette: guard.NewCassette(store, 0), Purchase: new(guard.Purchase)})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		inner := client(t, s, services.Rules{})
		replay := guard.Replay
		client(t, inner, services.Rules{Sealed: true, Mode: &replay}) // buys nothing
		_, err = inner.NewClient(services.Rules{Sealed: true})
		if sealed {
			require.NoError(t, err)
			continue
		}
		var rule *services.RuleError
		require.ErrorAs(t, err, &rule)
		assert.Equal(t, services.RuleError{Field: "sealed", Detail: "the run around it is in mode record, and in no seal"}, *rule)
	}
}

func TestAClientsCeilingHolds(t *testing.T) {
	t.Parallel()
	store, err := recording.Open(recording.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	s, err := services.New(services.Config{Mode: guard.Replay, Cassette: guard.NewCassette(store, 0)})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	offline := guard.Offline
	below := client(t, s, services.Rules{Mode: &offline})
	assert.Equal(t, 200, ask(t, below), "the mock answers")
	assert.Equal(t, 424, ask(t, client(t, s, services.Rules{})), "nothing is recorded")
	replay := guard.Replay
	_, err = below.NewClient(services.Rules{Mode: &replay})
	require.ErrorContains(t, err, "goes further than offline")
}

// What was never bought comes from the mock where the run lets it, marked and counted
// once; a client may not have it so, and none of it brings it back.
func TestTheMockAnswersForRecordings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := recording.Open(recording.Config{Dir: dir})
	require.NoError(t, err)
	cassette := guard.NewCassette(store, 0)
	cassette.Mock = true
	s, err := services.New(services.Config{Mode: guard.Replay, Cassette: cassette})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	inner := client(t, s, services.Rules{})
	assert.Equal(t, 200, ask(t, inner))
	assert.Equal(t, guard.Tally{Requests: 1, Mocked: 1, Unbought: 1, UnboughtUnits: 1, Price: 1}, tallyOf(t, inner))
	verdict, _ := s.Verdict()
	assert.Empty(t, verdict, "it fails nothing")
	empty, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, empty, "it is not recorded")

	capped := client(t, s, services.Rules{Max: units(1), OnMiss: guard.MockMiss})
	assert.Equal(t, 200, ask(t, capped))
	assert.Equal(t, 424, ask(t, capped), "its price counts")
	strict := client(t, s, services.Rules{OnMiss: guard.FailMiss})
	assert.Equal(t, 424, ask(t, strict))
	assert.Equal(t, 424, ask(t, client(t, strict, services.Rules{})))
	assert.Equal(t, 200, ask(t, inner), "others go on")
	for _, r := range []services.Rules{{OnMiss: guard.MockMiss}, {OnMiss: "perhaps"}} {
		_, err = strict.NewClient(r)
		var rule *services.RuleError
		require.ErrorAs(t, err, &rule)
		assert.Equal(t, "on_miss", rule.Field)
	}
}

func TestAClientEndsWithItsParent(t *testing.T) {
	t.Parallel()
	s := start(t)
	outer := client(t, s, services.Rules{})
	inner := client(t, outer, services.Rules{})
	base, err := inner.APIURL(avalara.Sandbox, avalara.Current)
	require.NoError(t, err)
	token, err := inner.Token(t.Context(), avalara.Sandbox, avalara.HostOf(avalara.Sandbox, avalara.Current).Scopes[0])
	require.NoError(t, err)
	require.Equal(t, 200, ask(t, inner))
	require.NoError(t, outer.Close())
	r, err := http.NewRequest(http.MethodPost, base+avalara.PathClassify, strings.NewReader(`{"description":"laptop","countryOfDestination":"US"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	if resp, err := http.DefaultClient.Do(r); err == nil { // by another test, which has the port by now
		assert.NotEqual(t, 200, resp.StatusCode, "nobody listens")
		require.NoError(t, resp.Body.Close())
	}
	_, err = outer.NewClient(services.Rules{})
	require.ErrorIs(t, err, services.ErrEnded)
	assert.Equal(t, 200, ask(t, client(t, s, services.Rules{})))
}

func TestAThousandClientsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 125 {
				c, err := s.NewClient(services.Rules{})
				if assert.NoError(t, err) {
					require.NoError(t, c.Clock.Advance(time.Hour))
				}
			}
		})
	}
	all.Wait()
	assert.Zero(t, s.Clock.Offset())
}

// TestKeysAreSharedUntilRotated lets one client sign anew.
func TestKeysAreSharedUntilRotated(t *testing.T) {
	t.Parallel()
	s := start(t)
	one, other := client(t, s, services.Rules{}), client(t, s, services.Rules{})
	kids := func(s *services.Local) string {
		resp, err := http.Get(s.IdentityURL(avalara.Sandbox) + avalara.PathJWKS)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(text)
	}
	first := kids(s)
	assert.Equal(t, first, kids(one))
	require.NoError(t, one.Identity(avalara.Sandbox).Keys().Rotate())
	assert.Equal(t, 2, strings.Count(kids(one), `"kid"`))
	assert.Equal(t, first, kids(other))
	assert.Equal(t, first, kids(s))
	assert.Equal(t, 200, ask(t, one))
}

// caller calls a control endpoint and decodes what it answers.
type caller struct {
	t    *testing.T
	base string
}

func (c caller) do(method, path string, body any, answer any, header ...string) (status int, text string) {
	c.t.Helper()
	data, err := json.Marshal(body)
	require.NoError(c.t, err)
	if body == nil {
		data = nil
	}
	r, err := http.NewRequest(method, c.base+path, bytes.NewReader(data))
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(c.t, err)
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	if answer != nil {
		require.NoError(c.t, json.Unmarshal(got, answer), "%s", got)
	}
	return resp.StatusCode, string(got)
}

func TestClientsByHTTP(t *testing.T) {
	t.Parallel()
	s := start(t)
	base, err := s.ControlURL()
	require.NoError(t, err)
	parent := caller{t, base}

	var made services.ClientAnswer
	status, _ := parent.do("POST", "/clients", services.Rules{Test: "shop.TestX", Max: units(1)}, &made)
	require.Equal(t, 201, status)
	assert.Equal(t, guard.Offline, made.Mode)
	assert.Equal(t, 1, *made.Max)
	for _, u := range []string{made.Production.Managed, made.Sandbox.Legacy, made.Sandbox.Token, made.ControlURL} {
		assert.True(t, strings.HasPrefix(u, "http://127.0.0.1:"), u)
	}
	own := caller{t, made.ControlURL}
	status, _ = own.do("POST", "/clock", services.ClockMove{Advance: control.Duration(66 * time.Minute)}, nil)
	require.Equal(t, 200, status)
	var now, parents services.Time
	own.do("GET", "/clock", nil, &now)
	parent.do("GET", "/clock", nil, &parents)
	assert.WithinDuration(t, parents.Now.Add(66*time.Minute), now.Now, time.Minute)

	own.do("POST", "/faults", control.Fault{On: "token", Status: 500}, nil)
	var faults []control.Fault
	own.do("GET", "/faults", nil, &faults)
	assert.Len(t, faults, 1)
	parent.do("GET", "/faults", nil, &faults)
	assert.Empty(t, faults)

	var wrong services.Problem
	status, _ = own.do("POST", "/clients", map[string]any{"max": 2}, &wrong)
	assert.Equal(t, 400, status)
	assert.Equal(t, "max", wrong.Field)
	status, _ = own.do("POST", "/clients", map[string]any{"mode": "replay"}, &wrong)
	assert.Equal(t, 400, status)
	assert.Equal(t, "mode", wrong.Field)
	for body, field := range map[string]string{
		`{"max":1.5}`: "max", `{"max":1.0}`: "max", `{"max":1e0}`: "max", `{"max":"1"}`: "max", `{"max":null}`: "max", `{"max":-1}`: "max",
		`{"max":9223372036854775808}`: "max", `{"max":0,"max":1}`: "max", `{"MAX":1}`: "MAX", `{"tset":"x"}`: "tset",
		`{"operations":[{"match":"GET /x"}]}`: "operations[0].cost", `{"operations":[{"match":"GET /x","cost":null}]}`: "operations[0].cost",
		`{"operations":[{"match":"GET /x","cost":0.5}]}`: "operations[0].cost", `{"operations":[{"match":"GET /x","cost":"1"}]}`: "operations[0].cost",
	} {
		wrong = services.Problem{}
		status, _ = own.do("POST", "/clients", json.RawMessage(body), &wrong)
		assert.Equal(t, 400, status, body)
		assert.Equal(t, field, wrong.Field, body)
	}

	var ended services.Ended
	status, _ = parent.do("DELETE", "/clients/"+made.ID, nil, &ended)
	assert.Equal(t, 200, status)
	assert.Equal(t, guard.Tally{}, ended.Tally)
	status, _ = parent.do("DELETE", "/clients/"+made.ID, nil, &wrong)
	assert.Equal(t, 404, status)
}

// TestAPageOfAnotherOriginCanDoNothing sends what a browser would.
func TestAPageOfAnotherOriginCanDoNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	base, err := s.ControlURL()
	require.NoError(t, err)
	c := caller{t, base}
	for name, header := range map[string][]string{
		"another origin":          {"Origin", "https://example.com"},
		"no origin of its own":    {"Origin", "null"},
		"a name that was rebound": {"Host", "example.com"},
		"that name's port":        {"Host", "example.com:8720"},
	} {
		for _, path := range []string{"/reset", "/clients", "/keys/rotate"} {
			status, _ := c.do("POST", path, nil, nil, header...)
			assert.Equal(t, 403, status, name)
		}
		status, _ := c.do("GET", "/requests", nil, nil, header...)
		assert.Equal(t, 403, status, name)
	}
	status, _ := c.do("POST", "/clock", services.ClockMove{Advance: 1}, nil, "Content-Type", "text/plain")
	assert.Equal(t, 415, status)
	status, _ = c.do("GET", "/clock", nil, nil, "Origin", base)
	assert.Equal(t, 200, status)
	assert.Zero(t, s.Clock.Offset())
}

// TestAServerWhereOthersReachItWantsItsToken tries each call without.
func TestAServerWhereOthersReachItWantsItsToken(t *testing.T) {
	t.Parallel()
	s, err := services.Serve(services.Config{}, services.Addresses{Identity: "0.0.0.0:0", API: "0.0.0.0:0", Control: "0.0.0.0:0", Anywhere: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	c := caller{t, s.Endpoints.ControlURL}
	var list struct{ Calls []services.Call }
	c.do("GET", "/", nil, &list, "Authorization", "Bearer "+s.Endpoints.ControlToken)
	require.NotEmpty(t, list.Calls)
	for _, call := range list.Calls {
		want := 401
		if call.Path == "/health" {
			want = 200
		}
		status, _ := c.do(call.Method, strings.ReplaceAll(call.Path, "{id}", "x"), nil, nil)
		assert.Equal(t, want, status, "%s %s", call.Method, call.Path)
		status, _ = c.do(call.Method, strings.ReplaceAll(call.Path, "{id}", "x"), nil, nil, "Authorization", "Bearer x")
		assert.Equal(t, want, status, "%s %s", call.Method, call.Path)
	}
	var made services.ClientAnswer
	status, _ := c.do("POST", "/clients", nil, &made, "Authorization", "Bearer "+s.Endpoints.ControlToken)
	require.Equal(t, 201, status)
	status, _ = caller{t, made.ControlURL}.do("GET", "/clock", nil, nil)
	assert.Equal(t, 401, status, "a client's too")
}

// TestAServersClientsShareItsAllowance uses it up through two of them.
func TestAServersClientsShareItsAllowance(t *testing.T) {
	t.Parallel()
	three := int64(3)
	s, err := services.Serve(services.Config{SandboxAllowance: &three}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	var got []int
	for range 2 {
		c, err := s.NewClient(services.Rules{})
		require.NoError(t, err)
		got = append(got, ask(t, c), ask(t, c))
	}
	assert.Equal(t, []int{200, 200, 200, 429}, got)
	var usage map[string]struct{ Served, Refused int }
	c := caller{t, s.Endpoints.ControlURL}
	c.do("GET", "/usage", nil, &usage)
	assert.Equal(t, 3, usage["sandbox"].Served)
	var tally guard.Tally
	c.do("GET", "/tally", nil, &tally)
	assert.Equal(t, guard.Tally{Requests: 4, Mocked: 4, Price: 3}, tally)
}

func BenchmarkClient(b *testing.B) {
	s, err := services.New(services.Config{})
	require.NoError(b, err)
	defer func() { _ = s.Close() }()
	b.ReportAllocs()
	for b.Loop() {
		c, err := s.NewClient(services.Rules{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Environ(avalara.Sandbox); err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
