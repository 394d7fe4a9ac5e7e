package recording

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Request is a request as the store sees it.
type Request struct {
	// Environment and API say which service was asked, such as sandbox and
	// current. Requests to two of them never share a recording.
	Environment, API string
	// Operation names the folder, such as "POST /hscode/classify". It is not
	// part of the key: an operation may be renamed.
	Operation string
	Method    string
	// Path is escaped, as on the wire, and Query raw, without its question mark.
	Path, Query string
	Header      http.Header
	Body        []byte
}

// Inputs is what a key is made of, without secrets.
type Inputs struct {
	Method      string `json:"method"`
	Environment string `json:"environment"`
	API         string `json:"api"`
	Path        string `json:"path"`
	// Query is sorted by name; values of one name keep their order.
	Query string `json:"query"`
	// BodySHA256 is of the canonical body without ignored fields, or of the
	// bytes of a body that has no canonical form, out of its Content-Encoding.
	BodySHA256 string `json:"body_sha256"`
	// Headers holds those of the headers that count which the request had.
	Headers map[string][]string `json:"headers,omitempty"`
}

// Key names a request. It comes from [Store.Key], which also takes the secrets
// out of the request it carries.
type Key struct {
	// Sum is the SHA-256 of the canonical inputs in hexadecimal.
	Sum string
	// Operation is the request's, and Inputs are what Sum was made of.
	Operation  string
	Inputs     Inputs
	request    Message
	redactions []string
}

// shortLen is how many digits of a key name its file.
const shortLen = 12

func (k Key) short() string { return k.Sum[:min(shortLen, len(k.Sum))] }

// counted is what counts of the values of a header that tells requests apart.
func counted(name string, values []string) []string {
	if name == acceptLanguage {
		return languages(values)
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.TrimSpace(v)
	}
	return out
}

// Body is what the request says, without secrets and out of its Content-Encoding.
func (k Key) Body() []byte { return k.request.Body }

func (k Key) folder() string { return slug(k.Operation) }

// Key takes the secrets out of r and returns the key of what is left. r is not
// changed or kept.
func (s *Store) Key(r Request) Key {
	k := Key{Operation: r.Operation, Inputs: Inputs{Method: r.Method, Environment: r.Environment, API: r.API}}
	note := func(where string) { k.redactions = append(k.redactions, where) }
	k.Inputs.Path = s.redact.str(utf8Text(r.Path), "key_inputs.path", note)
	k.Inputs.Query = s.redact.query(utf8Text(r.Query), "key_inputs.query", note)
	for _, name := range s.headers {
		for _, v := range counted(name, r.Header.Values(name)) {
			if k.Inputs.Headers == nil {
				k.Inputs.Headers = make(map[string][]string)
			}
			v = s.redact.str(utf8Text(v), "key_inputs.headers."+name, note)
			k.Inputs.Headers[name] = append(k.Inputs.Headers[name], v)
		}
	}
	text, json := s.redact.body(s.unpacked(r.Header, r.Body), "request", note)
	k.Inputs.BodySHA256 = digest(s.canonicalBody(text, json))
	k.request = Message{Header: s.requestHeader(r.Header, note), Body: text}
	k.Sum = k.Inputs.sum()
	return k
}

// sum is the SHA-256 of the canonical form of i, written without a detour: its
// members in RFC 8785's order, headers only if there are any.
func (i Inputs) sum() string {
	b := make(inputsText, 0, 512)
	b = b.member(`{"api":`, i.API)
	b = b.member(`,"body_sha256":`, i.BodySHA256)
	b = b.member(`,"environment":`, i.Environment)
	if len(i.Headers) > 0 {
		// Header names are ASCII: bytes sort them like UTF-16 does.
		sep := `,"headers":{`
		for _, name := range slices.Sorted(maps.Keys(i.Headers)) {
			b = b.member(sep, name)
			sep = ":["
			for _, v := range i.Headers[name] {
				b = b.member(sep, v)
				sep = ","
			}
			b = append(b, ']')
			sep = ","
		}
		b = append(b, '}')
	}
	b = b.member(`,"method":`, i.Method)
	b = b.member(`,"path":`, i.Path)
	b = b.member(`,"query":`, i.Query)
	return digest(append(b, '}'))
}

// inputsText is the canonical form of [Inputs] while it is written.
type inputsText []byte

func (b inputsText) member(name, value string) inputsText {
	return canonicalString(append(b, name...), value)
}

// utf8Text spells bytes that are no UTF-8 as percent escapes, which is what they
// are on the wire: JSON would make them all alike.
func utf8Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		if c == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// canonicalBody is what counts of a redacted body: its canonical form without
// ignored fields, or the text where it is no JSON or has none.
func (s *Store) canonicalBody(text []byte, json bool) []byte {
	if json {
		if out, ok := canonicalOf(text, s.ignore); ok {
			return out
		}
	}
	return text
}

// keptHeaders are the request headers that a recording shows besides those that
// count. The others say who asked, when and by which client.
var keptHeaders = []string{"Accept", "Content-Type"}

func (s *Store) requestHeader(h http.Header, note func(string)) http.Header {
	kept := make(http.Header)
	for _, names := range [][]string{keptHeaders, s.headers} {
		for _, name := range names {
			if v := h.Values(name); len(v) > 0 {
				kept[name] = slices.Clone(v)
			}
		}
	}
	return s.redact.header(kept, "request", note)
}

// query redacts a raw query, sorts its pairs by name and spells each escape one
// way. It keeps what url.ParseQuery drops or merges: a bad escape, a semicolon,
// and the difference between a and a=.
func (r *redactor) query(raw, where string, note func(string)) string {
	if raw == "" {
		return ""
	}
	found := false
	respell := func(s string) string {
		// As it came first: a plus is a space only to those who escape.
		s = r.str(s, where, func(string) { found = true })
		// What is no escape stays: url's spelling never holds a bad one, so the
		// two can't meet.
		plain, err := url.QueryUnescape(s)
		if err != nil {
			plain = s
		}
		text, names := r.text([]byte(plain))
		found = found || len(names) > 0
		if err != nil {
			return string(text)
		}
		// Escaped like everything else, a mark is found again and stays readable.
		text, _ = r.text([]byte(url.QueryEscape(string(text))))
		return string(text)
	}
	pairs := strings.Split(raw, "&")
	pairs = slices.DeleteFunc(pairs, func(p string) bool { return p == "" })
	for i, p := range pairs {
		name, value, given := strings.Cut(p, "=")
		pairs[i] = respell(name)
		if given {
			pairs[i] += "=" + respell(value)
		}
	}
	if found {
		note(where)
	}
	slices.SortStableFunc(pairs, func(a, b string) int {
		a, _, _ = strings.Cut(a, "=")
		b, _, _ = strings.Cut(b, "=")
		return strings.Compare(a, b)
	})
	return strings.Join(pairs, "&")
}

// slug makes a folder name of an operation: lower-case letters, digits and
// hyphens, at most 60 of them, and never a name that Windows keeps for itself.
func slug(operation string) string {
	const most = 60
	var b strings.Builder
	b.Grow(min(len(operation), most))
	for _, c := range strings.ToLower(operation) {
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == most {
			break
		}
	}
	name := strings.Trim(b.String(), "-")
	switch {
	case name == "":
		return "operation"
	case name == "con" || name == "prn" || name == "aux" || name == "nul",
		len(name) == 4 && (strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")):
		return name + "-operation"
	}
	return name
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}
