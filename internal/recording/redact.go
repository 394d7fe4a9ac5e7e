package recording

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/secret"
)

// Secret is a value that must never be written to a recording: a name for the
// mark that takes its place, and the value, of 6 characters at least.
type Secret = secret.Secret

// headers whose value is a credential as a whole.
var secretHeaders = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"}

// redactor replaces secrets, and tokens of any kind, by marks.
type redactor struct{ find *secret.Finder }

func newRedactor(secrets []Secret) (*redactor, error) {
	find, err := secret.NewFinder(secrets...)
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	return &redactor{find.Tokens()}, nil
}

// join searches for what either searches for.
func (r *redactor) join(other *redactor) *redactor { return &redactor{r.find.With(other.find)} }

// text returns t with its secrets replaced and their names. Without any it is t
// itself.
func (r *redactor) text(t []byte) ([]byte, []string) { return r.find.Redact(t) }

// leaks names the secrets and tokens that t still holds, in order and each once.
// It undoes what redaction does not, encodings within encodings and compression:
// that must say what it replaced, this only that something is there.
func (r *redactor) leaks(t []byte) []string { return r.find.Names(t) }

// str redacts a text and tells note where, if there was anything.
func (r *redactor) str(s, where string, note func(string)) string {
	in := []byte(s)
	out, names := r.text(in)
	if len(names) > 0 {
		note(where)
	}
	if len(out) == len(in) && (len(in) == 0 || &out[0] == &in[0]) {
		return s
	}
	return string(out)
}

// header redacts a header of its own. Credentials go as a whole.
func (r *redactor) header(h http.Header, part string, note func(string)) http.Header {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		where := part + ".headers." + name
		for i, v := range h[name] {
			if !slices.Contains(secretHeaders, name) {
				h[name][i] = r.str(v, where, note)
				continue
			}
			if !secret.IsMark(v) {
				h[name][i] = secret.TokenMark(strings.ToLower(name), v)
			}
			note(where)
		}
	}
	return h
}

// body redacts a body. The node is nil when it is not JSON; JSON loses its white
// space and keeps everything else. What is no text stays: with a mark in it
// nobody could unpack it, so it is for quarantine.
func (r *redactor) body(raw []byte, part string, note func(string)) (*node, []byte) {
	n, ok := parseJSON(raw)
	if !ok && !utf8.Valid(raw) {
		return nil, bytes.Clone(raw)
	}
	if !ok {
		text, names := r.text(raw)
		if len(names) > 0 {
			note(part + ".body")
		}
		return nil, bytes.Clone(text)
	}
	r.node(&n, nil, func(at *step) { note(part + ".json" + at.String()) })
	return &n, n.append(make([]byte, 0, len(raw)))
}

// step is a place within a body; its text is only made for a finding.
type step struct {
	up *step
	in *node
	i  int
}

// String is dotted, such as .items.0.name; the body itself is empty.
func (s *step) String() string {
	if s == nil {
		return ""
	}
	return s.up.String() + "." + s.in.child(s.i)
}

func (r *redactor) node(n *node, at *step, note func(*step)) {
	for i := range n.items {
		here := step{up: at, in: n, i: i}
		if n.kind == '{' {
			text, found := r.literal(n.names[i], '"')
			n.names[i] = text
			if found {
				note(&here)
			}
		}
		r.node(&n.items[i], &here, note)
	}
	if n.kind != '"' && n.kind != 0 {
		return
	}
	text, found := r.literal(n.text, n.kind)
	if found {
		note(at)
		n.kind = '"' // a number's mark needs quotes
	}
	n.text = text
}

// literal redacts a spelled string or number; what it finds makes it a string.
// The search sees the string's value, so that JSON within JSON is searched too.
func (r *redactor) literal(spelling []byte, kind byte) ([]byte, bool) {
	value := spelling
	if kind == '"' {
		value = spelling[1 : len(spelling)-1]
		if bytes.IndexByte(value, '\\') >= 0 {
			value = []byte(unquote(spelling))
		}
	}
	text, names := r.text(value)
	if len(names) == 0 && bytes.Equal(text, value) {
		return spelling, false
	}
	return canonicalString(nil, string(text)), len(names) > 0
}
