package avalara_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
)

func TestProductionInEverySpelling(t *testing.T) {
	for _, text := range []string{
		"hscode.api.avalara.com", "HSCODE.Api.Avalara.COM", "hscode.api.avalara.com.", "hscode.api.avalara.com:443", "HSCODE.api.avalara.com.:8443", "identity.avalara.com:80",
	} {
		at, err := avalara.ReadAddress(text)
		require.NoError(t, err, text)
		assert.True(t, at.Production(), text)
	}
	for _, text := range []string{"ai-sbx.avlr.sh", "hscode.api.avalara.com.example", "xhscode.api.avalara.com", "127.0.0.1", "avalara.com"} {
		at, err := avalara.ReadAddress(text)
		require.NoError(t, err, text)
		assert.False(t, at.Production(), text)
	}
}

// odd are hosts that a browser, a resolver or net/http would take for another
// one than is written.
var odd = []string{
	"hscode。api。avalara。com", "ｈｓｃｏｄｅ.api.avalara.com", "hscode.api.aval\u00adara.com", "hscode.api.avalara．com", "hscode.api.avalara｡com", "HSCODE.API.AVALARA.ⒸOM",
	"hscode.api.avalara.com\u200b", "hscode.ap\u0131.avalara.com", "ＬＯＣＡＬＨＯＳＴ", "①②⑦.0.0.1",
	"hscode%2eapi.avalara.com", "hscode.api.avalara.com%00.example", "local host", "localhost\t", "a\\b", "a@b", "hscode.api.avalara.com..", "..", "", ".", "a..b",
	"0177.0.0.1", "2130706433", "127.1", "0x7f.0.0.1", "0x7f000001", "127.0.0.01", "1.2.3.256", "1.2.3", "a.1", "a.0x1f", "127.0.0.1.5", "0x",
	"[fe80::1%25eth0]", "[fe80::1%eth0]", "[::1", "::1]", "[127.0.0.1]", "[localhost]", "[]", "::1",
	"localhost:0", "localhost:65536", "localhost:-1", "localhost:+80", "localhost:x", "[::1]:x", strings.Repeat("a", 64), strings.Repeat("a.", 130) + "a",
}

func TestOddHostsAreRefused(t *testing.T) {
	for _, text := range odd {
		_, err := avalara.ReadAddress(text)
		require.Error(t, err, "%q", text)
		for _, c := range err.Error() {
			assert.LessOrEqual(t, c, '~', "%q: a message shows what can't be seen: %q", text, err)
		}
		_, real := avalara.EnvironmentOfHost(text)
		assert.False(t, real, text)
	}
}

func TestLoopbackForCertain(t *testing.T) {
	for text, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "localhost:8700": true, "127.0.0.1": true, "127.8.9.10:1": true, "[::1]:1": true, "[0:0:0:0:0:0:0:1]": true, "[::ffff:127.0.0.1]": true,
		"localhost.example": false, "foo.localhost": false, "ip6-localhost": false, "localhost.localdomain": false, "127.0.0.1.example": false, "0.0.0.0": false, "[::]": false,
		"[::ffff:10.0.0.1]": false, "[::2]": false, "128.0.0.1": false, "127-0-0-1.example": false,
	} {
		at, err := avalara.ReadAddress(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, at.Loopback(), text)
		for _, to := range at.Dialled() {
			host, _, err := net.SplitHostPort(to)
			assert.True(t, err != nil || !want || net.ParseIP(host).IsLoopback(), "%s is dialled as %s", text, to)
		}
	}
}

// TestWhatIsJudgedIsDialled compares what is read of a URL with what net/http
// connects to.
func TestWhatIsJudgedIsDialled(t *testing.T) {
	urls := []string{
		"http://Example.COM./x", "https://example.com", "http://example.com:8080", "https://127.0.0.1:443/", "http://[::1]:80", "http://[::ffff:10.0.0.1]/", "http://[2001:DB8::1]",
		"https://a_b.example", "HTTP://x--y.example", "https://xn--bcher-kva.example:", "http://example.com:0080",
	}
	for _, host := range odd {
		urls = append(urls, "http://"+host+"/", "https://"+host)
	}
	dialled := errors.New("dialled")
	for _, text := range urls {
		u, at, err := avalara.ReadURL(text)
		if err != nil {
			continue
		}
		var to string
		transport := &http.Transport{DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			to = addr
			return nil, dialled
		}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
		require.NoError(t, err, text)
		_, err = transport.RoundTrip(r)
		require.ErrorIs(t, err, dialled, text)
		assert.Equal(t, at.String(), to, text)
		again, err := avalara.ReadAddress(to)
		require.NoError(t, err)
		assert.Equal(t, at, again, text)
	}
}

func TestReadBase(t *testing.T) {
	for text, want := range map[string]string{
		"https://AI-SBX.avlr.sh.:443/": "https://ai-sbx.avlr.sh", "http://localhost:80": "http://localhost", "HTTP://[::1]:8710//": "http://[::1]:8710",
		"http://example.com:443": "http://example.com:443", "https://example.com:8443": "https://example.com:8443",
	} {
		got, _, err := avalara.ReadBase(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{
		"", "example.com", "//example.com", "https:example.com", "https:///x", "ftp://example.com", "file:///etc/passwd", "https://example.com/v1", "https://example.com?", "https://example.com?x", "https://example.com#",
		"https://me:pass-word-1@example.com", "https://me@example.com", "https://:pass-word-1@", "https://example.com:pass-word-1", "https://pass word-1", " https://example.com", "https://example.com\n", "https://example.com\\@pass-word-1",
	} {
		_, _, err := avalara.ReadBase(text)
		require.Error(t, err, "%q", text)
	}
	for _, text := range []string{"https://me:pass-word-1@example.com", "https://me:pass-word-1@exa mple.com", "https://me:pass-word-1@[::1"} {
		_, _, err := avalara.ReadBase(text)
		assert.NotContains(t, err.Error(), "pass-word-1")
	}
}

func FuzzReadURL(f *testing.F) {
	for _, host := range odd {
		f.Add("https://" + host + "/")
	}
	f.Add("http://Example.COM.:80/x?y")
	f.Fuzz(func(t *testing.T, text string) {
		u, at, err := avalara.ReadURL(text)
		if err != nil {
			return
		}
		again, same, err := avalara.ReadURL(u.String())
		if err != nil || same != at || again.Host != u.Host {
			t.Fatalf("%q is %v, and %q is %v (%v)", text, at, u, same, err)
		}
		if strings.Trim(at.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_.:") != "" {
			t.Fatalf("%q has the name %q", text, at.Name)
		}
	})
}
