package scenario_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
)

// odd are numbers that an int or a double gives back as another text.
var odd = []string{
	"6109.10", "1e3", "1E+3", "-0", "-0.0", "0.10", "9007199254740993.0", "18446744073709551615", "-9223372036854775809",
	"0.1234567890123456789", "1e400", "1e-400", "1e99999999999999999999", "100000000000000000000000.5", strings.Repeat("7", 200),
}

func TestNumbersAreSentAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, n := range append(odd, "9007199254740993", "9223372036854775807", "-9223372036854775808", "6109.1", "0", "5") {
		s := parse(t, fmt.Sprintf(`
version: 1
name: x
matrix: { code: [%[1]s] }
vars: { code: %[1]s, list: [%[1]s] }
steps:
  - request: POST /a/{{ vars.code }}?q={{ matrix.code }}
    headers: { x-code: "{{ vars.code }}" }
    body: { plain: %[1]s, var: "{{ vars.code }}", list: "{{ vars.list }}", text: "code {{ matrix.code }}", first: "{{ vars.list[0] }}", chosen: "{{ vars.list == [] ? 1 : vars.list }}" }
`, n))
		vars, _, err := s.ResolveVars(nil)
		require.NoError(t, err)
		cases := s.Cases()
		require.Equal(t, "code="+shortened(n), cases[0].Name)
		env := scenario.Env{Vars: vars, Matrix: cases[0].Values}
		r := s.Steps[0].Request
		target, err := r.Target(env)
		require.NoError(t, err)
		assert.Equal(t, "/a/"+n+"?q="+strings.ReplaceAll(n, "+", "%2B"), target)
		header, err := r.Headers[0].Value.Render(env)
		require.NoError(t, err)
		assert.Equal(t, n, header)
		body, err := r.Body.Render(env)
		require.NoError(t, err)
		text, err := json.Marshal(body)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf(`{"chosen":[%[1]s],"first":%[1]s,"list":[%[1]s],"plain":%[1]s,"text":"code %[1]s","var":%[1]s}`, n), string(text))
	}
}

func shortened(s string) string {
	if len(s) > 60 {
		return s[:57] + "…"
	}
	return s
}

func TestNumberInAnExpressionIsSentAsItIsWritten(t *testing.T) {
	t.Parallel()
	s := parse(t, "version: 1\nname: x\nsteps: [ { request: POST /a, body: [\"{{ 6109.10 }}\", \"{{ 1e3 }}\", \"{{ .50 }}\", \"{{ [-6109.10][0] }}\", \"{{ string(6109.10) }}\", \"{{ string(1000000.5) }}\"] } ]\n")
	body, err := s.Steps[0].Request.Body.Render(scenario.Env{})
	require.NoError(t, err)
	text, err := json.Marshal(body)
	require.NoError(t, err)
	assert.Equal(t, `[6109.10,1e3,0.50,-6109.1,"6109.10","1000000.5"]`, string(text))
}

func TestNumberThatJSONDoesNotWriteIsRefused(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"+5": "write 5", ".5": "write 0.5", "-.5": "write -0.5", "5.": "write 5", "+.5e3": "write 0.5e3", "5.e3": "write 5e3",
		"0901": "quote it", "0901.50": "quote it", "00": "quote it", "-007": "quote it", "0x1F": "quote it", "0X1f": "quote it", "0o17": "quote it",
		"0b1": "quote it", "1_000": "quote it", "1_000.5": "quote it", "1.0_0": "quote it", "01e3": "quote it", ".inf": "quote it", "-.INF": "quote it", ".nan": "quote it",
	} {
		for _, where := range []string{"vars: { n: %s }", "matrix: { n: [%s] }", "steps: [ { request: POST /a, body: { n: %s } } ]", "steps: [ { request: GET /a, expect: { json: { n: %s } } } ]"} {
			src := "version: 1\nname: x\n" + fmt.Sprintf(where, written)
			if !strings.Contains(where, "steps") {
				src += "\nsteps: [ { request: GET /a } ]"
			}
			_, err := scenario.Parse("x.yaml", []byte(src))
			require.ErrorContains(t, err, want, "%s in %s", written, where)
			assert.Contains(t, err.Error(), fmt.Sprintf("x.yaml:3:%d: %s ", strings.Index(where, "%s")+1, written))
		}
	}
}

