package recording_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/recording"
)

// tricky needs an escape in every encoding, and its base64 both special characters.
const tricky = "pä?ss>w/o+rd \"x\\ÿ~~"

const (
	jwt    = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
	opaque = "AB12cd34EF56gh78IJ90kl12"
)

// stored puts one exchange and returns its file's text.
func stored(t testing.TB, s *recording.Store, r recording.Request, take recording.Take) string {
	t.Helper()
	rec, err := s.Get(put(t, s, r, take))
	require.NoError(t, err)
	text, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	return string(text)
}

func everyByte(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

func escapedJSON(s string) string {
	text, _ := json.Marshal(s)
	return string(text[1 : len(text)-1])
}

func ascii(s string) string {
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return b.String()
}

func TestRedactsEveryEncoding(t *testing.T) {
	t.Parallel()
	secrets := []recording.Secret{{Name: "client_secret", Value: tricky}}
	body := func(text string) recording.Request { return classify(text) }
	encodings := map[string]string{
		"raw":                 tricky,
		"form":                url.QueryEscape(tricky),
		"percent":             url.PathEscape(tricky),
		"percent everywhere":  everyByte(tricky, "%%%02x"),
		"percent, upper case": everyByte(tricky, "%%%02X"),
		"JSON":                escapedJSON(tricky),
		"JSON, ASCII":         ascii(tricky),
		"base64":              base64.StdEncoding.EncodeToString([]byte(tricky)),
		"base64url":           base64.RawURLEncoding.EncodeToString([]byte(tricky)),
		"base64 in a form":    url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(tricky))),
		"Basic, 1 before":     base64.StdEncoding.EncodeToString([]byte("user" + tricky)),
		"Basic, 2 before":     base64.StdEncoding.EncodeToString([]byte("users" + tricky + "!")),
		"base64, in between":  base64.URLEncoding.EncodeToString([]byte("id:" + tricky + ":more")),
	}
	for name, coded := range encodings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t, recording.Config{Secrets: secrets})
			places := map[string]recording.Request{"form body": body("a=1&client_secret=" + coded)}
			quoted := coded
			if !strings.HasPrefix(name, "JSON") {
				quoted = escapedJSON(coded)
			}
			places["JSON value"] = body(`{"deep":[{"x":"before ` + quoted + ` after"}]}`)
			places["JSON name"] = body(`{"` + quoted + `":1}`)
			query := body("x")
			query.Query = "q=" + coded
			places["query"] = query
			for place, r := range places {
				text := stored(t, s, r, answer(`{"echo":"`+quoted+`"}`))
				assert.Contains(t, text, "{{secret:client_secret#", place)
				var rec recording.Recording
				require.NoError(t, json.Unmarshal([]byte(text), &rec))
				assert.Len(t, rec.Takes[0].Redactions, 2, place)
				assert.Contains(t, rec.Takes[0].Redactions, "response.json.echo")
			}
			found, err := s.Scan(secrets)
			require.NoError(t, err)
			assert.Empty(t, found)
		})
	}
}

// TestMarks has the rules that make a mark useful: one value, one mark,
// everywhere; a longer secret before its part; a number stays JSON.
func TestMarks(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Secrets: []recording.Secret{
		{Name: "part", Value: "secret"}, {Name: "whole", Value: " Bearer my-secret-key\n"}, {Name: "number", Value: "31415926"},
	}})
	for in, want := range map[string]string{
		`"my-secret-key, secret"`:                     `"{{secret:whole#1311}}, {{secret:part#2bb8}}"`,
		`{"n":31415926,"m":-31415926.5}`:              `{"n":"{{secret:number#31cc}}","m":"-{{secret:number#31cc}}.5"}`,
		`"{{secret:gone#0123}}"`:                      `"{{secret:gone#0123}}"`,
		`"%7B%7Bsecret%3Agone%230123%7D%7D"`:          `"{{secret:gone#0123}}"`,
		`"\\u0073ecret"`:                              `"{{secret:part#2bb8}}"`,
		`"Bearer ` + opaque + `"`:                     `"Bearer {{secret:bearer#3ac76b7532c5}}"`,
		`"Bearer ` + jwt + `"`:                        `"Bearer {{secret:jwt#033f6d14935a}}"`,
		`"bearer bonds and ball bearer certificates"`: `"bearer bonds and ball bearer certificates"`,
	} {
		text := stored(t, s, classify(in), answer(`1`))
		var rec recording.Recording
		require.NoError(t, json.Unmarshal([]byte(text), &rec))
		assert.Equal(t, want, string(rec.Takes[0].Request.Body))
	}
}

// TestRedactionBeforeTheKey: an answer that was recorded with a secret is found
// by a machine that sees only its mark, wherever the mark is used again.
func TestRedactionBeforeTheKey(t *testing.T) {
	t.Parallel()
	with, _ := open(t, recording.Config{Secrets: []recording.Secret{{Name: "account", Value: "acct-0815"}}})
	without, _ := open(t, recording.Config{})
	request := func(account string) recording.Request {
		r := classify(`{"account":"` + account + `"}`)
		r.Path, r.Query = "/companies/"+url.PathEscape(account), "account="+url.QueryEscape(account)
		return r
	}
	k := with.Key(request("acct-0815"))
	mark := strings.TrimPrefix(k.Inputs.Path, "/companies/")
	assert.Equal(t, "{{secret:account#8d3e}}", mark)
	assert.Equal(t, k.Sum, without.Key(request(mark)).Sum)
	assert.Equal(t, k.Sum, with.Key(request(mark)).Sum)
	assert.NotEqual(t, k.Sum, with.Key(request("acct-0816")).Sum)
	bare := request("acct-0815")
	sum := without.Key(bare).Sum
	assert.NotEqual(t, k.Sum, sum, "the key must not be of the secret itself")
}

