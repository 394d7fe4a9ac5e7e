package scenario_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/scenario"
)

// cost prices classifications at 1, one from HS6 codes by its items, reads of
// the managed API at 0, and knows nothing else.
func cost(_ avalara.Environment, _ avalara.API, method, path string, body any) (int, bool) {
	switch {
	case method == "POST" && path == avalara.PathClassifyFromHS6:
		m, _ := body.(map[string]any)
		items, ok := m["items"].([]any)
		return len(items), ok
	case method == "POST" && strings.HasPrefix(path, "/hscode"):
		return 1, true
	case method == "GET" && strings.HasPrefix(path, "/api/v2/companies/"):
		return 0, true
	}
	return 0, false
}

const buy = "request: POST /hscode/classify"

// TestPrice: the worst case is every retry, and one request more for a token that
// the sandbox refuses.
func TestPrice(t *testing.T) {
	tests := map[string]struct {
		file        string
		sure, worst int
	}{
		"a request":                                  {"steps: [ { " + buy + " } ]", 1, 2},
		"finally counts":                             {"steps: [ { " + buy + " } ]\nfinally: [ { " + buy + " } ]", 2, 3},
		"a token is free":                            {"steps: [ { token: {} } ]", 0, 0},
		"a read is free":                             {"steps: [ { api: managed, request: GET /api/v2/companies/1/classifications/hs/x } ]", 0, 0},
		"by item":                                    {"vars: { items: [1, 2, 3] }\nsteps: [ { request: POST /hscode/classify_from_hs6, body: { items: \"{{ vars.items }}\" } } ]", 3, 6},
		"over the cases":                             {"matrix: { a: [1, 2], b: [1, 2, 3], exclude: [ { a: 1, b: 1 } ] }\nsteps: [ { " + buy + " } ]", 5, 6},
		"a retry that is not needed":                 {"steps: [ { " + buy + ", retry: { max: 2, on: 5xx } } ]", 1, 4},
		"a fault before the purchase":                {"steps: [ { " + buy + ", faults: [ { status: 429 } ], retry: { max: 2, on: 429 } } ]", 1, 3},
		"a fault without retry":                      {"steps: [ { " + buy + ", faults: [ { status: 429 } ] } ]", 0, 0},
		"a fault that no retry heals":                {"steps: [ { " + buy + ", faults: [ { status: 400 } ], retry: { max: 2, on: 429 } } ]", 0, 0},
		"a dropped connection":                       {"steps: [ { " + buy + ", faults: [ { drop: true } ] } ]", 0, 0},
		"a fault at every call":                      {"steps: [ { " + buy + ", faults: [ { status: 429, always: true } ], retry: { max: 5, on: 429 } } ]", 0, 0},
		"a fault after the purchase":                 {"steps: [ { " + buy + ", faults: [ { status: 503, after: true } ], retry: { max: 2, on: 503 } } ]", 2, 4},
		"a spoiled answer":                           {"steps: [ { " + buy + ", faults: [ { malformed_json: true } ] } ]", 1, 2},
		"a latency costs nothing and blocks nothing": {"steps: [ { " + buy + ", faults: [ { latency: 1ms } ] } ]", 1, 2},
		"another endpoint's fault":                   {"steps: [ { " + buy + ", faults: [ { on: token, status: 500 } ] } ]", 1, 2},
		"a fault by chance may not strike":           {"steps: [ { " + buy + ", faults: [ { status: 429, probability: 1 } ] } ]", 0, 2},
		"a refused token":                            {"steps: [ { " + buy + ", auth: expired } ]", 0, 0},
		"no token":                                   {"steps: [ { " + buy + ", auth: none } ]", 0, 0},
		"a token of its own":                         {"steps: [ { " + buy + ", auth: { token: x } } ]", 1, 2},
		"a token of its own, to be refused":          {"steps: [ { " + buy + ", auth: { token: x }, expect: { status: [401, 403] } } ]", 0, 0},
		"a token of its own, any client error":       {"steps: [ { " + buy + ", auth: { token: x }, expect: { status: 4xx } } ]", 1, 2},
		"never above quota.max":                      {"quota: { max: 2 }\nsteps: [ { " + buy + ", retry: { max: 9, on: 5xx } } ]", 1, 2},
		"the dearest is sent again":                  {"vars: { items: [1, 2, 3] }\nsteps: [ { " + buy + " }, { request: POST /hscode/classify_from_hs6, body: { items: \"{{ vars.items }}\" } } ]", 4, 7},
		"once for each scope":                        {"steps: [ { " + buy + " }, { " + buy + " }, { api: legacy, " + buy + " } ]", 3, 5},
		"within quota.max":                           {"quota: { max: 2 }\nsteps: [ { " + buy + " }, { " + buy + " } ]", 2, 2},
		"a command is bounded by quota.max":          {"quota: { max: 7 }\nsteps: [ { exec: { command: [x] } }, { " + buy + " } ]", 1, 7},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, "version: 1\nname: x\n"+tt.file+"\n")
			vars, _, err := s.ResolveVars(noEnv)
			require.NoError(t, err)
			p := s.Price(vars, cost)
			assert.Equal(t, tt.sure, p.Sure, "sure")
			assert.Equal(t, tt.worst, p.Worst, "worst")
			assert.False(t, p.Open)
			assert.Len(t, p.Cases, len(s.Cases()))
			assert.Equal(t, tt.sure, p.Expected)
		})
	}
}