// TestNumbersAreComparedDigitForDigit: what a double makes of both sides is not
// asked.
func TestNumbersAreComparedDigitForDigit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want, got string
		same      bool
	}{
		{"9007199254740992", "9007199254740993", false},
		{"9007199254740993", "9007199254740993", true},
		{"9007199254740993", "9007199254740993.0", true},
		{"9007199254740992.0", "9007199254740993", false},
		{"18446744073709551615", "18446744073709551615", true},
		{"18446744073709551615", "18446744073709551616", false},
		{"1e400", "1e401", false},
		{"1e400", "10e399", true},
		{"1e99999999999999999999", "1e99999999999999999998", false},
		{"0.1", "0.1000000000000000055511151231257827", false},
		{"6109.10", "6109.10", true},
		{"6109.10", "6109.1", true},
		{"6109.10", "6109.11", false},
		{"6109.10", `"6109.10"`, false},
		{"1e3", "1000", true},
		{"-0", "0", true},
		{"-5", "5", false},
		{`">= 9007199254740993"`, "9007199254740992", false},
		{`"> 9007199254740992"`, "9007199254740993", true},
		{`"< 9007199254740993"`, "9007199254740992", true},
		{`"<= 9007199254740992"`, "9007199254740993", false},
		{`"!= 9007199254740992"`, "9007199254740993", true},
		{`"!= 9007199254740993"`, "9007199254740993", false},
		{`"> -9007199254740993"`, "-9007199254740992", true},
		{`"> 1e399"`, "1e400", true},
		{`"/^9007199254740993$/"`, "9007199254740993", true},
		{`"/^6109\\.10$/"`, "6109.10", true},
		{`"/77$/"`, strings.Repeat("7", 100), true},
		{`"{{ vars.big }}"`, "9007199254740993", true},
		{`"{{ vars.big }}"`, "9007199254740992", false},
		{`"> {{ vars.big }}"`, "9007199254740994", true},
		{`"> {{ vars.big }}"`, "9007199254740993", false},
		{`["{{ vars.big }}"]`, "[9007199254740992]", false},
		{`"{{ [vars.big] }}"`, "[9007199254740992]", false},
		{`"{{ {'id': vars.big} }}"`, `{"id":9007199254740993}`, true},
		{`"{{ 1..100 }}"`, list(100, 100), true},
		{`"{{ 1..100 }}"`, list(100, 101), false},
	} {
		s := parse(t, "version: 1\nname: x\nvars: { big: 9007199254740993 }\nsteps: [ { request: GET /a, expect: { json: { n: "+tt.want+" } } } ]\n")
		vars, _, err := s.ResolveVars(nil)
		require.NoError(t, err)
		got := received(t, `{"n":`+tt.got+`}`)
		assert.Equal(t, tt.same, len(s.Steps[0].Expect.Check(scenario.Env{Vars: vars, Res: got}, scenario.Usage{})) == 0, "want %s, got %s", tt.want, tt.got)
	}
}

// list is the JSON list of 1 to n, with another last element.
func list(n, last int) string {
	var items []string
	for i := 1; i < n; i++ {
		items = append(items, fmt.Sprint(i))
	}
	return "[" + strings.Join(append(items, fmt.Sprint(last)), ",") + "]"
}

// received is an answer as the runner reads it.
func received(t *testing.T, body string) *scenario.Response {
	t.Helper()
	v, err := scenario.DecodeJSON([]byte(body))
	require.NoError(t, err)
	return &scenario.Response{Status: 200, JSON: v, Body: body}
}

