package scenario_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

func answer(json any) *scenario.Response {
	return &scenario.Response{Status: 200, Headers: map[string]string{"content-type": "application/json"}, JSON: json, Body: "text", ElapsedMS: 12}
}

func TestTemplates(t *testing.T) {
	s := parse(t, `
version: 1
name: x
matrix: { country: [US] }
vars: { n: 3, list: [1, a], text: "cotton", none: null }
steps:
  - request: POST /a/{{ vars.n }}?q={{ vars.text }}
    headers: { x-list: "{{ vars.list }}" }
    body:
      number: "{{ vars.n }}"
      list: "{{ vars.list }}"
      none: "{{ vars.none }}"
      joined: "{{ matrix.country }}: {{ vars.n + 1 }}{{ vars.text }}"
      braces: "{{ {'a': {'b': '}}'}}.a.b }}"
      literal: "{{ \"{{\" }} }} {"
      plain: text
      nested: [{ deep: "{{ vars.text }}" }, 1.5, true, null]
`)
	env := scenario.Env{Vars: map[string]any{"n": 3, "list": []any{1, "a"}, "text": "cotton", "none": nil}, Matrix: map[string]any{"country": "US"}}
	r := s.Steps[0].Request

	path, err := r.Target(env)
	require.NoError(t, err)
	assert.Equal(t, "/a/3?q=cotton", path)
	awkward := scenario.Env{Vars: map[string]any{"n": "../b?c", "text": "a&b c"}}
	path, err = r.Target(awkward)
	require.NoError(t, err)
	assert.Equal(t, "/a/..%2Fb%3Fc?q=a%26b+c", path, "a value can't change the endpoint")
	_, err = r.Target(scenario.Env{Vars: map[string]any{"n": "..", "text": ""}})
	assert.EqualError(t, err, `vars.n is "..", which is no part of a path`)
	header, err := r.Headers[0].Value.Render(env)
	require.NoError(t, err)
	assert.Equal(t, `[1,"a"]`, header)
	body, err := r.Body.Render(env)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"number": 3, "list": []any{1, "a"}, "none": nil, "joined": "US: 4cotton", "braces": "}}", "literal": "{{ }} {", "plain": "text",
		"nested": []any{map[string]any{"deep": "cotton"}, 1.5, true, nil},
	}, body, "a string that is one template keeps the value's type")
}

func TestTemplateErrorsWhenRun(t *testing.T) {
	s := parse(t, `
version: 1
name: x
vars: { none: null, text: a }
steps:
  - request: GET /a
    capture: { id: res.json.id }
  - request: GET /x/{{ vars.none }}
  - request: GET /x/{{ capture.id }}
  - request: GET /x/{{ vars.text.deep.deeper }}
`)
	env := scenario.Env{Vars: map[string]any{"none": nil, "text": "a"}}
	for i, want := range map[int]string{
		1: "vars.none has no value (null)",
		2: "capture.id has no value: the step that makes it did not get that far",
		3: "vars.text.deep.deeper: invalid operation: int(string)",
	} {
		_, err := s.Steps[i].Request.Target(env)
		require.Error(t, err)
		assert.True(t, strings.HasPrefix(err.Error(), want), err.Error())
	}
}

func TestExplainNamesTheValues(t *testing.T) {
	s := parse(t, `
version: 1
name: x
vars: { least: 1 }
steps:
  - request: GET /a
    expect: { assert: [ "res.json.items[0].n > vars.least and res.status == 200 and len(res.json.items) == 2" ] }
`)
	env := scenario.Env{Vars: map[string]any{"least": 1}, Res: answer(map[string]any{"items": []any{map[string]any{"n": 0.5}}})}
	a := s.Steps[0].Expect.Assert[0]
	ok, err := a.Test(env)
	require.NoError(t, err)
	assert.False(t, ok)
	assert.Equal(t, []string{"res.json.items = [{\"n\":0.5}]", "res.json.items[0].n = 0.5", "res.status = 200", "vars.least = 1"}, a.Explain(env))
}

func TestAssertionMustBeTrueOrFalse(t *testing.T) {
	s := parse(t, "version: 1\nname: x\nsteps: [ { request: GET /a, expect: { assert: [ res.json.ok, res.json.a.b ] } } ]\n")
	env := scenario.Env{Res: answer(map[string]any{"ok": "yes"})}
	_, err := s.Steps[0].Expect.Assert[0].Test(env)
	assert.EqualError(t, err, `res.json.ok is "yes", neither true nor false`)
	_, err = s.Steps[0].Expect.Assert[1].Test(env)
	assert.ErrorContains(t, err, "res.json.a.b: cannot fetch b from <nil>")
}

// TestPositions checks that each part points at its own place: the runner
// reports failures there.
func TestPositions(t *testing.T) {
	s := parse(t, strings.TrimPrefix(`
version: 1
name: x
quota: { expected: 1, max: 2 }
steps:
  - id: a
    request: POST  /x/{{ 1 }}
    expect:
      status: [200, 404]
      headers: { accept: "a" }
      json: { é: { b: [1, "x"] } }
      spend: 1
      assert:
        - res.body != "é" and res.status == 200
        - 'res.body == ''it'''
        - |
            res.status ==
            200
    capture: { code: res.json.x }
`, "\n"))
	at := func(line, column int) scenario.Pos { return scenario.Pos{Line: line, Column: column} }
	st := s.Steps[0]
	assert.Equal(t, at(3, 10), s.Quota.Expected.Pos)
	assert.Equal(t, at(5, 5), st.Pos)
	assert.Equal(t, at(6, 5), st.Request.Pos)
	assert.Equal(t, at(6, 20), st.Request.Path.Pos)
	assert.Equal(t, at(8, 15), st.Expect.Status.Pos)
	assert.Equal(t, at(9, 26), st.Expect.Headers[0].Value.Pos)
	assert.Equal(t, at(10, 27), st.Expect.JSON.Members[0].Value.Members[0].Value.Items[1].Pos)
	assert.Equal(t, at(11, 7), st.Expect.Spend.Pos)
	assert.Equal(t, at(13, 11), st.Expect.Assert[0].Pos)
	assert.Equal(t, at(14, 12), st.Expect.Assert[1].Pos)
	assert.Equal(t, at(16, 13), st.Expect.Assert[2].Pos)
	assert.Equal(t, at(18, 16), st.Capture[0].Pos)
	assert.Equal(t, at(18, 22), st.Capture[0].Expr.Pos)
	assert.Equal(t, "x.yaml:8:15: status: want 200 or 404, got 500\n  8 |       status: [200, 404]\n    |               ^",
		s.Problem(st.Expect.Status.Pos, "status: want 200 or 404, got 500").Error())
}

// A field is looked for in something that has no name where it follows on an index.
func TestUnknownFieldOfNoName(t *testing.T) {
	_, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nsteps:\n  - request: GET /a\n    capture: { c1: /a }\n  - request: GET /x\n    expect: { assert: [ '$env[\"capture\"][\"c3\"] == 1' ] }\n"))
	assert.ErrorContains(t, err, `no field "c3" in what stands before it`)
}
