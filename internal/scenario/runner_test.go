package scenario_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
)

// keys are shared by the services of this package's tests; making them is slow.
var keys = sync.OnceValue(func() map[avalara.Environment]*mockidp.Keys {
	return map[avalara.Environment]*mockidp.Keys{
		avalara.Sandbox: mockidp.NewKeys(nil), avalara.Production: mockidp.NewKeys(nil),
	}
})

func newServices(needs scenario.Needs) (services.Service, error) {
	return services.New(services.Config{Keys: keys(), Cap: needs.Cap})
}

// run parses and runs one file, given without its head.
func run(t *testing.T, runner scenario.Runner, body string) report.Scenario {
	t.Helper()
	s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\n"+body))
	require.NoError(t, err)
	if runner.NewServices == nil {
		runner.NewServices = newServices
	}
	return runner.Run(t.Context(), []*scenario.Scenario{s}).Scenarios[0]
}

const classify = `
  - request: POST /hscode/classify
    body: { description: "cotton t-shirt", countryOfDestination: US }
`

func TestRunnerVerdicts(t *testing.T) {
	tests := map[string]struct {
		body string
		// want are the failures, as line and message; none means passed.
		want         []string
		spend, calls int
	}{
		"passed":                {"steps:" + classify, nil, 1, 1},
		"quota.expected is met": {"quota: { expected: 1 }\nsteps:" + classify, nil, 1, 1},
		"quota.expected is not met": {"quota: { expected: 2 }\nsteps:" + classify,
			[]string{"3 the scenario does not cost what quota.expected says"}, 1, 1},
		"quota.max is exceeded": {"quota: { max: 1 }\nsteps:" + classify + classify,
			[]string{"8 the guard did not answer: 1 of at most 1 units are used: a request of 1 is not sent",
				"3 the scenario would cost more than quota.max allows: 1 of its requests were not sent"}, 1, 2},
		"a bad answer that nobody expects": {"steps:\n  - request: GET /nothing\n",
			[]string{"4 the answer is 404, and the step does not expect that"}, 0, 1},
		"a step that fails ends the case": {"steps:\n  - request: GET /nothing\n    expect: { status: 200 }" + classify,
			[]string{"5 status is not as expected"}, 0, 1},
		"finally runs all the same": {"steps:\n  - request: GET /nothing\n    expect: { status: 200 }\nfinally:" + classify,
			[]string{"5 status is not as expected"}, 1, 2},
		"a capture that is not there": {"steps:" + classify + "    capture: { code: res.json.nope }\n",
			[]string{"6 capture code: res.json.nope is not in the answer"}, 1, 1},
		"captures hold so much in all": {"steps:" + classify + "    capture: { a: 'repeat(repeat(\"x\", 9000), 1000)' }\n" + classify + "    capture: { b: 'repeat(repeat(\"x\", 9000), 1000)' }\n",
			[]string{"10 capture b: the captures of a case may hold 16 MB in all: capture a part of the answer"}, 2, 2},
		"the price of a step": {"steps:" + classify + "    expect: { spend: 0 }\n",
			[]string{"6 spend is not as expected"}, 1, 1},
		"the calls of a step": {"steps:" + classify + "    expect: { calls: 2 }\n",
			[]string{"6 calls is not as expected"}, 1, 1},
		"a retried fault is free": {"steps:" + classify + "    faults: [{ on: api, status: 503 }]\n    retry: { max: 1, on: [503] }\n    expect: { spend: 1, calls: 2 }\n",
			nil, 1, 2},
		"a retry is for its statuses alone": {"steps:" + classify + "    faults: [{ on: api, status: 503 }]\n    retry: { max: 1, on: [429] }\n    expect: { status: 503, calls: 1 }\n",
			nil, 0, 1},
		"a retry gives up": {"steps:" + classify + "    faults: [{ on: api, status: 503, always: true }]\n    retry: { max: 2, on: [503] }\n    expect: { status: 503, calls: 3 }\n",
			nil, 0, 3},
		"a spoiled answer is paid for": {"steps:" + classify + "    faults: [{ on: api, status: 503, after: true }]\n    retry: { max: 1, on: [503] }\n    expect: { spend: 2, calls: 2 }\n",
			nil, 2, 2},
		"a fault is for its step alone": {"steps:" + classify + "    faults: [{ on: api, status: 503, always: true }]\n    expect: { status: 503 }" + classify,
			nil, 1, 2},
		"a dropped connection": {"steps:" + classify + "    faults: [{ on: api, drop: true }]\n",
			[]string{"4 POST /hscode/classify: EOF"}, 0, 1},
		"matrix": {"matrix: { c: [US, CA, JP] }\nsteps:\n  - request: POST /hscode/classify\n    body: { description: laptop, countryOfDestination: \"{{ matrix.c }}\" }\n    expect: { json: { countryOfDestination: \"{{ matrix.c }}\" } }\n",
			nil, 3, 3},
		"captures": {"steps:" + classify + "    capture: { code: res.json.hsCode }" + "\n" + classify[1:] + "    expect: { assert: [\"capture.code == res.json.hsCode\"] }\n",
			nil, 2, 2},
		"production costs nothing": {"environment: production\nsteps:" + classify + "    expect: { spend: 0 }\n", nil, 0, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, scenario.Runner{Jobs: 2}, tt.body)
			var failures []string
			for _, f := range got.Failures() {
				failures = append(failures, fmt.Sprintf("%d %s", f.Line, f.Message))
			}
			assert.Equal(t, tt.want, failures)
			assert.Equal(t, len(tt.want) > 0, got.Verdict == report.Failed)
			assert.Equal(t, tt.spend, got.Spend, "units")
			assert.Equal(t, tt.calls, got.Calls, "calls")
		})
	}
}

