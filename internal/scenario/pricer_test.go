package scenario_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/scenario"
)

// cassette has a recording of POST /hscode/classify for tea, and of what its code
// is asked again with, and what failed for silk.
func cassette(t *testing.T) *guard.Cassette {
	t.Helper()
	store, err := recording.Open(recording.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	for _, r := range []struct{ path, query, body, answer string }{
		{"/hscode/classify", "", `{"description":"tea"}`, `{"hsCode":"0902"}`},
		{"/hscode/classify/0902", "a=b+c", `{"code":"0902"}`, `{}`},
	} {
		key := store.Key(recording.Request{
			Environment: "sandbox", API: "current", Operation: "any", Method: "POST", Path: r.path, Query: r.query, Body: []byte(r.body),
		})
		require.NoError(t, store.Put(t.Context(), key, recording.Take{
			RecordedAt: time.Now(), Cost: 1, Response: recording.Message{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(r.answer)},
		}))
	}
	silk := store.Key(recording.Request{Environment: "sandbox", API: "current", Method: "POST", Path: "/hscode/classify", Body: []byte(`{"description":"silk"}`)})
	require.NoError(t, store.Put(t.Context(), silk, recording.Take{Cost: 1, Response: recording.Message{Status: 503}}))
	return guard.NewCassette(store, 0)
}

func TestPricer(t *testing.T) {
	const (
		tea   = buy + ", body: { description: tea }"
		scarf = buy + ", body: { description: scarf }"
		silk  = buy + ", body: { description: silk }"
	)
	tests := map[string]struct {
		file                                 string
		mode                                 guard.Mode
		recorded, expected, sure, worst, max int
	}{
		"not recorded":                     {"steps: [ { " + scarf + " } ]", guard.Record, 0, 1, 1, 2, 1},
		"recorded":                         {"steps: [ { " + tea + " } ]", guard.Record, 1, 1, 0, 0, 0},
		"recorded, and bought again":       {"steps: [ { " + tea + " } ]", guard.Live, 1, 1, 1, 2, 1},
		"replay buys nothing":              {"steps: [ { " + tea + " }, { " + scarf + " } ]", guard.Replay, 1, 2, 0, 0, 0},
		"the file's ceiling is lower":      {"mode: replay\nsteps: [ { " + scarf + " } ]", guard.Live, 0, 1, 0, 0, 0},
		"record is the ceiling of live":    {"mode: record\nsteps: [ { " + tea + " } ]", guard.Live, 1, 1, 0, 0, 0},
		"twice the same":                   {"steps: [ { " + scarf + " }, { " + scarf + " } ]", guard.Record, 0, 2, 1, 3, 2},
		"twice the same in two cases":      {"matrix: { a: [1, 2] }\nsteps: [ { " + scarf + " } ]", guard.Record, 0, 2, 1, 3, 2},
		"a retry gets the recorded answer": {"steps: [ { " + scarf + ", retry: { max: 3, on: [404, 429] } } ]", guard.Record, 0, 1, 1, 2, 1},
		"a retry after a failure":          {"steps: [ { " + scarf + ", retry: { max: 3, on: 503 } } ]", guard.Record, 0, 1, 1, 5, 4},
		"asked before without an answer":   {"steps: [ { " + silk + " }, { " + silk + " } ]", guard.Record, 0, 2, 1, 3, 2},
		"a retry after no answer":          {"steps: [ { " + scarf + ", retry: { max: 3, on: 5xx } } ]", guard.Record, 0, 1, 1, 5, 4},
		"a spoiled answer is kept":         {"steps: [ { " + scarf + ", faults: [ { status: 503, after: true } ], retry: { max: 1, on: 503 } } ]", guard.Record, 0, 2, 1, 3, 2},
		"a fault keeps it from the guard":  {"steps: [ { " + tea + ", faults: [ { status: 503, always: true } ] } ]", guard.Record, 0, 0, 0, 0, 0},
		"another environment":              {"environment: production\nsteps: [ { " + tea + " } ]", guard.Record, 0, 1, 0, 0, 0},
		"another api":                      {"steps: [ { api: legacy, " + tea + " } ]", guard.Record, 0, 1, 1, 2, 1},
		"never above quota.max":            {"quota: { max: 2, expected: 7 }\nsteps: [ { " + scarf + ", retry: { max: 3, on: 5xx } } ]", guard.Record, 0, 7, 1, 2, 4},
		"what a capture stands for": {"vars: { q: b c }\nsteps:\n  - { " + tea + ", capture: { code: res.json.hsCode } }\n" +
			"  - { request: \"POST /hscode/classify/{{ capture.code }}?a={{ vars.q }}\", body: { code: \"{{ capture.code }}\" } }", guard.Record, 2, 2, 0, 0, 0},
		"a capture of what is not recorded": {"steps:\n  - { " + scarf + ", capture: { code: res.json.hsCode } }\n" +
			"  - { request: \"POST /hscode/classify/{{ capture.code }}?a=b+c\", body: { code: \"0902\" } }", guard.Record, 0, 2, 2, 3, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, "version: 1\nname: x\n"+tt.file+"\n")
			vars, _, err := s.ResolveVars(noEnv)
			require.NoError(t, err)
			pricer := scenario.Pricer{Cost: cost, Mode: tt.mode, Cassette: cassette(t)}
			p, err := pricer.Price(s, vars)
			require.NoError(t, err)
			again := 0
			if strings.Contains(tt.file, "silk") {
				again = 1
			}
			assert.Equal(t, again, p.Again)
			least := tt.sure
			if strings.HasPrefix(name, "a capture of what is not recorded") {
				least-- // what is made of it may be recorded, as here
			}
			assert.Equal(t, least, p.Least, "what a run can be refused for")
			assert.Equal(t, [5]int{tt.recorded, tt.expected, tt.sure, tt.worst, tt.max}, [5]int{p.Recorded, p.Expected, p.Sure, p.Worst, p.Uncapped},
				"recorded, expected, sure, worst, uncapped")
		})
	}
}

