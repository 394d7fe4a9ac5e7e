package mockidp

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Limits of the mirrored server's platform, ASP.NET Core.
const (
	maxBody      = 30_000_000 // bytes, then 413
	maxFormCount = 1024       // values, then 500; so for the next two
	maxFormKey   = 2048       // bytes, still encoded
	maxFormValue = 4 << 20    // bytes, still encoded
)

// Limits of the mirrored server's inputs, in UTF-16 code units. The limit
// itself is allowed.
const (
	maxID        = 100
	maxSecret    = 100
	maxGrantType = 100
	maxScope     = 300
	maxGrant     = 100 // a refresh token, a code
	maxJWT       = 51200
)

var (
	errNull       = errors.New("a form with a null character")
	errFormLimits = errors.New("a form over the platform's limits")
)

// form is a urlencoded body: each key in lower case with its first value.
type form map[string]string

// parseForm reads a urlencoded body as ASP.NET Core does, which is not how
// net/url does it: keys match in any case, the first of several values counts,
// a semicolon is a character like any other and a broken escape stays as it
// is.
func parseForm(body string) (form, error) {
	f := form{}
	for n := 1; body != ""; n++ {
		var pair string
		pair, body, _ = strings.Cut(body, "&")
		key, value, _ := strings.Cut(pair, "=")
		if n > maxFormCount || len(key) > maxFormKey || len(value) > maxFormValue {
			return nil, errFormLimits
		}
		key, null1 := unescape(key)
		value, null2 := unescape(value)
		if null1 || null2 {
			return nil, errNull
		}
		key = strings.ToLower(key)
		if _, ok := f[key]; !ok {
			f[key] = value
		}
	}
	return f, nil
}

// get returns a parameter's value, or "" when it is absent or blank.
func (f form) get(key string) string {
	if v := f[key]; !isMissing(v) {
		return v
	}
	return ""
}

// isPlain tells whether the keys look like those of a form: JSON and other texts that are
// sent as one have all that they say in what reads as a key.
func (f form) isPlain() bool {
	for key := range f {
		if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`{}<>"`, r) }) {
			return false
		}
	}
	return true
}

// unescape decodes + and %XX. An escape that is broken, or that is not part of
// well-formed UTF-8, stays as it is. null tells that there was a %00.
func unescape(s string) (decoded string, null bool) {
	if !strings.ContainsAny(s, "+%") {
		return strings.ToValidUTF8(s, "\uFFFD"), false
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		switch s[i] {
		case '+':
			b = append(b, ' ')
			i++
		case '%':
			char, n := escaped(s[i:])
			null = null || n > 0 && char[0] == 0
			if n == 0 {
				b = append(b, '%')
				i++
				continue
			}
			b = append(b, char...)
			i += n
		default:
			b = append(b, s[i])
			i++
		}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), null
}

// escaped decodes the one UTF-8 character whose escapes s begins with, and
// tells how many bytes of s they are: 0 when there is none.
func escaped(s string) (char []byte, n int) {
	for n+2 < len(s) && s[n] == '%' && len(char) < utf8.UTFMax {
		high, low := unhex(s[n+1]), unhex(s[n+2])
		if high < 0 || low < 0 {
			break
		}
		char = append(char, byte(high<<4|low))
		n += 3
		if utf8.FullRune(char) {
			if r, size := utf8.DecodeRune(char); r != utf8.RuneError || size > 1 {
				return char, n
			}
			return nil, 0
		}
	}
	return nil, 0
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// isMissing tells whether a value counts as absent.
func isMissing(s string) bool { return strings.TrimSpace(s) == "" }

// chars is the length of s as .NET counts it, in UTF-16 code units.
func chars(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}
