package scenario_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// expecting parses a file whose one step expects this JSON.
func expecting(t *testing.T, want string) *scenario.Expect {
	t.Helper()
	s := parse(t, "version: 1\nname: x\nvars: { n: 2, dot: \".\", re: /a/ }\nsteps: [ { request: GET /a, expect: { json: "+want+" } } ]\n")
	return &s.Steps[0].Expect
}

func TestMatch(t *testing.T) {
	tests := []struct {
		want, got string
		diff      []string // "path: want W, got G"; none when it matches
	}{
		{`1`, `1.0`, nil},
		{`1`, `"1"`, []string{`json: want 1, got "1"`}},
		{`"6109"`, `6109`, []string{`json: want "6109", got 6109`}},
		{`true`, `true`, nil},
		{`null`, `null`, nil},
		{`null`, `0`, []string{`json: want null, got 0`}},
		{`{ a: 1 }`, `{"a":1,"b":2}`, nil},
		{`{ a: 1, b: { c: 2 } }`, `{"a":2,"b":{}}`, []string{"json.a: want 1, got 2", "json.b.c: want 2, got nothing: there is no such member"}},
		{`{ a: null }`, `{}`, []string{"json.a: want null, got nothing: there is no such member"}},
		{`{}`, `[]`, []string{"json: want an object, got []"}},
		{`{}`, `null`, []string{"json: want an object, got null"}},
		{`[1, { a: x }]`, `[1,{"a":"x","b":1}]`, nil},
		{`[1]`, `[1,2]`, []string{"json: want an array of 1, not of 2, got [1,2]"}},
		{`[1, 2]`, `[1,3]`, []string{"json[1]: want 2, got 3"}},
		{`[]`, `{}`, []string{"json: want an array of 0, got {}"}},
		{`"/^6109/"`, `"6109.10"`, nil},
		{`"/^6109/"`, `610910`, nil},
		{`"/^6109/"`, `"6110"`, []string{`json: want a text like /^6109/, got "6110"`}},
		{`"/a/"`, `true`, []string{`json: want a text like /a/, got true`}},
		{`"/^{{ vars.dot }}$/"`, `"x"`, []string{`json: want a text like /^\.$/, got "x"`}},
		{`"{{ vars.re }}"`, `"/a/"`, nil},
		{`"{{ vars.re }}"`, `"a"`, []string{`json: want "/a/", got "a"`}},
		{`">= 1"`, `1`, nil},
		{`"> 1"`, `1`, []string{"json: want a number > 1, got 1"}},
		{`"<= 1.5"`, `1.5`, nil},
		{`"<1.5"`, `1.5`, []string{"json: want a number < 1.5, got 1.5"}},
		{`">= 1"`, `"2"`, []string{`json: want a number >= 1, got "2"`}},
		{`"> {{ vars.n }}"`, `2`, []string{"json: want a number > 2, got 2"}},
		{`"!= 1"`, `1.0`, []string{"json: want anything but 1, got 1"}},
		{`"!= 1"`, `"1"`, []string{`json: want anything but 1, got "1"`}},
		{`"!= x"`, `"y"`, nil},
		{`"<html>"`, `"<html>"`, nil},
		{`$hscode`, `"6109.10"`, nil},
		{`$hscode`, `610910`, nil},
		{`$hscode`, `"6109"`, []string{`json: want an HS code of six digits or more: 6109 is too short: a code has six digits or more, got "6109"`}},
		{`$hscode`, `null`, []string{"json: want an HS code of six digits or more, got null"}},
		{`"$hscode US"`, `"6109100012"`, nil},
		{`"$hscode US"`, `6109100012`, nil},
		{`"$hscode US"`, `"6109100000"`, []string{`json: want a code that can be declared in US: 6109100000 is no line of HTS 2026: under 610910 there are 14, from 6109100004 to 6109100070, got "6109100000"`}},
		{`"$hscode {{ vars.dot }}"`, `"6109100012"`, []string{`json: want $hscode {{ vars.dot }} ("." is no country), got "6109100012"`}},
		{`"$hscode GB"`, `"6109100010"`, []string{`json: want a code that can be declared in GB: 6109100010 can't be judged: there is no schedule for GB, got "6109100010"`}},
		{`$any`, `0`, nil},
		{`$any`, `null`, []string{"json: want anything but null, got null"}},
		{`{ a: $any }`, `{}`, []string{"json.a: want $any, got nothing: there is no such member"}},
		{`$len 3`, `"äöü"`, nil},
		{`$len 2`, `{"a":1,"b":2}`, nil},
		{`$len >= 1`, `[]`, []string{"json: want length >= 1, got []"}},
		{`$len 1`, `1`, []string{"json: want length == 1, got 1"}},
		{`"$len {{ vars.n }}"`, `[1,2]`, nil},
		{`$eq $any`, `"$any"`, nil},
		{`$eq /a/`, `"a"`, []string{`json: want "/a/", got "a"`}},
		{`/hscode/classify`, `"/hscode/classify"`, nil},
		{`$5`, `"$5"`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.want+" "+tt.got, func(t *testing.T) {
			var got any
			require.NoError(t, json.Unmarshal([]byte(tt.got), &got))
			env := scenario.Env{Vars: map[string]any{"n": 2, "dot": ".", "re": "/a/"}, Res: answer(got)}
			var diff []string
			for _, m := range expecting(t, tt.want).Check(env, scenario.Usage{}) {
				diff = append(diff, m.String())
			}
			assert.Equal(t, tt.diff, diff)
		})
	}
}

func TestMatchTakesEveryNumber(t *testing.T) {
	e := expecting(t, `[5, "> 4", 5.0, "/^5$/"]`)
	for _, five := range []any{5, int64(5), 5.0, json.Number("5")} {
		assert.Empty(t, scenario.Match("json", e.JSON, []any{five, five, five, five}, scenario.Env{}), "%T", five)
	}
}

func TestCheckListsEverythingInTheFilesOrder(t *testing.T) {
	s := parse(t, `
version: 1
name: x
steps:
  - request: GET /a
    expect:
      calls: 2
      spend: 1
      status: [201, 4xx]
      headers: { Content-Type: "/^text/", X-Id: $any, Content-type2: x }
      json: { n: "> 5" }
      assert: [ "res.json.n == 6", "res.status == 200" ]
`)
	e := &s.Steps[0].Expect
	env := scenario.Env{Res: answer(map[string]any{"n": 5.0})}
	var got []string
	for _, m := range e.Check(env, scenario.Usage{Spend: 0, Calls: 3}) {
		got = append(got, fmt.Sprintf("%d %s", m.Pos.Line, m))
	}
	assert.Equal(t, []string{
		"7 calls: want 2, got 3",
		"8 spend: want 1, got 0",
		"9 status: want 201 or 4xx, got 200",
		`10 headers.content-type: want a text like /^text/, got "application/json"`,
		"10 headers.x-id: want $any, got nothing: there is no such header",
		`10 headers.content-type2: want "x", got nothing: there is no such header`,
		"11 json.n: want a number > 5, got 5",
		"12 assert: want res.json.n == 6, got false, where res.json.n = 5",
	}, got)
	assert.Empty(t, e.Check(scenario.Env{}, scenario.Usage{Spend: 1, Calls: 2}), "without an answer only the usage is compared")
}