func TestRunnerMasksSecrets(t *testing.T) {
	t.Parallel()
	env := map[string]string{"SECRET": "hunter2-hunter2"}
	got := run(t, scenario.Runner{LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}, `
vars: { secret: "${SECRET}" }
steps:
  - token: { scope: avatax_api }
    expect: { json: { access_token: "none", token_type: "{{ vars.secret }}" } }
`)
	require.Len(t, got.Failures(), 2)
	text := fmt.Sprintf("%+v", got)
	assert.NotContains(t, text, "hunter2")
	assert.NotContains(t, text, "eyJ", "no token")
	assert.NotContains(t, text, mockidp.DefaultClientSecret)
	assert.Contains(t, text, "client_secret=***")
}

// TestRunnerMasksSecretsInEverySpelling: a path, a query, JSON and a header
// each spell a text their own way.
func TestRunnerMasksSecretsInEverySpelling(t *testing.T) {
	t.Parallel()
	secret := `a/b "c"&<d>+é`
	env := map[string]string{"SECRET": secret, "SHORT": "US"}
	got := run(t, scenario.Runner{LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}, `
vars: { secret: "${SECRET}", short: "${SHORT}" }
steps:
  - request: POST /hscode/classify/{{ vars.secret }}?q={{ vars.secret }}
    body: { description: "{{ vars.secret }}", countryOfDestination: "{{ vars.short }}" }
    expect: { status: 200, json: { description: "{{ vars.secret }}" } }
`)
	require.NotEmpty(t, got.Failures())
	text := fmt.Sprintf("%+v", got)
	for _, piece := range []string{secret, "a/b", "a%2Fb", "a%2fb", `\"c\"`, "%22c%22", "<d>", `\u003cd`} {
		assert.NotContains(t, text, piece)
	}
	assert.Contains(t, text, `"countryOfDestination":"US"`, "a short text is no secret, and hiding it would hide the report")
}