func TestPriceSaysWhatItDoesNotKnow(t *testing.T) {
	s := parse(t, `
version: 1
name: x
quota: { expected: 4 }
matrix: { country: [US, CA] }
steps:
  - request: POST /hscode/classify
    capture: { items: res.json.items }
  - exec: { command: [go, test] }
  - request: GET /{{ matrix.country }}
  - request: POST /hscode/classify_from_hs6
    body: { items: "{{ capture.items }}" }
`)
	p := s.Price(nil, cost)
	assert.Equal(t, 2, p.Sure)
	assert.Equal(t, 4, p.Expected)
	assert.True(t, p.Open)
	var why []string
	for _, u := range p.Unpriced {
		why = append(why, u.Step.Label()+": "+u.Why)
	}
	assert.Equal(t, []string{
		"step 2: a command buys what it wants: only quota.max bounds it",
		"step 3: no rule prices GET /US",
		"step 4: no rule prices POST /hscode/classify_from_hs6",
	}, why)

	late := parse(t, "version: 1\nname: x\nmatrix: { items: [[1], none] }\nsteps: [ { request: POST /hscode/classify_from_hs6, body: { items: \"{{ matrix.items }}\" } } ]\n")
	p = late.Price(nil, cost)
	assert.Equal(t, 1, p.Sure)
	assert.Len(t, p.Unpriced, 1, "the second case alone has no price")
}

func TestCases(t *testing.T) {
	s := parse(t, `
version: 1
name: x
matrix:
  country: [US, CA]
  n: [1, "1", "a, b"]
  kind: [{ name: shoe, weight: 1 }, [1], { weight: 2 }]
  exclude: [{ country: CA, n: 1 }, { n: "1" }, { n: "a, b", country: US }, { kind: [1] }]
steps: [{ request: GET /x }]
`)
	var names []string
	for _, c := range s.Cases() {
		names = append(names, c.Name)
	}
	assert.Equal(t, []string{
		"country=US, n=1, kind=shoe", "country=US, n=1, kind=#3",
		`country=CA, n="a, b", kind=shoe`, `country=CA, n="a, b", kind=#3`,
	}, names)
	assert.Equal(t, map[string]any{"country": "US", "n": 1, "kind": map[string]any{"name": "shoe", "weight": 1}}, s.Cases()[0].Values)

	one := parse(t, "version: 1\nname: x\nsteps: [ { request: GET /x } ]\n").Cases()
	assert.Equal(t, []scenario.Case{{Values: map[string]any{}}}, one)
}