func TestExpressionsKeepEveryDigit(t *testing.T) {
	t.Parallel()
	answer := `{"id":9007199254740993,"same":9007199254740993.0,"max":9223372036854775807,"over":18446744073709551615,"code":6109.10,"price":10.50,
		"list":[9007199254740993,10.50,2],"prices":[10.50,2,0.25],"text":"9007199254740993","long":0.1234567890123456789,"n":5,"half":0.5}`
	for expression, want := range map[string]any{
		"res.json.id == 9007199254740993":                               true,
		"res.json.id == 9007199254740992":                               false,
		"res.json.id == 9007199254740992.0":                             false,
		"9007199254740993.0 == res.json.id":                             true,
		"res.json.id != 9007199254740992.0":                             true,
		"res.json.id == res.json.same":                                  true,
		"9007199254740993 == 9007199254740992.0":                        false,
		"res.json.id > 9007199254740992.0":                              true,
		"res.json.id <= 9007199254740992.0":                             false,
		"res.json.over > res.json.max":                                  true,
		"res.json.over == 18446744073709551615.0":                       true,
		"res.json.over == 18446744073709551616.0":                       false,
		"res.json.code == 6109.10 and res.json.code == 6109.1":          true,
		"res.json.code in [1, 6109.1]":                                  true,
		"res.json.id in [9007199254740992.0]":                           false,
		"res.json.id not in [9007199254740992]":                         true,
		"9007199254740993 in [9007199254740992.0]":                      false,
		"res.json.list == [9007199254740993, 10.5, 2.0]":                true,
		"res.json.list == [9007199254740992, 10.5, 2]":                  false,
		"any(res.json.list, # == 9007199254740992)":                     false,
		"len(filter(res.json.list, # > 9007199254740992.5))":            1,
		"res.json.id + 1":                                               9007199254740994,
		"res.json.id - 1 == 9007199254740992":                           true,
		"res.json.id % 10":                                              3,
		"-res.json.id":                                                  -9007199254740993,
		"res.json.price * 2":                                            21.0,
		"res.json.price + 1":                                            11.5,
		"res.json.n / 2":                                                2.5,
		"res.json.n + res.json.half":                                    5.5,
		"2 ** 3":                                                        8.0,
		"1 + 2 == 3":                                                    true,
		"1e3 + 1 == 1001":                                               true,
		"6109.10 * 10 == 61091":                                         true,
		"sum(res.json.prices)":                                          12.75,
		"sum(res.json.prices, # * 2)":                                   25.5,
		"string(max(res.json.prices))":                                  "10.50",
		"min(res.json.prices, 0.1)":                                     0.1,
		"max(res.json.list) == 9007199254740993":                        true,
		"min(res.json.id, 9007199254740992.0) == 9007199254740992":      true,
		"mean([res.json.price, 0.5])":                                   5.5,
		"median(res.json.prices)":                                       2.0,
		"round(res.json.code)":                                          6109.0,
		"abs(-res.json.code) == 6109.1":                                 true,
		"int(res.json.code)":                                            6109,
		"float(res.json.n)":                                             5.0,
		"map(sort(res.json.prices), string(#))":                         []any{"0.25", "2", "10.50"},
		"map(sort(res.json.prices, 'desc'), string(#))":                 []any{"10.50", "2", "0.25"},
		"map(sortBy(res.json.prices, -#), string(#))":                   []any{"10.50", "2", "0.25"},
		"string(res.json.code) + '!'":                                   "6109.10!",
		"string(res.json.over)":                                         "18446744073709551615",
		"string(res.json.text)":                                         "9007199254740993",
		"type(res.json.code) + type(res.json.over) + type(res.json.id)": "floatintint",
		"fromJSON(res.body).id == 9007199254740993":                     true,
		"fromJSON(res.body).id == 9007199254740992":                     false,
		"toJSON(res.json.code)":                                         "6109.10",
		"let x = res.json.id; x == 9007199254740993":                    true,
		"reduce(res.json.prices, #acc + #)":                             12.75,
		"res.status == 200 and res.json.text startsWith '9'":            true,
		"res.json.nothing ?? res.json.n":                                5,
		"res.json.text == res.json.id":                                  false,
		"date('2026-01-02') + duration('1h') > date('2026-01-02')":      true,
		"res.status in [200, 404]":                                      true,
		"res.json.n in 1..5":                                            true,
		"-res.json.max - 1 == -9223372036854775807 - 1":                 true,
	} {
		got, err := evaluate(t, expression, answer)
		if assert.NoError(t, err, expression) {
			assert.Equal(t, want, got, expression)
		}
	}
}

