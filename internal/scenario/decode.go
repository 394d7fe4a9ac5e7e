package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/nearest"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/secret"
	"github.com/hsharness/hsharness/mockidp/control"
)

// keys lists the keys of every map of the format whose names are not the
// author's own. The JSON Schema is checked against it.
var keys = map[string][]string{
	"scenario":   {"version", "name", "why", "tags", "edition", "environment", "mode", "quota", "matrix", "vars", "weight", "required", "parallel", "steps", "finally"},
	"quota":      {"expected", "max"},
	"sample":     {"n", "seed"},
	"step":       {"id", "clock", "environment", "token", "request", "exec", "api", "headers", "body", "auth", "faults", "retry", "expect", "score", "capture"},
	"token":      {"scope", "client"},
	"client":     {"id", "secret"},
	"auth":       {"token"},
	"exec":       {"command", "timeout"},
	"retry":      {"max", "on", "interval"},
	"expect":     {"status", "headers", "json", "spend", "calls", "assert"},
	"score":      {"want", "at", "country", "by", "heading", "six", "among3", "legal", "confidence"},
	"gate":       {"min", "lower"},
	"confidence": {"over", "at", "min", "lower"},
	"fault": {"on", "client", "scope", "nth", "times", "probability", "seed", "always", "after",
		"latency", "status", "headers", "body", "drop", "truncate", "malformed_json", "content_type", "token"},
}

// name is what variables, axes and captures may be called: what an expression
// can follow a dot with.
var name = pattern.New(`^[A-Za-z_][A-Za-z0-9_]*$`)

// decoder reads one file and collects what is wrong with it.
type decoder struct {
	file  string
	opens Open // nil opens nothing
	lines []string
	// walked are the characters of the lines that were looked at, by their number.
	walked   map[int]*characters
	excerpts *excerpts
	errs     Errors
	more     int // errors that are not told
	scope    scope
	clock    control.Clock // moved as the steps would move it
}

func (d *decoder) errorf(pos Pos, format string, args ...any) {
	d.suggest(pos, "", format, args...)
}

// maxErrors is how many errors of a file are told, and how many there are besides: each
// is shown with its line, which may be the whole file.
const maxErrors = 500

// suggest reports an error with what was probably meant, which may be empty.
func (d *decoder) suggest(pos Pos, suggestion, format string, args ...any) {
	if d.full() {
		d.more++
		return
	}
	d.tell(&Error{File: d.file, Pos: pos, Msg: fmt.Sprintf(format, args...), Suggestion: suggestion, Source: lineAt(d.lines, pos.Line), excerpt: d.excerpts})
}

// full tells that no more errors are told.
func (d *decoder) full() bool { return len(d.errs) >= maxErrors }

// tell reports an error of this file, or of its data.
func (d *decoder) tell(e *Error) {
	if d.full() {
		d.more++
		return
	}
	e.Msg = secret.MaskText(e.Msg) // which may have text of the file in it
	d.errs = append(d.errs, e)
}

// nearest is which of the known words was probably meant, or "": nobody asks where it is
// not told.
func (d *decoder) nearest(word string, known []string) string {
	if d.full() {
		return ""
	}
	return nearest.Word(word, known)
}

// fields returns the entries of a map by key, after it reported those that are
// not in the table of that kind. It is nil when n is no map.
func (d *decoder) fields(n *node, kind string) map[string]entry {
	if !d.is(n, Map, title(kind)) {
		return nil
	}
	out := make(map[string]entry, len(n.entries))
	for _, e := range n.entries {
		if !slices.Contains(keys[kind], e.key) {
			// What was meant is read as that, so that what is wrong within it is
			// said at once, too.
			if e.key = d.unknownKey(e, kind); e.key == "" {
				continue
			}
			if _, taken := out[e.key]; taken || n.has(e.key) {
				continue
			}
		}
		out[e.key] = e
	}
	return out
}

// has tells whether a map has a key.
func (n *node) has(key string) bool {
	return slices.ContainsFunc(n.entries, func(e entry) bool { return e.key == key })
}

// kindNames is how a message asks for a kind.
var kindNames = map[Kind]string{Bool: "true or false", Number: "a number", String: "a text", List: "a list", Map: "a map"}