func TestMatrixIsBounded(t *testing.T) {
	axis := "[" + strings.Repeat("1, ", 99) + "1]"
	_, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nmatrix: { a: "+axis+", b: "+axis+", c: "+axis+" }\nsteps: [ { clock: 1s } ]\n"))
	assert.ErrorContains(t, err, "the matrix has more than 10000 cases")
}

func TestCeiling(t *testing.T) {
	tests := map[string]struct{ file, mode, why string }{
		"none":                        {"steps: [ { request: GET /x, auth: default } ]", "", ""},
		"asked for":                   {"mode: record\nsteps: [ { request: GET /x } ]", "record", "mode: record"},
		"live is asked for":           {"mode: live\nsteps: [ { request: GET /x } ]", "live", "mode: live"},
		"production":                  {"mode: record\nenvironment: production\nsteps: [ { request: GET /x } ]", "replay", "environment: production"},
		"a step in production":        {"steps: [ { id: a, environment: production, request: GET /x } ]", "replay", "environment: production in a"},
		"the clock":                   {"mode: replay\nsteps: [ { clock: 1s } ]", "offline", "clock in step 1"},
		"another token":               {"steps: [ { request: GET /x, auth: none } ]", "offline", "auth in step 1"},
		"a token of its own":          {"steps: [ { request: GET /x } ]\nfinally: [ { request: GET /x, auth: { token: x } } ]", "offline", "auth in finally step 1"},
		"offline asked for first":     {"mode: offline\nsteps: [ { clock: 1s } ]", "offline", "mode: offline"},
		"a client's secret is mocked": {"steps: [ { token: { client: wrong_secret } } ]", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := parse(t, "version: 1\nname: x\n"+tt.file+"\n").Ceiling()
			assert.Equal(t, tt.mode, c.Mode)
			assert.Equal(t, tt.why, c.Why)
			assert.Equal(t, tt.why != "", c.Pos.Line > 2)
		})
	}
}

// TestStarts: what starts a command that may buy is told from what starts none, or one
// that buys nothing.
func TestStarts(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]bool{
		"steps: [ { request: GET /x } ]":                                          false,
		"steps: [ { exec: { command: [a] } } ]":                                   true,
		"steps: [ { request: GET /x } ]\nfinally: [ { exec: { command: [a] } } ]": true,
		"mode: record\nsteps: [ { exec: { command: [a] } } ]":                     true,
		"mode: replay\nsteps: [ { exec: { command: [a] } } ]":                     false,
		"steps: [ { clock: 1s }, { exec: { command: [a] } } ]":                    false,
	} {
		assert.Equal(t, want, parse(t, "version: 1\nname: x\n"+file+"\n").Starts(), file)
	}
}

func noEnv(string) (string, bool) { return "", false }

// A matrix of 250 bytes may have 10,000 cases, each with a body of megabytes: a price
// keeps little of them.
func TestPricesKeepLittle(t *testing.T) {
	t.Parallel()
	cost := func(avalara.Environment, avalara.API, string, string, any) (int, bool) { return 1, true }
	asks := func(body string, squared string) (out []scenario.Ask) {
		s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nmatrix: { a: ["+squared+"], b: ["+squared+"] }\nsteps:\n  - request: 'POST /hscode/{{ repeat(\"b\", 10000) }}'\n    body: { d: '"+body+"' }\n"))
		require.NoError(t, err)
		for _, c := range s.Price(nil, cost).Cases {
			out = append(out, c.Asks...)
		}
		return out
	}
	long := asks(`{{ repeat("é", 1000000) }}`, "1,2")
	require.Len(t, long, 4)
	assert.Len(t, long[3].Body.(map[string]any)["d"], 4096)
	assert.Len(t, long[3].Target, 4096)
	many := asks(`{{ map(1..2000, repeat("c", 2000)) }}`, "1,2,3,4,5")
	require.Len(t, many, 25)
	assert.Len(t, many[0].Body.(map[string]any)["d"], 2000)
	assert.True(t, many[24].Body == nil, "no room is left")
}
