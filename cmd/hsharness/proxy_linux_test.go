package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/certificate"
	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
)

// forwardProxy is a real forward proxy that notes each request. It lets nobody
// through without its password, nor to the host that it closes.
type forwardProxy struct {
	*httptest.Server
	password string

	mu     sync.Mutex
	asked  []string // method and host and port
	closed string
}

func newForwardProxy(t *testing.T, password string) *forwardProxy {
	p := &forwardProxy{password: password}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *forwardProxy) address() string { return p.Listener.Addr().String() }

// taken is what was asked since the last time.
func (p *forwardProxy) taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

func (p *forwardProxy) close(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = host
}

func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	shut := p.closed == r.Host
	p.mu.Unlock()
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("ci:"+p.password))
	switch {
	case p.password != "" && r.Header.Get("Proxy-Authorization") != want:
		w.WriteHeader(http.StatusProxyAuthRequired)
	case shut:
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodConnect:
		tunnel(w, r.Host)
	default:
		r.RequestURI = ""
		r.Header.Del("Proxy-Authorization")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}
}

func tunnel(w http.ResponseWriter, host string) {
	to, err := net.Dial("tcp", host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	from, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { defer func() { _ = to.Close() }(); _, _ = io.Copy(to, buffered) }()
	go func() { defer func() { _ = from.Close() }(); _, _ = io.Copy(from, to) }()
}

// securely serves the sandbox over TLS at an address, and writes its authority down.
func securely(t *testing.T, host string) (s *sandbox, authority string) {
	t.Helper()
	tls, ca, err := certificate.New(host)
	require.NoError(t, err)
	granted := int64(1000)
	server, err := services.Serve(services.Config{
		Clients:          []mockidp.Client{{ID: "real-id", Secrets: []mockidp.Secret{{Value: realSecret}}, Scopes: avalara.Scopes()}},
		SandboxAllowance: &granted,
	}, services.Addresses{Identity: host + ":0", API: host + ":0", Control: "127.0.0.1:0", Anywhere: true, TLS: tls})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	s = &sandbox{t: t, server: server, dir: t.TempDir(), key: realSecret}
	authority = filepath.Join(s.dir, "ca.pem")
	require.NoError(t, os.WriteFile(authority, ca, 0o600))
	return s, authority
}

// project writes the project file with a setting for the proxy, empty for none.
func (s *sandbox) project(proxy string) {
	s.t.Helper()
	urls := s.server.Endpoints.Sandbox
	text := fmt.Sprintf("version: 1\nenvironments:\n  sandbox: { identity_url: %q, api_url: %q, client_id: real-id, client_secret: %q }\n", urls.Identity, urls.API, "${REAL_SECRET}")
	if proxy != "" {
		text = strings.Replace(text, "{ identity", fmt.Sprintf("{ proxy: %q, identity", proxy), 1)
	}
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, "hsharness.yaml"), []byte(text), 0o600))
}

