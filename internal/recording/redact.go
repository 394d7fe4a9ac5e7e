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

// body redacts a body. JSON loses its white space and keeps everything else. What is no
// text stays: with a mark in it nobody could unpack it, so it is for quarantine.
func (r *redactor) body(raw []byte, part string, note func(string)) (text []byte, json bool) {
	switch {
	case isJSON(raw):
		return r.json(raw, func(at string) { note(part + ".json" + at) }), true
	case !utf8.Valid(raw):
		return bytes.Clone(raw), false
	}
	text, names := r.text(raw)
	if len(names) > 0 {
		note(part + ".body")
	}
	return bytes.Clone(text), false
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
