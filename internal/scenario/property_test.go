package scenario_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/scenario"
)

// dump is everything a scenario says, without the places.
func dump(t require.TestingT, s *scenario.Scenario) any {
	text, err := json.Marshal(s)
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal(text, &v))
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				strip(x)
			}
		case map[string]any:
			for _, key := range []string{"Pos", "ClockPos", "EnvironmentPos", "Line", "Column"} {
				delete(v, key)
			}
			for _, x := range v {
				strip(x)
			}
		}
	}
	strip(v)
	return v
}

// value draws a JSON value with templates and awkward texts in it.
func value(depth int) *rapid.Generator[any] {
	text := rapid.SampledFrom([]string{"{{ vars.a }}", "x {{ vars.a + 1 }} y", "plain", "it's \"quoted\"", "éü", "- dash", "a: b", "# no comment", "", "true", "two\nlines", "trailing ", "null", "~", "{ \"a\": [1] }", "%x", "@x", "!x", "&x", "*x"})
	scalar := rapid.OneOf(rapid.Map(text, func(s string) any { return s }), rapid.Map(rapid.IntRange(-5, 5000), func(i int) any { return i }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Just[any](nil), rapid.Just[any](2.5))
	if depth == 0 {
		return scalar
	}
	below := value(depth - 1)
	return rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(below, 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-zé_ -]{1,5}x`), below, 0, 3), func(m map[string]any) any { return m }))
}

// pointsAtItself checks that each part of v stands where it says it does.
func pointsAtItself(t require.TestingT, src string, v *scenario.Value) {
	at := func(p scenario.Pos) string {
		return string([]rune(strings.Split(src, "\n")[p.Line-1])[p.Column-1:])
	}
	switch v.Kind {
	case scenario.String:
		got := at(v.Pos)
		assert.True(t, strings.ContainsAny(got[:1], "\"'|>") || strings.HasPrefix(got, v.Text.Text), "%q stands at %q", v.Text.Text, got)
	case scenario.Number:
		assert.True(t, strings.HasPrefix(at(v.Pos), fmt.Sprint(v.Scalar)), "%v stands at %q", v.Scalar, at(v.Pos))
	}
	for _, item := range v.Items {
		pointsAtItself(t, src, item)
	}
	for _, m := range v.Members {
		got := at(m.Pos)
		assert.True(t, strings.ContainsAny(got[:1], "\"'") || strings.HasPrefix(got, m.Name), "%q stands at %q", m.Name, got)
		pointsAtItself(t, src, m.Value)
	}
}

// TestNotationMakesNoDifference: the same scenario as JSON (flow style, all
// quoted) and as YAML (block style) parses to the same model, and twice the
// same text to the same model, places included.
func TestNotationMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := map[string]any{
			"version": 1, "name": "x", "vars": map[string]any{"a": 1},
			"steps": []any{map[string]any{
				"request": "POST /x/{{ vars.a }}", "body": value(2).Draw(t, "body"),
				"expect": map[string]any{"json": value(2).Draw(t, "json"), "status": rapid.SampledFrom([]any{200, "2xx", []any{200, "4xx"}}).Draw(t, "status")},
			}},
		}
		flow, err := json.Marshal(doc)
		require.NoError(t, err)
		block, err := yaml.Marshal(doc)
		require.NoError(t, err)
		a, err := scenario.Parse("x.yaml", flow)
		require.NoError(t, err, "%s", flow)
		b, err := scenario.Parse("x.yaml", block)
		require.NoError(t, err, "%s", block)
		assert.Equal(t, dump(t, a), dump(t, b), "%s\n%s", flow, block)
		pointsAtItself(t, string(flow), a.Steps[0].Request.Body)
		pointsAtItself(t, string(block), b.Steps[0].Request.Body)
		again, err := scenario.Parse("x.yaml", flow)
		require.NoError(t, err)
		first, err := json.Marshal(a)
		require.NoError(t, err)
		second, err := json.Marshal(again)
		require.NoError(t, err)
		assert.Equal(t, string(first), string(second))
	})
}
