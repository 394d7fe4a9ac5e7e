package recording

import (
	"bytes"
	"fmt"
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
	s, names := r.find.RedactText(s)
	if len(names) > 0 {
		note(where)
	}
	return s
}

// header redacts a header of its own. Credentials go as a whole.
func (r *redactor) header(h http.Header, part string, note func(string)) http.Header {
	var room [8]string // enough for most
	names := room[:0]
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		whole := slices.Contains(secretHeaders, name)
		for i, v := range h[name] {
			clean, found := v, []string(nil)
			switch {
			case !whole:
				clean, found = r.find.RedactText(v)
			case !secret.IsMark(v):
				clean = secret.TokenMark(strings.ToLower(name), v)
			}
			h[name][i] = clean
			if whole || len(found) > 0 {
				note(part + ".headers." + name)
			}
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
	for _, at := range r.node(&n) {
		note(part + ".json" + at)
	}
	return &n, n.append(make([]byte, 0, len(raw)))
}

// node redacts a value, and tells where within it there was anything: dotted, such as
// .items.0.name; the value itself is empty.
func (r *redactor) node(n *node) (found []string) {
	for i := range n.items {
		if n.kind == '{' {
			text, here := r.literal(n.names[i], '"')
			n.names[i] = text
			if here {
				found = append(found, "."+n.child(i))
			}
		}
		for _, at := range r.node(&n.items[i]) {
			found = append(found, "."+n.child(i)+at)
		}
	}
	if n.kind != '"' && n.kind != 0 {
		return found
	}
	text, here := r.literal(n.text, n.kind)
	if here {
		found = append(found, "")
		n.kind = '"' // a number's mark needs quotes
	}
	n.text = text
	return found
}

// literal redacts a spelled string or number; what it finds makes it a string.
// The search sees the string's value, so that JSON within JSON is searched too.
func (r *redactor) literal(spelling []byte, kind byte) ([]byte, bool) {
	meant := spelling
	if kind == '"' {
		meant = value(spelling)
	}
	text, names := r.text(meant)
	if len(names) == 0 && bytes.Equal(text, meant) {
		return spelling, false
	}
	return canonicalString(nil, text), len(names) > 0
}
