package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

func TestLint(t *testing.T) {
	const head = "version: 1\nname: x\nwhy: y\n"
	tests := map[string]struct {
		file string
		want []string // line:column level rule: message
	}{
		"nothing": {head + "quota: { expected: 2, max: 6 }\nmatrix: { c: [US, CA] }\nvars: { t: a }\nsteps:\n  - " + buy + "\n    body: { t: \"{{ vars.t }}\", c: \"{{ matrix.c }}\" }\n    retry: { max: 2, on: 429 }\n    expect: { calls: 1 }\n    capture: { id: res.json.id }\n  - request: POST /hscode/hints\n    auth: none\n    expect: { json: { id: \"/{{ capture.id }}/\" } }\n", nil},
		"unused": {head + "matrix: { c: [US, CA] }\nvars: { t: a }\nsteps:\n  - " + buy + "\n    capture: { id: res.json.id }\n", []string{
			"4:11 warning unused-axis: matrix.c is never used: its cases are all the same",
			"5:9 warning unused-var: vars.t is never used",
			"8:16 warning unused-capture: capture.id is never used",
		}},
		"expected": {head + "quota: { expected: 1 }\nmatrix: { c: [US, CA] }\nsteps:\n  - " + buy + "\n    headers: { x: \"{{ matrix.c }}\" }\n", []string{
			"4:10 error expected-differs: quota.expected is 1, but the steps add up to 2 over 2 cases",
		}},
		"expected and a command": {head + "quota: { expected: 5, max: 5 }\nsteps:\n  - exec: { command: [x] }\n", nil},
		"max": {head + "quota: { max: 1 }\nsteps:\n  - " + buy + "\n    retry: { max: 2, on: 429 }\n    expect: { calls: 1 }\n", []string{
			"4:10 warning max-below-worst: quota.max is 1, but the worst case is 3: the guard may stop this file half way",
		}},
		"max below expected": {head + "quota: { expected: 1, max: 0 }\nsteps:\n  - " + buy + "\n", []string{
			"4:23 error max-below-expected: quota.max is 0, below quota.expected, which is 1",
		}},
		"retry": {head + "steps:\n  - " + buy + "\n    retry: { max: 2, on: 429 }\n  - request: GET /api/v2/companies/1/classifications/hs/x\n    retry: { max: 2, on: 429 }\n", []string{
			"6:5 warning retry-without-calls: this retry can buy 3 units: say with expect.calls how many requests you expect",
		}},
		"unknown operation": {head + "steps:\n  - request: PUT /x\n", []string{
			"5:5 warning unpriced: no rule prices PUT /x: record and live refuse it",
		}},
		"no why": {"version: 1\nname: x\nsteps: [ { clock: 1s } ]\n", []string{
			"2:1 warning no-why: the file does not say why it exists: add why",
		}},
		"secrets": {head + "vars: { t: \"Bearer abcdefgh12345678\" }\nsteps:\n  - " + buy + "\n    headers: { Authorization: \"{{ vars.t }}\", X-Key: eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln }\n    auth: { token: \"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln\" }\n", []string{
			"4:12 warning secret: vars.t looks like a secret: read it from the environment, as vars: { token: \"${TOKEN}\" }",
			"7:16 warning authorization: an Authorization header overrides auth: use auth: { token: … } instead",
			"7:54 warning secret: the header X-Key looks like a secret: read it from the environment, as vars: { token: \"${TOKEN}\" }",
			"8:20 warning secret: the token looks like a secret: read it from the environment, as vars: { token: \"${TOKEN}\" }",
		}},
		"a client's secret": {head + "steps:\n  - token: { client: { id: a, secret: 0123456789abcdef0123 } }\n  - token: { client: { id: a, secret: made-up } }\n", []string{
			"5:39 warning secret: the client secret looks like a real one: read it from the environment, as vars: { secret: \"${SECRET}\" }",
		}},
		"faults": {head + "steps:\n  - token: {}\n    faults: [ { on: api, status: 500 }, { status: 500, nth: [2, 1] }, { on: token, status: 500, nth: [2] } ]\n" +
			"  - " + buy + "\n    faults: [ { on: jwks, status: 500 }, { on: api, status: 500, nth: [4, 3] }, { status: 500, nth: [4] }, { on: token, status: 500 } ]\n    retry: { max: 1, on: 500 }\n    expect: { calls: 1 }\n" +
			"  - exec: { command: [x] }\n    faults: [ { on: jwks, status: 500, nth: [9] } ]\n", []string{
			"6:15 warning fault-never-strikes: this fault is on api, and the step calls the token endpoint alone",
			"6:71 warning fault-never-strikes: this fault strikes call 2, and the step makes 1 call at most",
			"8:15 warning fault-never-strikes: this fault is on jwks, which a request does not call",
			"8:42 warning fault-never-strikes: this fault strikes call 3, and the step makes 2 calls at most",
		}},
		"a secret by its name": {head + "vars: { license_key: hunter2hunter2, api_key: \"${KEY}\", password: short }\nsteps:\n  - " + buy + "\n    body: \"{{ vars.license_key }}{{ vars.api_key }}{{ vars.password }}\"\n", []string{
			"4:22 warning secret: vars.license_key looks like a secret: read it from the environment, as license_key: \"${LICENSE_KEY}\"",
		}},
		"environment": {head + "steps:\n  - " + buy + "\n    body: { a: \"x ${HOME}\" }\n", []string{
			"6:16 warning env-outside-vars: ${HOME} is sent as it stands: only vars read the environment",
		}},
		"variable without default": {head + "quota: { expected: 9 }\nvars: { t: \"${T}\" }\nsteps:\n  - " + buy + "\n    body: \"{{ vars.t }}\"\n", []string{
			"4:10 error expected-differs: quota.expected is 9, but the steps add up to 1 over 1 case",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range scenario.Lint(parse(t, tt.file), cost) {
				got = append(got, fmt.Sprintf("%d:%d %s %s: %s", f.Line, f.Column, f.Level, f.Rule, f.Msg))
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestLintWithoutPrices(t *testing.T) {
	s := parse(t, "version: 1\nname: x\nwhy: y\nquota: { expected: 9 }\nsteps: [ { "+buy+" } ]\n")
	assert.Empty(t, scenario.Lint(s, nil))
	assert.Len(t, scenario.Lint(s, cost), 1)
}

func TestMessagesHideSecrets(t *testing.T) {
	const head = "version: 1\nname: x\nwhy: y\n"
	for line, want := range map[string]string{
		"vars: { t: \"Bearer abcdefgh12345678\" }":                               "vars: { t: \"***********************\" }",
		"vars: { t: eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln }":                 "vars: { t: ***************************************** }",
		"vars: { license_key: hunter2hunter2, apikey: \"${K}\" }":                "vars: { license_key: **************, apikey: \"${K}\" }",
		"vars: { a: 1, wrong_secret: \"{{ x }}\", password: short, why: basic }": "vars: { a: 1, wrong_secret: \"{{ x }}\", password: short, why: basic }",
		"vars: { t: \"a=1&client_secret=s3cret&b=2\" }":                          "vars: { t: \"a=1&client_secret=******&b=2\" }",
	} {
		_, err := scenario.Parse("x.yaml", []byte(head+line+" x\nsteps: []\n"))
		require.Error(t, err)
		assert.Contains(t, err.Error(), "4 | "+want, "of a file that is wrong")
		if s, err := scenario.Parse("x.yaml", []byte(head+line+"\nsteps: [ { clock: 1s } ]\n")); err == nil {
			findings := scenario.Lint(s, nil)
			require.NotEmpty(t, findings)
			assert.Contains(t, findings[0].Error.Error(), "4 | "+want, "of a finding")
		}
	}
}

// What a message quotes of a file is hidden as in its line.
func TestMessagesQuoteNoSecrets(t *testing.T) {
	_, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nsteps:\n  - { id: \"a?client_secret=s3cret\", clock: 1s }\n"))
	require.ErrorContains(t, err, `id "a?client_secret=******": use a letter`)
	assert.NotContains(t, err.Error(), "s3cret")
}

// A line of megabytes is shown around the place that is meant, and a secret that begins far
// before it is hidden all the same.
func TestLongLineHidesSecrets(t *testing.T) {
	t.Parallel()
	token := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0." + strings.Repeat("c2ln", 2000)
	before := strings.Repeat("a, ", 1_000_000)
	for name, at := range map[string]int{"its begin": 0, "within it": 5000, "its end": len(token) - 1} {
		err := &scenario.Error{File: "t.csv", Pos: scenario.Pos{Line: 1, Column: len(before) + at + 1}, Msg: "no", Source: before + token + ", b"}
		text := err.Error()
		assert.NotContains(t, text, "c2ln", name)
		lines := strings.Split(text, "\n")
		require.Len(t, lines, 3)
		assert.Equal(t, "*", string([]rune(lines[1])[len([]rune(lines[2]))-1]), "%s: the caret points at it", name)
	}
}