// TestRunnerMasksSecretsThatAreCut: what is too long is cut, and half of a secret is one.
func TestRunnerMasksSecretsThatAreCut(t *testing.T) {
	t.Parallel()
	lookup := func(name string) (string, bool) {
		return map[string]string{
			"QUOTED": `hunter2-"hunter2-hunter2-hunter2`, "PLAIN": "hunter2-hunter2-hunter2-hunter2", "WHOLE": "hunter-of-hunter",
		}[name], true
	}
	for what, step := range map[string]string{
		"a body":                           "{ request: POST /hscode/classify, body: { countryOfDestination: US, description: \"" + strings.Repeat("x", 1940) + "{{ vars.quoted }}\" }, expect: { status: 418 } }",
		"a body in base64":                 "{ request: POST /hscode/classify, body: { countryOfDestination: US, description: \"" + strings.Repeat("x", 1940) + "{{ toBase64(vars.plain) }}\" }, expect: { status: 418 } }",
		"a value":                          "{ request: POST /hscode/classify, body: { countryOfDestination: US, description: shirt }, expect: { json: { hsCode: \"" + strings.Repeat("x", 40) + "{{ vars.plain }}\" } } }",
		"a value that ends in a whole one": "{ request: POST /hscode/classify, body: { countryOfDestination: US, description: shirt }, expect: { json: { hsCode: \"" + strings.Repeat("x", 40) + "{{ vars.whole }} of more\" } } }",
		"a value in quotes":                "{ request: POST /hscode/classify, body: { countryOfDestination: US, description: shirt }, expect: { json: { hsCode: \"" + strings.Repeat("x", 40) + "{{ vars.quoted }}\" } } }",
		"what a command printed":           "{ exec: { command: [sh, -c, 'printf %70000s x; printf {{ vars.plain }}; printf %65480s x | tr \" \" x; printf x%s {{ vars.plain }}; exit 3'] } }",
		"much that a command printed":      "{ exec: { command: [sh, -c, 'printf %700000s x; printf {{ vars.plain }}; printf %65480s x | tr \" \" x; printf x%s {{ vars.plain }}; exit 3'] } }",
		"a secret that is printed often":   "{ exec: { command: [sh, -c, 'yes {{ vars.plain }} | tr -d \"\\\\n\" | head -c 93000; printf x%s {{ vars.plain }}; exit 3'] } }",
	} {
		got := run(t, scenario.Runner{AllowExec: true, Environ: os.Environ(), LookupEnv: lookup}, "vars: { quoted: \"${QUOTED}\", plain: \"${PLAIN}\", whole: \"${WHOLE}\" }\nsteps: [ "+step+" ]\n")
		require.NotEmpty(t, got.Failures(), what)
		text := fmt.Sprintf("%+v", got)
		assert.NotContains(t, text, "hunt", what)
		assert.NotContains(t, text, "aHVudGVyMi1o", what)
		assert.Contains(t, text, "x***", what)
	}
}

func TestRunnerWithoutAVariable(t *testing.T) {
	t.Parallel()
	got := run(t, scenario.Runner{}, "vars: { a: \"${NOT_SET}\" }\nsteps:\n  - request: GET /{{ vars.a }}\n")
	require.Len(t, got.Failures(), 1)
	assert.Contains(t, got.Failures()[0].Message, "NOT_SET")
}

func TestRunnerStopsWithItsContext(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "finally")
	s, err := scenario.Parse("x.yaml", []byte(`
version: 1
name: x
steps:
  - exec: { command: [sh, -c, "echo started > '`+mark+`.started'; exec sleep 60"] }
finally:
  - exec: { command: [touch, "`+mark+`"] }
`))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(mark + ".started"); err == nil {
				cancel()
				return
			}
			<-time.After(time.Millisecond) // a file tells nobody that it is there
		}
	}()
	runner := scenario.Runner{NewServices: newServices, AllowExec: true}
	result := runner.Run(ctx, []*scenario.Scenario{s, s})
	assert.Equal(t, 2, result.Failed(), "the one under way and the one that was not begun")
	assert.FileExists(t, mark, "finally runs all the same")
	assert.Contains(t, result.Scenarios[1].Failures()[0].Message, "the case was not run")
}

func TestRunnerSaysWhoseTimeIsOver(t *testing.T) {
	t.Parallel()
	s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nsteps:\n  - request: GET /nothing\n"))
	require.NoError(t, err)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	runner := scenario.Runner{NewServices: newServices}
	result := runner.Run(ctx, []*scenario.Scenario{s})
	assert.Contains(t, result.Scenarios[0].Failures()[0].Message, "the run's time was over at ")
}