// output runs a command and returns what it said.
func (s *sandbox) output(environ []string, args ...string) (string, error) {
	cmd := s.command(args...)
	cmd.Env = append(cmd.Env, environ...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// buying is one purchase of its own question.
func buying(n string) []string {
	return []string{"exec", "--mode", "live", "--max-spend", "1", "--", "classify", n}
}

// TestProxyAfar: the way to the sandbox leads through what the setting says, for
// tokens and for answers, and doctor and the bill name it without its password.
func TestProxyAfar(t *testing.T) {
	t.Parallel()
	if !apart.Afar(t, "") {
		return
	}
	const password = "pass-word-4711"
	proxy := newForwardProxy(t, password)
	s, authority := securely(t, apart.Address)
	urls := s.server.Endpoints.Sandbox
	identity, api := strings.TrimPrefix(urls.Identity, "https://"), strings.TrimPrefix(urls.API, "https://")
	through := []string{"CONNECT " + identity, "CONNECT " + api}
	environ := []string{"SSL_CERT_FILE=" + authority, "PROXY_PASSWORD=" + password}
	follow := func(vars ...string) []string { return append(append([]string{}, environ...), vars...) }
	https := "HTTPS_PROXY=http://ci:" + password + "@" + proxy.address()

	s.project("")
	out, err := s.output(environ, "quota", "init", "--granted", "1000")
	require.NoError(t, err, out)
	for _, row := range []struct {
		name, setting string
		environ       []string
		through       []string
		by            string
	}{
		{"nothing set", "", environ, nil, ""},
		{"the environment by default", "", follow(https), through, "HTTPS_PROXY"},
		{"the environment in small letters", "environment", follow(strings.Replace(https, "HTTPS_PROXY", "https_proxy", 1)), through, "https_proxy"},
		{"not for what NO_PROXY names", "", follow(https, "NO_PROXY=10.0.0.0/8,.avalara.net"), nil, ""},
		{"the variable for another scheme", "", follow(strings.Replace(https, "HTTPS", "HTTP", 1)), nil, ""},
		{"none, whatever the environment says", "none", follow(https), nil, ""},
		{"a URL, whatever the environment says", "http://ci:${PROXY_PASSWORD}@" + proxy.address(), follow("HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=*"), through, "environments.sandbox.proxy"},
	} {
		s.project(row.setting)
		before := s.served()
		out, err := s.output(row.environ, buying("1")...)
		require.NoError(t, err, "%s: %s", row.name, out)
		assert.Equal(t, before+1, s.served(), row.name)
		assert.Equal(t, row.through, proxy.taken(), row.name)
		doctor, err := s.output(row.environ, "doctor")
		require.NoError(t, err, "%s: %s", row.name, doctor)
		if row.through != nil {
			assert.Contains(t, out, "through the proxy "+proxy.address(), row.name)
			assert.Contains(t, doctor, "the sandbox is asked through "+proxy.address()+", by "+row.by+"\n", row.name)
		} else {
			assert.NotContains(t, out, "proxy", row.name)
			assert.Contains(t, doctor, "the sandbox is asked directly, through no proxy", row.name)
		}
		assert.NotContains(t, out+doctor, password, row.name)
	}

	s.project("")
	doctor, err := s.output(follow(https, "NO_PROXY="+apart.Address), "doctor")
	require.NoError(t, err, doctor)
	assert.Contains(t, doctor, identity+", "+api+": directly, through no proxy\n")
	assert.Contains(t, doctor, "api-sandbox.classification.avalara.net: through "+proxy.address()+", by HTTPS_PROXY\n")

	t.Log("a proxy that lets nothing through costs nothing, and is named")
	before, spent := s.served(), s.status().Spent
	s.project("http://ci:${PROXY_PASSWORD}@" + proxy.address())
	proxy.close(api)
	for setting, says := range map[string]string{
		"http://ci:${PROXY_PASSWORD}@" + proxy.address(): "the proxy " + proxy.address() + ", by environments.sandbox.proxy, let nothing through: it answered 403 Forbidden",
		"http://ci:wrong-word@" + proxy.address():        "let nothing through: it answered 407 Proxy Authentication Required",
		"http://ci:${PROXY_PASSWORD}@127.0.0.1:1":        "the proxy 127.0.0.1:1, by environments.sandbox.proxy, let nothing through: dial tcp 127.0.0.1:1: ",
	} {
		s.project(setting)
		out, err = s.output(environ, buying("1")...)
		require.Error(t, err, setting)
		assert.Contains(t, out, says)
		assert.NotContains(t, out, password)
		assert.NotContains(t, out, "wrong-word")
	}
	assert.Equal(t, before, s.served())
	assert.Equal(t, spent, s.status().Spent, "no connection was made to the sandbox, so the unit came back")

	t.Log("what can't be known is no direct connection")
	proxy.close("")
	proxy.taken()
	for setting, says := range map[string]string{
		"http://ci:${NOT_SET}@" + proxy.address(): "NOT_SET is not set, and environments.sandbox.proxy is made of it",
		"${PROXY_PASSWORD}":                       "environments.sandbox.proxy is no proxy such as",
		"":                                        "HTTPS_PROXY is no proxy such as",
	} {
		s.project(setting)
		bad := follow("HTTPS_PROXY=ftp://ci:" + password + "@proxy.example")
		for _, args := range [][]string{buying("1"), {"doctor"}} {
			out, err := s.output(bad, args...)
			require.Error(t, err, out)
			assert.Contains(t, out, says)
			assert.NotContains(t, out, password)
		}
		out, err := s.output(bad, "exec", "--", "true")
		assert.NoError(t, err, "what does not buy asks no proxy: %s", out)
	}
	assert.Equal(t, before, s.served())
	assert.Empty(t, proxy.taken())
	s.verify()
}

// TestNoProxyToLoopback: a proxy would ask the loopback of another machine, and what
// is there is nothing real.
func TestNoProxyToLoopback(t *testing.T) {
	t.Parallel()
	proxy := newForwardProxy(t, "")
	s := newSandbox(t, 100)
	one := scenarioFile(t, s.dir, "true", "200")
	for _, setting := range []string{"", proxy.URL} {
		s.project(setting)
		environ := []string{"HTTP_PROXY=" + proxy.URL, "http_proxy=" + proxy.URL, "HTTPS_PROXY=" + proxy.URL, "NO_PROXY=", "no_proxy="}
		before := s.served()
		for _, args := range [][]string{buying("1"), {"exec", "--mode", "record", "--max-spend", "1", "--", "classify", "1"}, {"exec", "--", "classify", "1"}, {"run", "--allow-exec", one}} {
			out, err := s.output(environ, args...)
			require.NoError(t, err, out)
			assert.NotContains(t, out, "proxy")
		}
		assert.Greater(t, s.served(), before)
		out, err := s.output(environ, "exec", "--quiet", "--", "sh", "-c", `echo "$NO_PROXY $no_proxy"`)
		require.NoError(t, err, out)
		assert.Equal(t, "127.0.0.1,localhost,::1 127.0.0.1,localhost,::1\n", out, "for the clients of the command")
		out, err = s.output(environ, "doctor")
		require.NoError(t, err, out)
		assert.Contains(t, out, "the sandbox is asked directly, and not through "+proxy.address()+": it is on loopback")
	}
	assert.Empty(t, proxy.taken())
}

// TestRealClientsAskNoProxy: curl and Python ask a proxy for loopback too, unless they
// are told not to, and would show it the credential.
func TestRealClientsAskNoProxy(t *testing.T) {
	t.Parallel()
	proxy := newForwardProxy(t, "")
	s := newSandbox(t, 10)
	classify, err := filepath.Abs("../../examples/curl/classify.sh")
	require.NoError(t, err)
	for tool, command := range map[string][]string{
		"curl":    {"sh", classify, "mug", "US"},
		"python3": {"python3", "-c", "import os, urllib.request as r; print(r.urlopen(os.environ['HSHARNESS_IDENTITY_URL'] + '/.well-known/openid-configuration').status)"},
	} {
		if _, err := exec.LookPath(tool); err != nil {
			require.Empty(t, os.Getenv("CI"), "%s is not installed", tool)
			t.Logf("NOT RUN: %s is not installed", tool)
			continue
		}
		for _, environ := range [][]string{
			{"http_proxy=" + proxy.URL, "NO_PROXY=", "no_proxy="},
			{"http_proxy=" + proxy.URL, "NO_PROXY=*,.example", "no_proxy=.example"},
			{"ALL_PROXY=" + proxy.URL, "NO_PROXY=", "no_proxy="},
		} {
			out, err := s.output(environ, append([]string{"exec", "--"}, command...)...)
			assert.NoError(t, err, "%s: %s", tool, out)
		}
		by := []string{"exec", "--", "sh", "-c", `http_proxy=$0 exec "$@"`, proxy.URL} // a proxy of the command's own
		out, err := s.output([]string{"NO_PROXY=", "no_proxy="}, append(by, command...)...)
		assert.NoError(t, err, "%s: %s", tool, out)
		assert.Empty(t, proxy.taken(), tool)

		cmd := exec.Command(command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=", "HSHARNESS_CLIENT_ID=x", "HSHARNESS_CLIENT_SECRET=x",
			"HSHARNESS_TOKEN_URL="+s.server.Endpoints.Sandbox.Token, "HSHARNESS_IDENTITY_URL="+s.server.Endpoints.Sandbox.Identity, "HSHARNESS_API_URL="+s.server.Endpoints.Sandbox.API)
		_, _ = cmd.CombinedOutput()
		assert.NotEmpty(t, proxy.taken(), "%s asks this proxy where nobody keeps it from that", tool)
	}
}