// is reports an error unless n is of that kind. A nil n was reported before.
func (d *decoder) is(n *node, kind Kind, what string) bool {
	switch {
	case n == nil:
		return false
	case n.kind == kind:
		return true
	case kind == String && (n.kind == Number || n.kind == Bool):
		d.errorf(n.pos, "%s must be a text, not %s: quote it", what, n.describe())
	case kind == String && n.kind == Map:
		d.errorf(n.pos, `%s must be a text, not a map: quote it if it holds ": "`, what)
	default:
		d.suggest(n.pos, n.meant(kind), "%s must be %s, not %s%s", what, kindNames[kind], n.describe(), n.remedy(kind))
	}
	return false
}

// meant is what a text stands for that should be of another kind, or "".
func (n *node) meant(kind Kind) string {
	switch {
	case n.kind != String:
	case kind == Bool && slices.Contains([]string{"yes", "on", "y"}, strings.ToLower(n.text)):
		return "true"
	case kind == Bool && slices.Contains([]string{"no", "off", "n"}, strings.ToLower(n.text)):
		return "false"
	}
	return ""
}

// remedy says how to write the kind that was wanted.
func (n *node) remedy(kind Kind) string {
	switch {
	case kind == Number && n.kind == String && jsonNumber.MatchString(n.text):
		return ": write it without quotes"
	case kind == Map && n.kind == String && n.style == plain && wordOrColon(n.text):
		return ": a colon needs a space after it"
	case kind == Map && n.kind == Null:
		return ": what belongs to it stands below, further to the right"
	case kind == List && n.kind == Map:
		return `: begin each item with "- "`
	case kind == List && n.kind != Null:
		return ": put it in [ ]"
	}
	return ""
}

// text reads a string that is no template, which may not be empty.
func (d *decoder) text(n *node, what string) string {
	if !d.is(n, String, what) {
		return ""
	}
	if strings.TrimSpace(n.text) == "" {
		d.errorf(n.pos, "%s must not be empty", what)
	}
	if at := strings.Index(n.text, "{{"); at >= 0 {
		d.errorf(d.at(n, at), "%s is no place for a template", what)
	}
	return n.text
}

// flag reads true or false.
func (d *decoder) flag(n *node, what string) bool {
	return d.is(n, Bool, what) && n.scalar.(bool)
}

// oneOf reads a word out of a list, or returns "".
func (d *decoder) oneOf(n *node, what string, words ...string) string {
	if !d.is(n, String, what) {
		return ""
	}
	if !slices.Contains(words, n.text) {
		d.suggest(n.pos, d.nearest(n.text, words), "unknown %s %q: it is one of %s", what, shorten(n.text), strings.Join(words, ", "))
		return ""
	}
	return n.text
}

// list returns the items of a list, or nil.
func (d *decoder) list(n *node, what string) []*node {
	if !d.is(n, List, what) {
		return nil
	}
	return n.items
}

// maxName is how long a name may be that the author chose.
const maxName = 100

// names returns the entries of a map whose keys the author chose, without
// those that no expression could name.
func (d *decoder) names(n *node, what string) []entry {
	if !d.is(n, Map, what) {
		return nil
	}
	var out []entry
	for _, e := range n.entries {
		if !name.MatchString(e.key) {
			d.errorf(e.pos, "%s: %q is no name: use letters, digits and _", what, shorten(e.key))
			continue
		}
		if len(e.key) > maxName {
			d.errorf(e.pos, "%s: a name of %d letters; it may have %d", what, len(e.key), maxName)
			continue
		}
		out = append(out, e)
	}
	return out
}

// constant reads a JSON value without templates.
func (d *decoder) constant(n *node, what string) any {
	switch {
	case n == nil:
		return nil
	case n.kind == String:
		if at := strings.Index(n.text, "{{"); at >= 0 {
			d.errorf(d.at(n, at), "%s is no place for a template", what)
		}
		return n.text
	case n.kind == List:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = d.constant(item, what)
		}
		return out
	case n.kind == Map:
		out := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			out[e.key] = d.constant(e.value, what)
		}
		return out
	default:
		return n.scalar
	}
}

// status reads 200, 2xx or a list of these.
func (d *decoder) status(n *node, what string) *Status {
	if n == nil {
		return nil
	}
	s := &Status{Pos: n.pos}
	items := []*node{n}
	if n.kind == List {
		items = n.items
	}
	if len(items) == 0 {
		d.errorf(n.pos, "%s must name at least one status", what)
	}
	for _, item := range items {
		r, ok := parseStatus(item.text)
		if !ok {
			d.errorf(item.pos, "%s: %s is no HTTP status: write 200, 2xx, or a list such as [200, 404]", what, item.describe())
			continue
		}
		s.ranges = append(s.ranges, r)
	}
	return s
}
