package scenario

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Usage is what a step used, as the guard counted it.
type Usage struct {
	// Spend is units spent, or that would have been spent.
	Spend int
	// Calls is requests seen.
	Calls int
}

// Check compares everything that e expects with the answer in env.Res, and
// with what the step used, and lists the differences in the order of the file.
// Without an answer (env.Res is nil) only spend and calls are compared.
func (e *Expect) Check(env Env, used Usage) []Mismatch {
	var out []Mismatch
	if env.Res != nil {
		out = e.answer(env)
	}
	for _, c := range []struct {
		path string
		want *Int
		got  int
	}{{"spend", e.Spend, used.Spend}, {"calls", e.Calls, used.Calls}} {
		if c.want != nil && c.want.Value != c.got {
			out = append(out, Mismatch{Path: c.path, Want: strconv.Itoa(c.want.Value), Got: strconv.Itoa(c.got), Pos: c.want.Pos})
		}
	}
	slices.SortStableFunc(out, func(a, b Mismatch) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return out
}

// answer compares what e expects of the answer.
func (e *Expect) answer(env Env) []Mismatch {
	var out []Mismatch
	if e.Status != nil && !e.Status.Matches(env.Res.Status) {
		out = append(out, Mismatch{Path: "status", Want: e.Status.String(), Got: strconv.Itoa(env.Res.Status), Pos: e.Status.Pos})
	}
	for _, h := range e.Headers {
		path := "headers." + strings.ToLower(h.Name)
		got, ok := env.Res.Headers[strings.ToLower(h.Name)]
		if !ok {
			out = append(out, Mismatch{Path: path, Want: h.Value.describe(h.Value), Got: "nothing: there is no such header", Pos: h.Value.Pos})
			continue
		}
		out = append(out, Match(path, h.Value, got, env)...)
	}
	if e.JSON != nil {
		out = append(out, Match("json", e.JSON, env.Res.JSON, env)...)
	}
	for _, a := range e.Assert {
		ok, err := a.Test(env)
		switch {
		case err != nil:
			out = append(out, Mismatch{Path: "assert", Want: a.Text, Got: err.Error(), Pos: a.Pos})
		case !ok:
			got := "false"
			if why := a.Explain(env); len(why) > 0 {
				got += ", where " + strings.Join(why, ", ")
			}
			out = append(out, Mismatch{Path: "assert", Want: a.Text, Got: got, Pos: a.Pos})
		}
	}
	return out
}
