package guard_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/secret"
)

// rawSandbox answers every connection with the same bytes.
func rawSandbox(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_, _ = http.ReadRequest(bufio.NewReader(c))
				_, _ = io.WriteString(c, answer)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestStatusThatNoAnswerHasIsNotHandedOver(t *testing.T) {
	for _, status := range []string{"000", "001", "099", "101", "600", "999"} {
		dir := t.TempDir()
		url := rawSandbox(t, "HTTP/1.1 "+status+" Odd\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
		l := newLive(t, liveConfig{APIURL: url, Recordings: dir, Mode: guard.Record})
		l.refused(l.post(hints), guard.UpstreamFailed)
		assert.Equal(t, 1, l.spent(), status)
		files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
		require.NoError(t, err)
		assert.Empty(t, files, status)
	}
}

func TestRecordingWithAStatusThatNoAnswerHasIsDamaged(t *testing.T) {
	dir := t.TempDir()
	require.Equal(t, 200, newLive(t, liveConfig{Recordings: dir, Mode: guard.Record, API: text(200, `{"a":1}`)}).post(hints).Code)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	for _, status := range []string{"299", "999", "1000"} {
		require.NoError(t, os.WriteFile(files[0], bytes.Replace(data, []byte(`"status": 200`), []byte(`"status": `+status), 1), 0o644))
		rec := newLive(t, liveConfig{Recordings: dir, Mode: guard.Replay}).post(hints)
		if status == "299" {
			require.Equal(t, 299, rec.Code, rec.Body)
			continue
		}
		assert.Equal(t, http.StatusFailedDependency, rec.Code, status)
		assert.Equal(t, string(guard.RecordingDamaged), rec.Header().Get(guard.VerdictHeader), status)
	}
}

func TestAnswerLeadsNobodyPastTheGuard(t *testing.T) {
	var base string
	headers := map[string][][2]string{ // by name: what comes, what is handed over; "" is dropped
		"Location": {
			{"BASE/api/v2/x?a=b#c", "/api/v2/x?a=b#c"}, {"BASE", "/"}, {"/here?to=http://other.test/", "/here?to=http://other.test/"}, {"relative", "relative"},
			{"http://other.test/x", ""}, {"//other.test/x", ""}, {`\\other.test\x`, ""}, {`/\other.test`, ""}, {"https://hscode.api.sbx.avalara.com/x", "/x"},
			{"https://hscode.api.sbx.avalara.com.:443/x", "/x"}, {"https://hscode.api.avalara.com/x", ""}, {"BASE//other.test/x", ""}, {"http:x", ""}, {"ftp://other.test/", ""}, {"http://me@other.test/", ""},
		},
		"Content-Location":   {{"BASE/x", "/x"}, {"http://other.test/x", ""}},
		"Operation-Location": {{"BASE/x", "/x"}, {"http://other.test/x", ""}},
		"Link":               {{`<BASE/x?p=2>; rel="next", </y>; rel=prev`, `</x?p=2>; rel="next", </y>; rel=prev`}, {`</x>; rel=next, <http://other.test/>; rel=prev`, ""}},
		"Refresh":            {{"5; url=BASE/x", "5; url=/x"}, {"5; URL='http://other.test/x'", ""}, {"5", "5"}},
		"X-Next-Url":         {{"BASE/x", "/x"}, {"http://other.test/x", ""}},
		"Alt-Svc":            {{`h3="other.test:443"`, ""}},
		"Content-Md5":        {{"abc", ""}},
		"Digest":             {{"sha-256=abc", ""}},
		"Repr-Digest":        {{"sha-256=:abc:", ""}},
		"Content-Digest":     {{"sha-256=:abc:", ""}},
		"Etag":               {{`"abc"`, ""}},
		"Retry-After":        {{"5", "5"}},
		"X-Docs":             {{"http://other.test/", "http://other.test/"}},
	}
	for name, cases := range headers {
		for i, c := range cases {
			dir := t.TempDir()
			l := newLive(t, liveConfig{Recordings: dir, Mode: guard.Record, API: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(name, strings.ReplaceAll(c[0], "BASE", base))
				w.WriteHeader(201)
				_, _ = io.WriteString(w, "{ \"a\" : 1 }\n")
			}})
			base = l.apiURL
			for _, rec := range []http.Header{l.post(hints).Header(), newLive(t, liveConfig{Recordings: dir, Mode: guard.Replay}).post(hints).Header()} {
				assert.Equal(t, c[1], rec.Get(name), "%s %d: %s", name, i, c[0])
			}
		}
	}
}

// TestOldRecordingLeadsNobodyPastTheGuard: one that was made before has what came.
func TestOldRecordingLeadsNobodyPastTheGuard(t *testing.T) {
	dir := t.TempDir()
	l := newLive(t, liveConfig{Recordings: dir, Mode: guard.Record, API: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/PLACE")
		w.WriteHeader(302)
	}, Exhausted: nil})
	l.post(hints)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	data = bytes.Replace(data, []byte(`"status": 302`), []byte(`"status": 201`), 1)
	data = bytes.Replace(data, []byte(`"state": "evidence",`), nil, 1)
	for place, want := range map[string]string{"https://hscode.api.sbx.avalara.com/x": "/x", "http://127.0.0.1:1/x": ""} {
		require.NoError(t, os.WriteFile(files[0], bytes.Replace(data, []byte("/PLACE"), []byte(place), 1), 0o644))
		rec := newLive(t, liveConfig{Recordings: dir, Mode: guard.Replay}).post(hints)
		require.Equal(t, 201, rec.Code, rec.Body)
		assert.Equal(t, want, rec.Header().Get("Location"), place)
	}
}

