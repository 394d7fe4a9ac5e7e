package mockidp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The two parsers here see what anybody sends, and have no exported name.

func TestParseForm(t *testing.T) {
	for body, want := range map[string]form{
		"":                           {},
		"a=b&a=c&A=d":                {"a": "b"},
		"a":                          {"a": ""},
		"a=b=c&;d=e;f":               {"a": "b=c", ";d": "e;f"},
		"a=%zz%4&b=%":                {"a": "%zz%4", "b": "%"},
		"a=%2b+%20%C3%a9":            {"a": "+  é"},
		"%41=1":                      {"a": "1"},
		"a=%C3&b=%C3%41&c=%A9":       {"a": "%C3", "b": "%C3A", "c": "%A9"},
		"a=%F0%9F%98%80&b=%ED%A0%80": {"a": "😀", "b": "%ED%A0%80"},
		"a=b c&&=":                   {"a": "b c", "": ""},
		"a=\xff":                     {"a": "\uFFFD"},
	} {
		got, err := parseForm(body)
		require.NoError(t, err, body)
		assert.Equal(t, want, got, body)
	}
	for _, body := range []string{"a=%00", "%00", "a=b%00c"} {
		_, err := parseForm(body)
		assert.ErrorIs(t, err, errNull, body)
	}
}

func TestIsForm(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for text, want := range map[string]bool{
		form: true, form + ";": true, form + " ; ": true, form + "; charset": true, form + ";charset;a": true, form + "; charset =\tutf-8": true,
		form + "; charset=": true, form + "; a=\"b;c\\\"\"": true, form + ";a;a": true, form + "; a=\"b\\\"": true, "Application / X-WWW-Form-Urlencoded": true,
		"": false, "application": false, "application/": false, "/x-www-form-urlencoded": false, form + "x": false, form + "; a=b c": false,
		form + ";;": false, form + "; =a": false, form + "; a=\"b": false, form + ",": false, "," + form: false,
		form + " a": false, form + "; a=(": false, form + "; charset=}": false, form + "é": false, form + "; a=é": false, "text/" + form: false,
	} {
		assert.Equal(t, want, isForm(text), "%q", text)
	}
}

// FuzzIsForm checks that what package mime reads as a form's type, is read so here too.
func FuzzIsForm(f *testing.F) {
	for _, seed := range []string{"", "; charset=utf-8", "; a=\"b\\c\"", ";a", "; a*0=b"} {
		f.Add("application/x-www-form-urlencoded" + seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		media, _, err := mime.ParseMediaType(text)
		for _, r := range text {
			if r != '\t' && (r < ' ' || r >= 0x7F) || r == '{' || r == '}' {
				isForm(text) // which no header has; of braces RFC 2616 makes no token, and package mime does
				return
			}
		}
		if err == nil && media == "application/x-www-form-urlencoded" && !isForm(text) {
			t.Fatalf("%q is a form's type", text)
		}
	})
}

// FuzzForm checks that no body breaks the parser, and that one that Go's own
// encoder wrote comes back whole.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"grant_type=client_credentials&scope=a+b", "a=%00", "%", "a=%zz&b;c", "%C3=%ED%A0%80", "A=1&a=2", "a&b", "=&==", "grant_type"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		parsed, err := parseForm(key + "=" + value)
		if err == nil {
			for k, v := range parsed {
				if !utf8.ValidString(k) || !utf8.ValidString(v) {
					t.Fatalf("%q: %q is not UTF-8", k, v)
				}
			}
		}
		if !utf8.ValidString(key) || !utf8.ValidString(value) || strings.ContainsRune(key+value, 0) ||
			3*len(key) > maxFormKey || len(value) > maxFormValue/3 {
			return
		}
		parsed, err = parseForm(url.Values{key: {value}}.Encode())
		if got, ok := parsed[strings.ToLower(key)]; err != nil || !ok || got != value {
			t.Fatalf("%q=%q came back as %q, %v", key, value, parsed, err)
		}
	})
}

// FuzzBasic checks that no header breaks the parser, that what it finds is
// within the limits, and that well-formed credentials come back whole.
func FuzzBasic(f *testing.F) {
	for _, seed := range []string{"id", "a b+c%:", "é😀", "", "%00", strings.Repeat("x", 101)} {
		f.Add(seed, "secret")
		f.Add("id", seed)
	}
	f.Fuzz(func(t *testing.T, id, secret string) {
		for _, raw := range []string{id, "Basic " + secret, "basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))} {
			if c := basicCredentials(raw); chars(c.id) > maxID || chars(c.secret) > maxSecret {
				t.Fatalf("%q: %+v is too long", raw, c)
			}
		}
		if !utf8.ValidString(id) || !utf8.ValidString(secret) {
			return
		}
		encodedID, encodedSecret := url.QueryEscape(id), url.QueryEscape(secret)
		if encodedID == "" || len(encodedID) > maxID || len(encodedSecret) > maxSecret {
			return
		}
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(encodedID, encodedSecret)
		if c := basicCredentials(r.Header.Get("Authorization")); c != (credentials{id, secret}) {
			t.Fatalf("%q:%q came back as %+v", id, secret, c)
		}
	})
}

// FuzzString checks that any text is written as one JSON string in ASCII that
// reads back the same.
func FuzzString(f *testing.F) {
	for _, seed := range []string{"a+b", "\\ \"\b\f\n\r\t\x00\x1f\x7f", "é😀\u2028\uFFFF", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		written := appendString(nil, text)
		var read string
		if err := json.Unmarshal(written, &read); err != nil || read != string([]rune(text)) {
			t.Fatalf("%q is written %s and read %q, %v", text, written, read, err)
		}
		if i := bytes.IndexFunc(written, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
			t.Fatalf("%s has a character that must be escaped at %d", written, i)
		}
	})
}

// FuzzVerify checks that no token breaks the check of tokens.
func FuzzVerify(f *testing.F) {
	s, err := New(Config{})
	require.NoError(f, err)
	token, err := s.Mint(Claims{})
	require.NoError(f, err)
	f.Add(token)
	f.Add("a.b.c")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.verify(text)
		if (err == nil) != (got != nil) {
			t.Fatalf("%v, %v", got, err)
		}
	})
}
