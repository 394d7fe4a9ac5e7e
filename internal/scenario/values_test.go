package scenario_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
)

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
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.body) }))
			t.Cleanup(api.Close)
			got := run(t, scenario.Runner{NewServices: func(scenario.Needs) (services.Service, error) {
				s, err := newServices(scenario.Needs{})
				return elsewhere{s, api.URL}, err
			}}, "\nsteps:\n  - request: GET /first\n    expect: { assert: [ len(res.json) > 0 ] }\n")
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
