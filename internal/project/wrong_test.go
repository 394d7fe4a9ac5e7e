package project

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/strict"
)

// withValue is a project file whose one setting has a value, with whatever else
// has to stand beside it.
func withValue(s strict.Setting, value string) string {
	beside := map[string]string{
		"operations[].match": "cost: 1", "operations[].cost": "match: POST /a", "operations[].items": "match: POST /a, cost: 1",
		"policy.ci[].event": "mode: replay", "policy.ci[].branch": "mode: replay",
		"recordings.drift[].digits": "at: /a", "recordings.drift[].within": "at: /a", "recordings.drift[].ignore": "at: /a",
	}
	if strings.HasPrefix(s.Path, "budgets[].match") {
		beside[s.Path] = "" // the rule beside it is added below
	}
	parts := strings.Split(s.Path, ".")
	text := value
	for i := len(parts) - 1; i >= 0; i-- {
		name, item := strings.CutSuffix(parts[i], "[]")
		switch {
		case i == len(parts)-1 && item:
			text = fmt.Sprintf("{ %s: [ %s ] }", name, text)
		case i == len(parts)-1:
			more := ""
			if b := beside[s.Path]; b != "" {
				more = ", " + b
			}
			text = fmt.Sprintf("{ %s: %s%s }", name, text, more)
		case item:
			text = fmt.Sprintf("{ %s: [ %s ] }", name, text)
		default:
			text = fmt.Sprintf("{ %s: %s }", name, text)
		}
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "{ "), " }")
	return "version: 1\n" + inner + "\n"
}

// wrongFor are values that are wrong for every setting of a kind.
var wrongFor = map[strict.Kind][]string{
	strict.Integer:       {"0.5", "2.9", "1.0", "1e3", "0x10", "0o17", "0100", "007", "1_000", "+5", "0b1", "-0", `"1"`, `'1'`, "one", "true", "[]", "[1]", "{}", "{ a: 1 }", ".inf", ".nan", "9223372036854775808", "1000000000001", "-1", "!!int 1", "!!str 1", "2026-01-01", "1:30"},
	strict.Decimal:       {"-1", "-0.5", "+0.5", "1e3", ".5", "1.", "00.5", "0x10", `"0.5"`, "one", "true", "[]", "{ a: 1 }", ".inf", ".nan", "1000000000001", "!!float 1"},
	strict.Text:          {"1", "0100", "1.5", "true", "false", "[a]", "[]", "{ a: b }", "!!str a", `""`, "''", ".inf"},
	strict.Boolean:       {"1", "0", "yes", "no", "on", `"true"`, "[]", "{}", "!!bool true"},
	strict.List:          {"1", "a", "true", "{ a: b }", `""`},
	strict.Object:        {"1", "a", "true", "[]", "[ { a: 1 } ]", `""`, "{ no_such_setting: 1 }"},
	strict.TextOrInteger: {"1", "99", "600", "2.5", "0200", `"404"`, "2x", "6xx", "true", "[]", "{}", `""`},
	strict.Texts:         {"1", "true", "{ a: b }", "[1]", "[[a]]", `""`, `[""]`, "[null]"},
	strict.Map: {"1", "a", "true", "[]", `""`, "{ A: 1 }", "{ A: true }", "{ A: [] }", "{ A: null }", "{ A: &a b }", "{ 1: a }", "{ 1A: a }", "{ A-B: a }", "{ \"\": a }", "{ A: a, A: b }",
		`{ A: "{nothing}" }`, `{ A: "{token_url" }`, `{ A: "}" }`, `{ A: "${HOME}" }`, `{ A: "\0" }`, "{ HSHARNESS_API_URL: a }", "{ hsharness_x: a }"},
	strict.TextOrList: {"1", "true", "{ a: b }", "[a]", "[1]", `""`},
}

// TestEverySettingThroughEveryWrongKind writes each setting in every way that it
// must not be written.
func TestEverySettingThroughEveryWrongKind(t *testing.T) {
	t.Parallel()
	all := append(Settings().Settings, strict.Setting{Path: "version", Kind: strict.Integer})
	checked := 0
	for _, s := range all {
		values := append([]string{"null", "~", "&a 1", "*a"}, wrongFor[s.Kind]...)
		if !strings.HasSuffix(s.Path, "[]") {
			values = append(values, "") // of an item nothing is left then
		}
		if len(wrongFor[s.Kind]) == 0 {
			t.Errorf("no values for the kind of %s", s.Path)
		}
		for _, value := range values {
			content := withValue(s, value)
			if s.Path == "version" {
				content = "version: " + value + "\n"
			}
			_, err := read(t, content, nil)
			if !assert.Error(t, err, content) {
				continue
			}
			checked++
			assert.Regexp(t, Name+`:[0-9]+:[0-9]+: `, err.Error(), content)
			assert.Contains(t, err.Error(), "^", content)
		}
	}
	require.Greater(t, checked, 500)
	t.Logf("%d files, each refused with its place", checked)
}

func TestOutOfRange(t *testing.T) {
	t.Parallel()
	for _, s := range Settings().Settings {
		if s.Kind != strict.Integer && s.Kind != strict.TextOrInteger {
			continue
		}
		for _, n := range []int64{s.Min - 1, s.Max + 1} {
			_, err := read(t, withValue(s, fmt.Sprint(n)), nil)
			assert.ErrorContains(t, err, fmt.Sprintf("want %d to %d", s.Min, s.Max), "%s: %d", s.Path, n)
		}
		for _, n := range []int64{s.Min, s.Max} {
			_, err := read(t, withValue(s, fmt.Sprint(n)), nil)
			assert.NoError(t, err, "%s: %d", s.Path, n)
		}
	}
}

