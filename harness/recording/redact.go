package recording

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Secret is a value that must never be written to a recording.
type Secret struct {
	// Name stands in the mark that takes the value's place, for example
	// client_secret: lower-case letters, digits, underscores, hyphens and dots.
	Name string
	// Value has at least 6 characters; a shorter one would be found everywhere.
	// White space around it and a leading "Bearer " or "Basic " don't count.
	Value string
}

// String is the name: a secret is never printed by accident.
func (s Secret) String() string { return s.Name }

// GoString is the name too.
func (s Secret) GoString() string { return s.Name }

const shortestSecret = 6

// headers whose value is a credential as a whole.
var secretHeaders = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"}

var (
	secretName = regexp.MustCompile(`^[a-z0-9_.-]+$`)
	// markForm is a mark as it is or as a query or a path spells it.
	markForm = regexp.MustCompile(`^(?:\{|%7[Bb]){2}secret(?::|%3[Aa])([a-z0-9_.-]+)(?:#|%23)([0-9a-f]+)(?:\}|%7[Dd]){2}`)
	// RFC 7519 §3: three base64url parts; the first is a JSON object, {" or {.
	jwtForm = regexp.MustCompile(`^eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*`)
	// RFC 6750 §2.1's b64token; 20 characters, because "bearer" is a word too.
	bearerForm = regexp.MustCompile(`^(?i:bearer)(?: |\+|%20)+([A-Za-z0-9._~+/-]{20,}=*)`)
)

// redactor replaces secrets by marks.
type redactor struct {
	needles []needle // longest first, so that a part never hides the whole
	first   [256]bool
}

func newRedactor(secrets []Secret) (*redactor, error) {
	r := &redactor{}
	var errs []error
	for _, s := range secrets {
		value := strings.TrimSpace(s.Value)
		for _, scheme := range []string{"Bearer ", "Basic "} {
			if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
				value = strings.TrimSpace(value[len(scheme):])
			}
		}
		switch {
		case !secretName.MatchString(s.Name):
			errs = append(errs, fmt.Errorf("recordings: secret name %q: want lower-case letters, digits, _ . -", s.Name))
		case utf8.RuneCountInString(value) < shortestSecret:
			errs = append(errs, fmt.Errorf("recordings: secret %s has %d characters, at least %d are needed to find it safely",
				s.Name, utf8.RuneCountInString(value), shortestSecret))
		case !utf8.ValidString(value):
			errs = append(errs, fmt.Errorf("recordings: secret %s is not UTF-8", s.Name))
		default:
			r.needles = append(r.needles, needles(s.Name, value)...)
		}
	}
	return r.ready(), errors.Join(errs...)
}

// join searches for what either searches for.
func (r *redactor) join(other *redactor) *redactor {
	return (&redactor{needles: slices.Concat(r.needles, other.needles)}).ready()
}

// ready prepares the search.
func (r *redactor) ready() *redactor {
	slices.SortStableFunc(r.needles, func(a, b needle) int { return len(b.text) - len(a.text) })
	for _, c := range []byte(`{%eBb\`) {
		r.first[c] = true // marks, escapes, tokens
	}
	for _, n := range r.needles {
		r.first[n.text[0]] = true
		switch n.text[0] {
		case '+':
			r.first['-'] = true
		case '/':
			r.first['_'] = true
		case ' ':
			r.first['+'] = true
		}
	}
	return r
}

// mark is what stands for a value. Named secrets show 16 bits of their hash,
// which tell two of them apart and say nearly nothing about them; found tokens
// are many and not guessable, and show 48.
func mark(name, value string, digits int) string {
	return "{{secret:" + name + "#" + digest([]byte(value))[:digits] + "}}"
}

const (
	namedDigits = 4
	tokenDigits = 12
)

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
			if markForm.FindString(v) != v {
				h[name][i] = mark(strings.ToLower(name), v, tokenDigits)
			}
			note(where)
		}
	}
	return h
}

// body redacts a body. The node is nil when it is not JSON; JSON loses its white
// space and keeps everything else.
func (r *redactor) body(raw []byte, part string, note func(string)) (*node, []byte) {
	n, ok := parseJSON(raw)
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