// TestWorstOfARun: a request is sent again once in a run for each scope, the
// dearest of them, and within the quota.max of its file.
func TestWorstOfARun(t *testing.T) {
	batch := func(n string) string {
		return "request: POST /hscode/classify_from_hs6, body: { items: [" + n + "] }"
	}
	for name, tt := range map[string]struct {
		files []string
		want  int
	}{
		"nothing":                {nil, 0},
		"one file":               {[]string{"steps: [ { " + buy + " } ]"}, 2},
		"one scope in two files": {[]string{"steps: [ { " + buy + " } ]", "steps: [ { " + batch("1, 2, 3") + " } ]"}, 7},
		"two scopes":             {[]string{"steps: [ { " + buy + " } ]", "steps: [ { api: legacy, " + buy + " } ]"}, 4},
		"no room in its file":    {[]string{"quota: { max: 3 }\nsteps: [ { " + batch("1, 2, 3") + " } ]", "steps: [ { " + buy + " } ]"}, 5},
		"some room in its file":  {[]string{"quota: { max: 5 }\nsteps: [ { " + batch("1, 2, 3") + " } ]", "steps: [ { " + buy + " } ]"}, 6},
		"what is never sent":     {[]string{"steps: [ { " + buy + ", auth: expired }, { token: {} } ]"}, 0},
		"a command with a limit": {[]string{"quota: { max: 7 }\nsteps: [ { exec: { command: [x] } } ]", "steps: [ { " + buy + " } ]"}, 9},
	} {
		pricer := scenario.Pricer{Cost: cost, Mode: guard.Live}
		for _, file := range tt.files {
			_, err := pricer.Price(parse(t, "version: 1\nname: x\n"+file+"\n"), nil)
			require.NoError(t, err)
		}
		assert.Equal(t, tt.want, pricer.Worst(), name)
	}
}

// TestPricerOfARun: what one file buys, the next one of the run finds.
func TestPricerOfARun(t *testing.T) {
	s := parse(t, "version: 1\nname: x\nsteps: [ { "+buy+" } ]\n")
	pricer := scenario.Pricer{Cost: cost, Mode: guard.Record, Cassette: cassette(t)}
	for _, want := range []int{1, 0, 0} {
		p, err := pricer.Price(s, nil)
		require.NoError(t, err)
		assert.Equal(t, want, p.Sure)
		assert.Equal(t, 2, p.Worst, "the first may get no answer, and a token may be refused")
	}
	assert.Equal(t, 4, pricer.Worst(), "which happens once in a run")
}