// TestExpressionsCalculateNoOtherNumber: what can't be calculated digit for
// digit is an error.
func TestExpressionsCalculateNoOtherNumber(t *testing.T) {
	t.Parallel()
	answer := `{"id":9007199254740993,"max":9223372036854775807,"over":18446744073709551615,"long":0.1234567890123456789,"list":[9007199254740993,0.5],"text":"9007199254740993"}`
	for _, expression := range []string{
		"res.json.max + 1", "res.json.max * 2", "-9223372036854775807 - 2", "9223372036854775807 + 1", "res.json.id / 1", "res.json.id + 0.5", "res.json.over + 1",
		"-res.json.over", "res.json.long * 2", "res.json.id ** 2", "3 ** 40", "sum(res.json.list)", "mean(res.json.list)", "float(res.json.id)", "floor(res.json.id)",
		"float(res.json.text)", "int(res.json.over)", "abs(res.json.over)", "-(-res.json.max - 1)", "sum([res.json.max, 1])",
	} {
		got, err := evaluate(t, expression, answer)
		assert.ErrorContains(t, err, "more digits than an expression calculates with", "%s made %v", expression, got)
	}
}

// evaluate is the value of an expression over an answer.
func evaluate(t *testing.T, expression, answer string) (any, error) {
	t.Helper()
	quoted, err := json.Marshal(expression)
	require.NoError(t, err)
	s := parse(t, "version: 1\nname: x\nsteps: [ { request: GET /a, capture: { x: "+string(quoted)+" } } ]\n")
	return s.Steps[0].Capture[0].Expr.Eval(scenario.Env{Res: received(t, answer)})
}