func TestCredentialHeaders(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Secrets: []recording.Secret{{Name: "account", Value: "acct-0815"}}})
	r := classify(`{}`)
	r.Header.Set("Authorization", "Bearer "+opaque)
	r.Header.Set("Accept", "text/acct-0815")
	take := answer(`{}`)
	take.Response.Header = http.Header{
		"set-cookie": {"session=plain", "{{secret:set-cookie#1}}; id=hidden"}, "X-Echo": {"Bearer " + opaque}, "X-Account": {"acct-0815"}, "Content-Length": {"2"},
	}
	text := stored(t, s, r, take)
	for _, secret := range []string{opaque, "plain", "hidden", "acct-0815", "Content-Length", "Authorization"} {
		assert.NotContains(t, text, secret)
	}
	for _, want := range []string{"{{secret:set-cookie#", "Bearer {{secret:bearer#", "{{secret:account#", `"response.headers.Set-Cookie"`, `"request.headers.Accept"`} {
		assert.Contains(t, text, want)
	}
	assert.Contains(t, fmt.Sprint(take.Response.Header), "session=plain", "the client's answer stays as it is")
}

// packed is a text as a server may pack an answer.
func packed(text string, writer func(io.Writer) io.WriteCloser) string {
	var b bytes.Buffer
	z := writer(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	twice := base64.StdEncoding.EncodeToString([]byte("x" + base64.StdEncoding.EncodeToString([]byte(tricky))))
	for name, hidden := range map[string]string{
		"base64 twice":          `"` + twice + `"`,
		"percent twice":         `"` + url.QueryEscape(url.QueryEscape(tricky)) + `"`,
		"hexadecimal of base64": `"` + hex.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(tricky)))) + `"`,
		"gzip":                  packed("secret: "+tricky, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"deflate":               packed("secret: "+tricky, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
		"raw deflate": packed("secret: "+tricky, func(w io.Writer) io.WriteCloser {
			z, _ := flate.NewWriter(w, flate.DefaultCompression)
			return z
		}),
		"br": packed("secret: "+tricky, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }),
		"zstd": packed("secret: "+tricky, func(w io.Writer) io.WriteCloser {
			z, _ := zstd.NewWriter(w)
			return z
		}),
		"br in gzip": packed(packed(tricky, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }),
			func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, root := open(t, recording.Config{Secrets: []recording.Secret{{Name: "client_secret", Value: tricky}}})
			k := s.Key(classify(`{}`))
			err := s.Put(t.Context(), k, answer(hidden))
			var aside *recording.QuarantineError
			require.ErrorAs(t, err, &aside)
			assert.Equal(t, []string{"client_secret"}, aside.Secrets)
			assert.NotContains(t, err.Error(), tricky)
			assert.Equal(t, []string{".hsharness/quarantine/post-hscode-classify/" + k.Sum[:12] + ".json"}, files(t, root))
			ownersAlone(t, aside.File)
			ignore, err := os.ReadFile(filepath.Join(root, ".hsharness", ".gitignore"))
			require.NoError(t, err)
			assert.Equal(t, "*\n", string(ignore))

			rec, err := s.Get(k)
			require.NoError(t, err, "what was bought answers here")
			assert.Equal(t, hidden, string(rec.Latest().Response.Body))
			all, err := s.List()
			require.NoError(t, err)
			require.Len(t, all, 1)
			assert.Equal(t, recording.Quarantine, s.Place(all[0]))
		})
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	put(t, s, classify(`{"note":"sesame street"}`), answer(`{}`))
	damaged := filepath.Join(root, "recordings", "x", "broken.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(damaged), 0o755))
	require.NoError(t, os.WriteFile(damaged, []byte("{\n\n\"token\": \""+jwt+"\"\n"), 0o644))

	found, err := s.Scan([]recording.Secret{{Name: "magic", Value: "sesame"}})
	require.NoError(t, err)
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%s:%d %s", filepath.Base(filepath.Dir(f.File)), f.Line, f.Secret))
	}
	assert.Equal(t, []string{"post-hscode-classify:28 magic", "x:3 jwt"}, got)
	assert.Equal(t, damaged+":3: jwt", found[1].String())
	_, err = s.Scan([]recording.Secret{{Name: "short", Value: "x"}})
	assert.ErrorContains(t, err, "at least 6")
}

// TestRedactionProperty hides any secret at any place of any text and looks for
// it in the file, decoded.
func TestRedactionProperty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	encodings := []func(string) string{
		func(s string) string { return s }, url.QueryEscape, url.PathEscape, escapedJSON, ascii,
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.RuneFrom([]rune(`aB3+/=%"\ é😀-_~`))
		secret := "k" + rapid.StringOfN(letters, 6, 20, -1).Draw(t, "secret") + "y"
		before, after := rapid.StringOf(letters).Draw(t, "before"), rapid.StringOf(letters).Draw(t, "after")
		code := rapid.SampledFrom(encodings).Draw(t, "encoding")
		n++
		s, err := recording.Open(recording.Config{Dir: filepath.Join(dir, fmt.Sprint(n)), Secrets: []recording.Secret{{Name: "s", Value: secret}}})
		require.NoError(t, err)
		text, _ := json.Marshal(code(before + secret + after))
		k := s.Key(classify(string(text)))
		require.NoError(t, s.Put(context.Background(), k, answer(string(text))), "%s", text)
		rec, err := s.Get(k)
		require.NoError(t, err)
		require.Contains(t, string(rec.Latest().Response.Body), "{{secret:s#", "%s", text)
	})
}
