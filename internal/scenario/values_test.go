package scenario_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
)

// answered is a step whose request gets an answer of this body, and expects so much of it.
func answered(t *testing.T, body, expect string) report.Scenario {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	t.Cleanup(api.Close)
	return run(t, scenario.Runner{NewServices: func(scenario.Needs) (services.Service, error) {
		s, err := newServices(scenario.Needs{})
		return elsewhere{s, api.URL}, err
	}}, "\nsteps:\n  - request: GET /first\n    expect: "+expect+"\n")
}

// An answer of values that are a few bytes each in JSON is not read: 16 MB of them took half
// a gigabyte, in each of the cases that run at the same time.
func TestAnswerOfTooManyValuesIsNotRead(t *testing.T) {
	t.Parallel()
	const most = 500_000
	for name, tt := range map[string]struct {
		body string
		wide bool
	}{
		"as many as may be": {"[" + strings.Repeat("{ },", most-2) + "0]", false},
		"one more":          {"[" + strings.Repeat("{ },", most-1) + "0]", true},
		"within a text":     {`["\"` + strings.Repeat("[0,", most) + `"]`, false},
		"members":           {"[" + strings.Repeat(`{"":0},`, most/2) + "0]", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := answered(t, tt.body, "{ assert: [ len(res.json) > 0 ] }")
			if !tt.wide {
				assert.Empty(t, got.Failures())
				return
			}
			require.Len(t, got.Failures(), 1)
			assert.Equal(t, "the answer has more than 500000 values of JSON, the most that one answer or text may have where it is read", got.Failures()[0].Message)
			assert.NotZero(t, got.Failures()[0].Line)
		})
	}
}

// The search of a long text for a large regular expression took minutes, which no timeout ended.
func TestSearchOfALongTextIsBounded(t *testing.T) {
	t.Parallel()
	long := `{ "a": "` + strings.Repeat("a", 1<<20) + `" }`
	most := func(begin string) string { return `{ "a": "` + begin + strings.Repeat("a", 79_802) + `" }` }
	for name, tt := range map[string]struct{ body, expression, want string }{
		"bounded":                 {long, "(a|aa|aaa){1,200}b$", "/(a|aa|aaa){1,200}b$/ (the text has 1048576 bytes, and a regular expression of 2003 states takes more than 10000000 steps for them)"},
		"bounded with a template": {long, "(a|aa|aaa){1,200}{{ 'b' }}$", "/(a|aa|aaa){1,200}{{ 'b' }}$/ (the text has 1048576 bytes, and a regular expression of 2003 states takes more than 10000000 steps for them)"},
		"at the bound":            {most("b"), "b|(a|aa|aaa){1,200}b$", ""},
		"beyond the bound":        {most("baa"), "b|(a|aa|aaa){1,200}b$", "/b|(a|aa|aaa){1,200}b$/ (the text has 79805 bytes, and a regular expression of 2005 states takes more than 10000000 steps for them)"},
		"a long text":             {long, "a{10}$", ""},
		"a large expression":      {`{ "a": "aaab" }`, "(a|aa|aaa){1,200}b$", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failures := answered(t, tt.body, `{ json: { a: "/`+tt.expression+`/" } }`).Failures()
			if tt.want == "" {
				assert.Empty(t, failures)
				return
			}
			require.Len(t, failures, 1)
			assert.Equal(t, tt.want, failures[0].Want)
			assert.Equal(t, 6, failures[0].Line)
		})
	}
}