func TestRunnerFailFast(t *testing.T) {
	t.Parallel()
	bad, err := scenario.Parse("bad.yaml", []byte("version: 1\nname: bad\nsteps:\n  - request: GET /nothing\n"))
	require.NoError(t, err)
	runner := scenario.Runner{NewServices: newServices, FailFast: true}
	result := runner.Run(t.Context(), []*scenario.Scenario{bad, bad, bad})
	assert.Equal(t, 1, result.Bill.Requests, "the first failure is the last request")
	assert.Equal(t, 3, result.Failed())
	assert.Contains(t, result.Bill.Reason, "scenarios failed")
}

func TestJobsWhereNobodySaysIt(t *testing.T) {
	t.Parallel()
	for mode, each := range map[guard.Mode]int{guard.Offline: 2, guard.Replay: 2, guard.Record: 1, guard.Live: 1} {
		assert.Equal(t, each*runtime.GOMAXPROCS(0), scenario.Jobs(mode), mode)
	}
}

func TestRunnerReportsInTheGivenOrder(t *testing.T) {
	t.Parallel()
	var all []*scenario.Scenario
	for i := range 12 {
		s, err := scenario.Parse(fmt.Sprintf("%d.yaml", i), []byte(fmt.Sprintf(
			"version: 1\nname: n%d\nparallel: %v\nmatrix: { c: [US, CA] }\nsteps:\n  - request: POST /hscode/classify\n    body: { description: laptop, countryOfDestination: \"{{ matrix.c }}\" }\n", i, i%3 != 0)))
		require.NoError(t, err)
		all = append(all, s)
	}
	var seen []string
	runner := scenario.Runner{NewServices: newServices, Jobs: 4, Progress: func(done, all int) { seen = append(seen, fmt.Sprintf("%d/%d", done, all)) }}
	result := runner.Run(t.Context(), all)
	require.Zero(t, result.Failed())
	for i, s := range result.Scenarios {
		assert.Equal(t, fmt.Sprintf("n%d", i), s.Name)
		assert.Equal(t, "c=US c=CA", s.Cases[0].Name+" "+s.Cases[1].Name)
	}
	assert.Equal(t, 24, result.Bill.WouldHaveSpent)
	assert.Len(t, seen, 24)
	assert.Equal(t, "24/24", seen[len(seen)-1])
}

func TestExecStepSeesItsServicesAndItsFailureShowsItsOutput(t *testing.T) {
	t.Parallel()
	body := "steps:\n  - exec: { command: [sh, -c, 'echo \"mode $HSHARNESS_MODE\"; exit 3'] }\n"
	got := run(t, scenario.Runner{AllowExec: true, Environ: os.Environ()}, body)
	require.Len(t, got.Failures(), 1)
	assert.Contains(t, got.Failures()[0].Message, "mode offline")
	assert.Contains(t, got.Failures()[0].Message, "exit status 3")

	got = run(t, scenario.Runner{AllowExec: true, Environ: os.Environ()}, "steps:\n  - exec: { command: [sh, -c, 'seq 1000000 >&2; echo the end; exit 3'] }\n")
	require.Len(t, got.Failures(), 1)
	message := got.Failures()[0].Message
	assert.Less(t, len(message), 66<<10, "a command may print without an end")
	assert.Regexp(t, `exit status 3\n… \(68\d{5} bytes before this are left out\)\n\d+\n`, message)
	assert.True(t, strings.HasSuffix(message, "\n999999\n1000000\nthe end\n"))

	got = run(t, scenario.Runner{}, body)
	assert.True(t, strings.Contains(got.Failures()[0].Message, scenario.ErrExecForbidden.Error()), "commands need leave")

	got = run(t, scenario.Runner{AllowExec: true}, "steps:\n  - exec: { command: [sleep, '60'], timeout: 50ms }\n")
	require.Len(t, got.Failures(), 1)
	assert.Contains(t, got.Failures()[0].Message, "it ran longer than 50ms")
}