func TestHeadersThatRouteElsewhereDoNotPass(t *testing.T) {
	var got http.Header
	l := newLive(t, liveConfig{API: func(_ http.ResponseWriter, r *http.Request) { got = r.Header }})
	r := l.request(http.MethodPost, hints, `{}`)
	stopped := []string{
		"X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URI", "X-Original-Method", "X-Original-Host", "X-Forwarded-Host",
		"X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Proto", "Forwarded", "X-Host", "X-HTTP-Host-Override", "X-Envoy-Original-Path",
		"X-Ms-Original-Url", "X_Original_URL", "x-original-url", "X-Override-Url", "X-Accel-Redirect", "X-Request-Uri", "X-Script-Path", "Proxy", "Destination", "Base-Url", "Route", "Cf-Original-Url",
		"X.Original.Url", "X.http.method.override", "X!Rewrite~Url",
	}
	for _, name := range stopped {
		r.Header[name] = []string{avalara.PathClassifyFromHS6}
	}
	kept := map[string]string{"X-Correlation-Id": "1", "Accept-Language": "fr", "X-Avalara-Client": "c", "Traceparent": "00-1-2-3", "Content-Type": "application/json"}
	for name, v := range kept {
		r.Header.Set(name, v)
	}
	require.Equal(t, 200, l.do(r).Code)
	for name, values := range got {
		assert.NotContains(t, values, avalara.PathClassifyFromHS6, name)
	}
	for name, v := range kept {
		assert.Equal(t, v, got.Get(name), name)
	}
}

// An API that has the secret, as one service of both may, does not give it to the
// command. What it is packed in is kept in quarantine.
func TestSecretThatIsEchoedDoesNotReachTheCommand(t *testing.T) {
	twice := func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(s))))
	}
	for name, tt := range map[string]struct {
		body   string
		refuse bool
	}{
		"as it is": {`{"you":"` + realSecret + `"}`, false},
		"in hex":   {`{"you":"` + hex.EncodeToString([]byte(realSecret)) + `"}`, false},
		"twice":    {`{"you":"` + twice(realSecret) + `"}`, true},
	} {
		dir := filepath.Join(t.TempDir(), "recordings") // the quarantine is beside it
		l := newLive(t, liveConfig{Recordings: dir, Mode: guard.Record, API: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Echo", twice(realSecret))
			w.Header().Set("Content-Type", "text/"+realSecret)
			w.Header().Set(realSecret, "a name")
			_, _ = io.WriteString(w, tt.body)
		}})
		rec := l.post(hints)
		assert.Equal(t, tt.refuse, rec.Header().Get(guard.VerdictHeader) == string(guard.Policy), "%s: %s", name, rec.Body)
		f, err := secret.NewFinder(secret.Secret{Name: "client_secret", Value: realSecret})
		require.NoError(t, err)
		assert.Empty(t, f.Names([]byte(fmt.Sprint(rec.Header(), rec.Body))), name)
		assert.Equal(t, 1, l.spent(), "it is paid for: "+name)
		again := l.post(hints)
		assert.Equal(t, 1, l.spent(), "it is bought once: "+name)
		assert.Empty(t, f.Names([]byte(fmt.Sprint(again.Header(), again.Body))), name)
	}
}

func TestRealTokenThatIsEchoedDoesNotReachTheCommand(t *testing.T) {
	const long = "real-access-token-8f14e45fceea167a5a36dedd4bea2543"
	packed := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.String()
	}
	for name, tt := range map[string]struct {
		body   func(token string) string
		refuse bool
	}{
		"as it is":   {func(s string) string { return `{"you":"` + s + `"}` }, false},
		"in base64":  {func(s string) string { return `{"you":"` + base64.StdEncoding.EncodeToString([]byte("x:"+s)) + `"}` }, false},
		"percent":    {func(s string) string { return strings.ReplaceAll(s, "-", "%2D") }, false},
		"compressed": {packed, true},
	} {
		dir := t.TempDir()
		l := newLive(t, liveConfig{Recordings: dir, Mode: guard.Record, Token: long, API: func(w http.ResponseWriter, r *http.Request) {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			assert.Equal(t, long, token)
			w.Header().Set("X-Echo", "Bearer "+token)
			w.Header().Set("X-"+token, "a name")
			_, _ = io.WriteString(w, tt.body(token))
		}})
		rec := l.post(hints)
		assert.Equal(t, tt.refuse, rec.Header().Get(guard.VerdictHeader) == string(guard.Policy), name)
		assert.Equal(t, tt.refuse, rec.Code != 200, name)
		seen := fmt.Sprint(rec.Header()) + rec.Body.String()
		assert.NotContains(t, strings.ToLower(seen), long, name)
		for _, encoded := range []string{long, base64.StdEncoding.EncodeToString([]byte(long))[:40], strings.ReplaceAll(long, "-", "%2D")} {
			assert.NotContains(t, seen, encoded, name)
		}
		if !tt.refuse {
			assert.Contains(t, seen, "{{secret:access_token", name)
		}
		require.NoError(t, filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(file)
			assert.NotContains(t, strings.ToLower(string(data)), long, file)
			return err
		}))
		again := l.post(hints) // what is not recorded is not bought twice
		assert.Equal(t, tt.refuse, again.Header().Get(guard.VerdictHeader) == string(guard.RecordingFailed), name)
		assert.EqualValues(t, 1, l.counted.Load(), name)
		assert.Equal(t, 1, l.spent(), "it is paid for: "+name)
	}
}
