package scenario

import (
	"maps"
	"slices"
	"strings"
)

// titles is how a message calls a map of the format. Others have their key's
// name.
var titles = map[string]string{"scenario": "the file", "step": "a step", "fault": "a fault"}

func title(kind string) string {
	if t, ok := titles[kind]; ok {
		return t
	}
	return kind
}

// synonyms are words that other test runners use for what a key of ours does.
var synonyms = map[string]string{
	"desc": "why", "description": "why", "reason": "why", "title": "name", "labels": "tags", "env": "vars", "variables": "vars",
	"cases": "matrix", "testcases": "steps", "stages": "steps", "tests": "steps", "defer": "finally", "cleanup": "finally", "teardown": "finally", "after": "finally",
	"req": "request", "http": "request", "url": "request", "run": "exec", "cmd": "exec", "shell": "exec", "data": "body", "payload": "body",
	"response": "expect", "res": "expect", "check": "expect", "test": "expect", "retries": "retry", "until": "on", "delay": "interval", "wait": "clock", "sleep": "clock",
	"captures": "capture", "save": "capture", "extract": "capture", "bind": "capture", "store": "capture",
	"assertions": "assert", "asserts": "assert", "code": "status", "body": "json", "cost": "spend", "count": "max",
}

// within lists the maps that stand in a map, the likeliest first.
var within = map[string][]string{
	"scenario": {"quota", "step"},
	"step":     {"expect", "retry", "token", "exec", "fault"},
	"token":    {"client"},
}

// unknownKey reports a key that a map does not have: what was probably meant,
// where the key belongs, or which keys there are. It returns the key that it was
// misspelt for, or "".
func (d *decoder) unknownKey(e entry, kind string) (misspelt string) {
	known := keys[kind]
	if meant := synonyms[strings.ToLower(e.key)]; slices.Contains(known, meant) {
		d.suggest(e.pos, meant, "unknown key %q", e.key)
		return ""
	}
	if meant := d.nearest(e.key, known); meant != "" {
		d.suggest(e.pos, meant, "unknown key %q", e.key)
		return meant
	}
	if slices.Contains(keys["step"], e.key) && kind != "scenario" {
		d.errorf(e.pos, "unknown key %q in %s: it belongs to the step itself", e.key, title(kind))
		return ""
	}
	if slices.Contains(keys["scenario"], e.key) {
		d.errorf(e.pos, "unknown key %q in %s: it belongs to the whole file", e.key, title(kind))
		return ""
	}
	for _, inner := range within[kind] {
		if slices.Contains(keys[inner], e.key) {
			d.errorf(e.pos, "unknown key %q in %s: it belongs to %s", e.key, title(kind), title(inner))
			return ""
		}
	}
	d.errorf(e.pos, "unknown key %q in %s, which has %s", e.key, title(kind), strings.Join(known, ", "))
	return ""
}

// spaceNames is how a message calls the names of each space of an expression.
var spaceNames = map[string]string{"vars": "variable", "matrix": "matrix axis", "capture": "capture", "row": "column"}

// unknownField reports a name that vars, matrix, capture or res has not.
func (d *decoder) unknownField(pos Pos, space, word string) {
	var known []string
	switch space {
	case "vars":
		known = d.scope.vars
	case "matrix":
		known = d.scope.matrix
	case "capture":
		if at, ok := d.scope.later[word]; ok {
			d.errorf(pos, "capture %q is not made yet: a step may use captures of earlier steps only, and this one stands in line %d", word, at.Line)
			return
		}
		known = slices.Sorted(maps.Keys(d.scope.captures)) // which takes long where there are thousands
	case "row":
		known = d.scope.data.Columns
	case "res":
		known = slices.Sorted(maps.Keys(resType))
	}
	meant, what := d.nearest(word, known), spaceNames[space]
	switch {
	case what == "" && (meant != "" || len(known) == 0):
		d.suggest(pos, meant, "%s has no field %q", space, word)
	case what == "":
		d.errorf(pos, "%s has no field %q: it has %s", space, word, strings.Join(known, ", "))
	case meant != "":
		d.suggest(pos, meant, "undefined %s %q", what, word)
	case len(known) > 0:
		d.errorf(pos, "undefined %s %q: there is %s", what, word, shorten(strings.Join(known, ", ")))
	case space == "capture":
		d.errorf(pos, "undefined capture %q: no step before this one captures anything", word)
	default:
		d.errorf(pos, "undefined %s %q: the file has no %s", what, word, space)
	}
}
