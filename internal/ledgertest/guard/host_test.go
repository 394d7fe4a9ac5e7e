package guard_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// homographs are ways to write a host of production that net/http would map to
// it, and a resolver too.
var homographs = []string{
	"https://hscode。api。avalara。com", "https://ｈｓｃｏｄｅ.api.avalara.com", "https://hscode.api.aval\u00adara.com", "https://hscode.api.avalara.com\uff0e", "https://hscode%EF%BC%8Eapi.avalara.com",
}

func TestUpstreamTakesPlainHostsOnly(t *testing.T) {
	t.Parallel()
	for _, base := range homographs {
		for _, u := range []guard.Upstream{{Identity: base}, {APIs: map[avalara.API]string{avalara.Managed: base}}} {
			require.ErrorContains(t, u.Validate(), "plain ASCII", base)
		}
	}
	for _, base := range []string{"http://0177.0.0.1:8700", "http://2130706433", "http://127.1", "http://[::1%25lo]:80", "http://hscode%2eapi.avalara.com"} {
		u := guard.Upstream{Identity: base}
		require.Error(t, u.Validate(), base)
		assert.False(t, u.AnyLoopback(), base)
	}
	for _, base := range []string{"https://hscode.api.avalara.com:8443", "http://IDENTITY.avalara.com./", "https://hscode.avatax.avalara.com/v1?x"} {
		var production *guard.ProductionError
		require.ErrorAs(t, guard.Upstream{Identity: base}.Validate(), &production, base)
	}
	u, err := guard.Upstream{Identity: "https://AI-SBX.avlr.sh.:443/", APIs: map[avalara.API]string{avalara.Current: "HTTP://LocalHost:80", avalara.Legacy: ""}}.Plain()
	require.NoError(t, err)
	assert.Equal(t, guard.Upstream{Identity: "https://ai-sbx.avlr.sh", APIs: map[avalara.API]string{avalara.Current: "http://localhost", avalara.Legacy: ""}}, u)
}

// TestARequestForAnotherEnvironmentIsNotAnswered: what was meant for production
// is neither bought from the sandbox nor answered by it.
func TestARequestForAnotherEnvironmentIsNotAnswered(t *testing.T) {
	t.Parallel()
	l := newLive(t, liveConfig{})
	server := httptest.NewServer(l.guard.Handler(avalara.Sandbox, avalara.Current))
	t.Cleanup(server.Close)
	token := dummyToken(t, avalara.ScopeHSCode, l.now)
	ask := func(line, host string) *http.Response {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, line+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\nAuthorization: Bearer "+token+"\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
		require.NoError(t, err)
		text, err := io.ReadAll(conn)
		require.NoError(t, err)
		status, _, _ := strings.Cut(strings.TrimPrefix(string(text), "HTTP/1.1 "), " ")
		return &http.Response{Status: status, Body: io.NopCloser(strings.NewReader(string(text)))}
	}
	for _, tt := range []struct{ line, host, says string }{
		{"POST /hscode/hints", "hscode.api.avalara.com", "is production"},
		{"POST /hscode/hints", "HSCODE.api.avalara.com.:443", "is production"},
		{"POST http://hscode.api.avalara.com/hscode/hints", "localhost", "is production"},
		{"POST http://identity.avalara.com:8443/hscode/hints", "localhost", "is production"},
		{"POST http://other.example/hscode/hints", "localhost", "is no proxy"},
		{"POST http://hscode%EF%BC%8Eapi.avalara.com/hscode/hints", "localhost", ""},
		{"CONNECT hscode.api.avalara.com:443", "hscode.api.avalara.com:443", "is no proxy"},
	} {
		answer := ask(tt.line, tt.host)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		assert.Contains(t, []string{"424", "400"}, answer.Status, tt.line)
		assert.Contains(t, string(body), tt.says, tt.line)
	}
	assert.Zero(t, l.counted.Load())
	verdict, _ := l.guard.Verdict()
	assert.Equal(t, guard.Policy, verdict)
	for _, line := range []string{"POST http://" + server.Listener.Addr().String() + "/hscode/hints", "POST http://hscode.api.sbx.avalara.com/hscode/hints"} {
		assert.Equal(t, "200", ask(line, "localhost").Status, line)
	}
	assert.Equal(t, 2, l.spent())
}

// TestALocalClientReachesNoRealHost, whatever name it has and whatever answer
// leads there.
func TestALocalClientReachesNoRealHost(t *testing.T) {
	t.Parallel()
	client := guard.LocalClient(0)
	var production *guard.ProductionError
	var past *guard.PastGuardError
	for _, base := range append([]string{"https://hscode.api.avalara.com", "http://IDENTITY.avalara.com."}, homographs...) {
		_, err := client.Get(base)
		assert.Error(t, err, base)
		if _, err := guard.LocalURL(base); err == nil {
			t.Errorf("%s is taken for local", base)
		}
	}
	_, err := client.Get("https://hscode.api.avalara.com")
	require.ErrorAs(t, err, &production)
	_, err = client.Get("https://ai-sbx.avlr.sh")
	require.ErrorAs(t, err, &past)
	assert.Contains(t, err.Error(), "which only the guard calls")
	_, err = guard.LocalURL("https://hscode.api.sbx.avalara.com/x")
	require.ErrorAs(t, err, &past)

	server := httptest.NewServer(http.RedirectHandler("https://hscode.api.avalara.com/", http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST."} {
		resp, err := client.Get(strings.Replace(server.URL, "127.0.0.1", host, 1)) //nolint:noctx // loopback
		require.NoError(t, err, host)
		assert.Equal(t, http.StatusTemporaryRedirect, resp.StatusCode)
		_ = resp.Body.Close()
	}
}