// TestTypesAreStillCheckedBeforeAnythingIsSent: our operators take no check of
// the library away.
func TestTypesAreStillCheckedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"res.status == 'x'", "res.status > 'x'", "res.body + 1 == 2", "res.body == 5", "res.status + 'x' == 5", "1.5 in ['a']", "sum(res.body) == 1", "max('a', 'b') == 1",
		"res.statuss + 1 == 2", "-res.jsn == 5", "1.5 + res.jsn == 5", "string(res.jsn) == ''", "sum(res.jsn) == 5", "res.jsn in [1]", "res.json.n < res.jsn", "18446744073709551616 == 1",
	} {
		_, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nsteps: [ { request: GET /a, expect: { assert: [ \""+expression+"\" ] } } ]\n"))
		assert.ErrorContains(t, err, "x.yaml:3:", expression)
	}
}

// TestWholeNumbersOfAFileAreStrict: a fraction, an exponent, a text, nothing, or
// a number out of range is an error with its place.
func TestWholeNumbersOfAFileAreStrict(t *testing.T) {
	t.Parallel()
	places := map[string]string{
		"quota.expected": "quota: { expected: %s }\nsteps: [ { request: GET /a } ]",
		"quota.max":      "quota: { max: %s }\nsteps: [ { request: GET /a } ]",
		"retry.max":      "steps: [ { request: GET /a, retry: { max: %s, on: 503 } } ]",
		"expect.spend":   "steps: [ { request: GET /a, expect: { spend: %s } } ]",
		"expect.calls":   "steps: [ { request: GET /a, expect: { calls: %s } } ]",
		"times":          "steps: [ { request: GET /a, faults: [ { status: 503, times: %s } ] } ]",
		"nth":            "steps: [ { request: GET /a, faults: [ { status: 503, nth: [%s] } ] } ]",
		"truncate":       "steps: [ { request: GET /a, faults: [ { truncate: %s } ] } ]",
		"seed":           "steps: [ { request: GET /a, faults: [ { status: 503, probability: 0.5, seed: %s } ] } ]",
		"fault status":   "steps: [ { request: GET /a, faults: [ { status: %s } ] } ]",
		"timeout":        "steps: [ { exec: { command: [x], timeout: %s } } ]",
		"probability":    "steps: [ { request: GET /a, faults: [ { status: 503, probability: %s } ] } ]",
	}
	bad := []string{"2.0", "2.9", "1e1", `"5"`, "null", "", "-1", "+5", "0x1", "01", "1_0", "9223372036854775808", "1000000000000000000000", "true", "[1]", "{ a: 1 }"}
	for place, src := range places {
		at := strings.Index(src, "%s") + 1
		values := bad
		switch place {
		case "probability":
			values = []string{"0", "0.0", "1.1", "-0.1", `"0.5"`, "", "null", "1e400", "true"}
		case "timeout":
			values = []string{"0s", "0", "0ms", "-1s", "5", "", "null", "1e3"}
		case "quota.expected", "quota.max", "expect.spend", "expect.calls", "seed":
		default:
			values = append(values, "0") // never "no limit"
		}
		for _, v := range values {
			s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\n"+fmt.Sprintf(src, v)))
			require.Error(t, err, "%s: %s", place, v)
			assert.Nil(t, s)
			column := at
			if v == "" {
				column-- // where nothing is, the place is the colon's
			}
			assert.Contains(t, err.Error(), fmt.Sprintf("x.yaml:3:%d: ", column), "%s: %s", place, v)
		}
	}
}

// TestACapturedNumberReachesTheServiceUnchanged sends it in a path, a query, a
// header and a body through real HTTP, and compares an answer that differs in the
// last digit.
func TestACapturedNumberReachesTheServiceUnchanged(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var saw []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := new(strings.Builder)
		_, _ = fmt.Fprint(body, r.URL.RequestURI(), " ", r.Header.Get("X-Id"), " ")
		var b json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&b)
		mu.Lock()
		saw = append(saw, body.String()+string(b))
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"id":9007199254740993,"code":6109.10}`)
	}))
	t.Cleanup(api.Close)
	runner := scenario.Runner{NewServices: func(scenario.Needs) (services.Service, error) {
		s, err := newServices(scenario.Needs{})
		return elsewhere{s, api.URL}, err
	}}
	got := run(t, runner, `
steps:
  - request: GET /first
    capture: { id: res.json.id, code: res.json.code }
  - request: POST /a/{{ capture.id }}?code={{ capture.code }}
    headers: { x-id: "{{ capture.id }}" }
    body: { id: "{{ capture.id }}", code: "{{ capture.code }}", text: "{{ capture.id }}/{{ capture.code }}" }
    expect:
      json: { id: 9007199254740992, code: 6109.20 }
      assert: [ "res.json.id == 9007199254740992", "res.json.id == capture.id" ]
`)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []string{"/first  ", `/a/9007199254740993?code=6109.10 9007199254740993 {"code":6109.10,"id":9007199254740993,"text":"9007199254740993/6109.10"}`}, saw)
	var failures []string
	for _, f := range got.Failures() {
		failures = append(failures, fmt.Sprintf("%d:%d %s: want %s, got %s", f.Line, f.Column, f.Message, f.Want, f.Got))
	}
	assert.Equal(t, []string{
		"11:19 json.id is not as expected: want 9007199254740992, got 9007199254740993",
		"11:43 json.code is not as expected: want 6109.20, got 6109.10",
		"12:18 assert is not as expected: want res.json.id == 9007199254740992, got false, where res.json.id = 9007199254740993",
	}, failures)
	text := fmt.Sprintf("%+v", got)
	assert.Contains(t, text, `"code":6109.10`, "the exchange is shown as it was")
}

// elsewhere is a set of services whose API is a server of the test's.
type elsewhere struct {
	services.Service
	url string
}

func (e elsewhere) APIURL(avalara.Environment, avalara.API) (string, error) { return e.url, nil }
