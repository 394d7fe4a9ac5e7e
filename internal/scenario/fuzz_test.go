package scenario_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// FuzzParse checks that no input panics, that every error is of our type and
// points into the file, and that what parses can be priced and linted.
func FuzzParse(f *testing.F) {
	for _, glob := range []string{"right", "wrong/*"} {
		for _, name := range files(f, glob) {
			if src := string(read(f, name)); len(src) < 1000 { // a longer one takes as long as many
				f.Add(src)
			}
		}
	}
	for _, src := range []string{"a: *a", "&a [*a]", "- - - -", "\xff\xfe", "a:\r\n b", "? a\n: b", "{{", "!!binary x", "a: |+2\n   x", "'", "---\n...\n---"} {
		f.Add(src)
	}
	// What once took minutes, gigabytes, or the wrong meaning.
	f.Add("version: 1\nname: x\nmatrix: { a: [1,2,3,4,5,6,7,8,9,10], b: [1,2,3,4,5,6,7,8,9,10], c: [1,2,3] }\nvars: { t: \"{{ repeat('x', 1000) }}\" }\n" +
		"steps:\n- request: POST /hscode/classify\n  body: { description: \"{{ repeat(vars.t, 100) }}\", countryOfDestination: US }\n")
	f.Add("version: 1\nname: x\nsteps:\n- clock: 2562047h\n- clock: 876000h\n- clock: -876000h\n")
	f.Add("version: 1\nname: x\n" + strings.Repeat("k:\n  a: 1\n", 50))
	f.Add("version: 1\nname: x\n" + strings.Repeat("k: 1\n", 4001))
	for _, text := range []string{"k:\n- a\n", "? k\n", "- k:\n", "{a,b:},", "---\na\n", "'{{vars.b}}',", "{x: 1},"} {
		f.Add("version: 1\nname: x\nsteps: [\n" + strings.Repeat(text, 30))
		f.Add(strings.Repeat(text, 30))
	}
	f.Add("version: 1\nname: x\nsteps:\n- request: GET /x\n  expect: { json: { hsCode: 0902100000, n: 1e999999999 } }\n")
	const most = 24 << 10 // a longer one takes as long as many, and says nothing else
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > most {
			return
		}
		s, err := scenario.Parse("x.yaml", []byte(src))
		if err == nil {
			scenario.Lint(s, cost)
			s.Ceiling()
			return
		}
		var errs scenario.Errors
		require.ErrorAs(t, err, &errs)
		require.NotEmpty(t, errs)
		lines := strings.Count(src, "\n") + strings.Count(src, "\r") + 1
		last := 0
		for _, e := range errs {
			assert.GreaterOrEqual(t, e.Line, max(last, 1), "in the order of the file")
			assert.LessOrEqual(t, e.Line, lines)
			assert.GreaterOrEqual(t, e.Column, 1)
			assert.NotEmpty(t, e.Msg)
			assert.NotEmpty(t, e.Error())
			last = e.Line
		}
	})
}

// FuzzSplit checks that a template is cut without loss: what is found between
// braces stands in the text, and the place of an error does too.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"", "a", "{{ a }}", "x {{ a }} y {{ b }}", "{{ {'a': {'b': 1}} }}", "{{ '}}' }}", "{{ \"\\\"}}\" }}", "{{ `}}` }}", "{{", "{{}}", "}}", "{{ { }}", "{{{}}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		exprs, at, err := scenario.Split(text)
		if err != nil {
			assert.True(t, strings.HasPrefix(text[at:], "{{"), "the error points at the braces")
			return
		}
		rest := text
		for _, e := range exprs {
			whole := "{{" + e + "}}"
			i := strings.Index(rest, whole)
			require.GreaterOrEqual(t, i, 0)
			assert.NotContains(t, rest[:i], "{{", "no template is left out")
			rest = rest[i+len(whole):]
		}
		assert.NotContains(t, rest, "{{")
	})
}

// FuzzExpression checks expressions in every quoting: no panic, and the place
// of an error is in the expression's own line.
func FuzzExpression(f *testing.F) {
	for _, e := range []string{"res.status == 200", "res.jsn", "vars.titel", "'", "res.", "let x = 1; x > 0", "filter(res.json, # > 0)", "res.json[0]?.a ?? 1", "1 + ", "$env", "-9223372036854775808", "é"} {
		f.Add(e)
	}
	for _, e := range []string{ // what took gigabytes, or hours: each small enough for many executions
		`reduce(1..40, #acc + #acc, "abcdefgh") == ""`, `toJSON(reduce(1..40, [#acc, #acc], 1)) == ""`, `len(1..1000000000) > 0`,
		`reduce(1..40, [#acc, #acc], 1) == reduce(1..40, [#acc, #acc], 1)`, `fromJSON(repeat("9", 1001)) > 1`, `fromJSON("1e999999999") > 0`,
		`"a" matches "(a{1000}){1000}"`, `date("9999999999-01-01") > date("0000-01-01")`,
	} {
		f.Add(e)
	}
	f.Fuzz(func(t *testing.T, e string) {
		if strings.ContainsAny(e, "\n\r") {
			return
		}
		quoted := "'" + strings.ReplaceAll(e, "'", "''") + "'"
		s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nvars: { title: a }\nsteps:\n  - request: GET /x\n    expect:\n      assert:\n        - "+quoted+"\n"))
		if err != nil {
			var errs scenario.Errors
			require.True(t, errors.As(err, &errs))
			assert.Equal(t, 8, errs[0].Line)
			assert.GreaterOrEqual(t, errs[0].Column, 11)
			return
		}
		env := scenario.Env{Vars: map[string]any{"title": "a"}, Res: answer(nil)}
		a := s.Steps[0].Expect.Assert[0]
		_, _ = a.Test(env)
		a.Explain(env)
	})
}