func TestWhatIsThereTwiceOrMissing(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"version: 1\nper_run: 1\nper_run: 2\n":                             ":3:1: per_run is there twice",
		"version: 1\npolicy: { mode: live }\npolicy: { ci: live }\n":       ":3:1: policy is there twice",
		"version: 1\npolicy: { mode: live, mode: replay }\n":               ":2:23: policy.mode is there twice",
		"version: 1\noperations: [ { match: POST /a } ]\n":                 "operations[0].cost is missing",
		"version: 1\noperations: [ { cost: 1 } ]\n":                        "operations[0].match is missing",
		"version: 1\nrate: [ 20/1m, 5/60s ]\n":                             ":2:16: there are two rates for the same time",
		"version: 1\nrate: [ 20/1m, 25 ]\n":                                ":2:16: ",
		"version: 1\nbudgets: [ { } ]\n":                                   "the budget does nothing",
		"version: 1\nbudgets: [ { match: { suite: a } } ]\n":               ":2:12: the budget does nothing",
		"version: 1\nbudgets: [ { match: { suite: a }, block: false } ]\n": "the budget does nothing",
		"version: 1\nbudgets: [ { max_per_run: 0 } ]\n":                    "budgets[0].max_per_run is 0, want 1 to",
		"version: 1\npolicy: { exhausted: [ {} ] }\n":                      "the rule matches every failure",
		"":                                   "the file is empty",
		"# nothing\n":                        "the file is empty",
		"version: 1\n---\nversion: 1\n":      "more than one document",
		"- version: 1\n":                     "the file has to be settings with names",
		"version: 1\n1: 2\n":                 "is no name of a setting",
		"x: &a { version: 1 }\nversion: 1\n": `unknown setting "x"`,
		"version: 1\npolcy: {}\n":            `unknown setting "polcy" (did you mean "policy"?); the file has: version, `,
		"version: 1\npolicy:\n  <<: { mode: live }\n":       "no name of a setting",
		"version: 1\nrecordings: { answers: [] }\n":         "recordings.answers is an empty list",
		"version: 1\nrecordings: { answers: [404, 6xx] }\n": `:2:30: recordings.answers[1] is "6xx", want a status such as 404, or a class such as 2xx`,
		"version: 1\nrecordings: { headers: [cookie] }\n":   `:2:25: recordings.headers[0] is "cookie", want the name of a header that says what is asked`,
		"version: 1\nrecordings: { ignore: [/a, b] }\n":     `:2:28: recordings.ignore[1] is "b", want a JSON pointer`,
		"version: 1\nrecordings: { ignore: [/a~2] }\n":      `recordings.ignore[0] is "/a~2", want a JSON pointer`,
		"version: 1\npolicy: &p { mode: offline }":          "anchors and aliases are not read here",
	} {
		_, err := read(t, content, nil)
		assert.ErrorContains(t, err, want, content)
	}
}

// TestAllAtOnce has a part of the wrong kind and mistakes elsewhere.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := read(t, `version: 1
allowance: { granted: 0100, floor: 1.5 }
operations:
  - { match: "POST /a", cost: 0.5 }
  - { match: "POST /b", cost: 1 }
  - { match: "POST /b", cost: 2 }
budgets: { max_per_run: 1 }
per_run: "5"
policy: { mode: fast, unbilled: [99] }
`, nil)
	require.Error(t, err)
	for _, want := range []string{":2:23: ", ":2:36: ", ":4:31: ", ":6:5: ", ":7:", ":8:10: ", ":9:17: ", ":9:34: "} {
		assert.Contains(t, err.Error(), Name+want)
	}
	assert.Less(t, strings.Index(err.Error(), ":4:31:"), strings.Index(err.Error(), ":8:10:"), "in the order of the file")
}

func TestABOMIsRead(t *testing.T) {
	t.Parallel()
	p, err := read(t, "\ufeffversion: 1\r\nper_run: 7\r\n", nil)
	require.NoError(t, err)
	assert.EqualValues(t, 7, p.PerRun)
}

// TestNoSecretInAMessage writes a secret where none belongs.
func TestNoSecretInAMessage(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		"version: 1\nenvironments: { sandbox: { client_secret: 4711081500 } }\n",
		"version: 1\nenvironments:\n  sandbox:\n    client_secret: [4711081500]\n",
		"version: 1\nenvironments:\n  sandbox:\n    client_secret: x4711081500\n    client_idd: y\n",
	} {
		_, err := read(t, content, nil)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "4711081500")
	}
}

// TestWhatOnlyLooksLikeAVariable: a misspelled variable is no address and no account,
// and an empty default is not the real one.
func TestWhatOnlyLooksLikeAVariable(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"ledger", "environments.sandbox.identity_url", "environments.sandbox.api_url", "environments.sandbox.client_id", "environments.sandbox.client_secret"} {
		for _, text := range []string{"${URL:-}", "${URL-x}", "${URL:=x}", "${ URL }", "${1}", "${URL", "${}", "x${A:-${B}}", "${A}${B:-}"} {
			_, err := read(t, withValue(strict.Setting{Path: path}, `"`+text+`"`), nil)
			require.Error(t, err, "%s %s", path, text)
			assert.Regexp(t, `hsharness\.yaml:2:\d+: .*want a text whose variables are \$\{NAME\} or \$\{NAME:-default\}`, err.Error(), text)
		}
		for _, text := range []string{"${URL}", "${URL:-x}", "$URL", "a$b", "x${A:-b:-c}"} {
			_, err := read(t, withValue(strict.Setting{Path: path}, `"`+text+`"`), nil)
			assert.NoError(t, err, "%s %s", path, text)
		}
	}
}
