package intercept

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// upstream is a sandbox whose hosts are nowhere: a client of another program that went
// around the proxy would find nothing.
var upstream = guard.Upstream{Identity: "https://login.sandbox.invalid", APIs: map[avalara.API]string{avalara.Current: "https://hscode.sandbox.invalid"}}

// open opens a proxy that allows some hosts, before the services of a mode.
func open(t *testing.T, mode guard.Mode, allow ...string) (*Proxy, *services.Local) {
	t.Helper()
	p, err := (&Flags{On: true, Allow: allow}).open(upstream, func(string) string { return "" })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	cfg := services.Config{Mode: mode, Upstream: upstream}
	if mode != guard.Offline {
		store, err := recording.Open(recording.Config{Dir: t.TempDir()})
		require.NoError(t, err)
		cfg.Cassette = guard.NewCassette(store, 0)
	}
	s, err := services.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, p.Serve(s))
	return p, s
}

// client asks the proxy for everything, and trusts the authority alone.
func client(t *testing.T, p *Proxy) *http.Client {
	t.Helper()
	at, err := url.Parse(p.url())
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(p.ca.PEM()))
	tr := &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func get(t *testing.T, c *http.Client, target string) (status, proto int, text string, err error) {
	t.Helper()
	resp, err := c.Get(target)
	if err != nil {
		return 0, 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.ProtoMajor, string(body), nil
}

func TestRealURLsAreAnswered(t *testing.T) {
	t.Parallel()
	p, s := open(t, guard.Replay)
	c := client(t, p)
	for _, host := range []string{"ai-sbx.avlr.sh", "login.sandbox.invalid", "AI-SBX.avlr.sh."} {
		status, proto, text, err := get(t, c, "https://"+host+avalara.PathDiscovery)
		require.NoError(t, err, host)
		assert.Equal(t, 200, status)
		assert.Equal(t, 2, proto)
		assert.Contains(t, text, `"issuer":"https://`+strings.ToLower(strings.TrimSuffix(host, "."))+`"`)
	}
	status, _, text, err := get(t, c, "https://hscode.sandbox.invalid/hscode/classify")
	require.NoError(t, err)
	assert.Equal(t, 401, status, text)
	verdict, _ := s.Verdict()
	assert.Empty(t, verdict)

	status, _, text, err = get(t, c, "https://identity.avalara.com/connect/token")
	require.NoError(t, err)
	assert.Equal(t, 424, status)
	assert.Contains(t, text, "identity.avalara.com is production")
	status, _, text, err = get(t, c, "https://api.sbx.avalara.com/")
	require.NoError(t, err)
	assert.Equal(t, 424, status)
	assert.Contains(t, text, "ask hscode.api.sbx.avalara.com instead")
	verdict, _ = s.Verdict()
	assert.Equal(t, guard.Policy, verdict)
	tally, _ := s.Tally()
	assert.Equal(t, 3, tally.Requests)
	var bill report.Bill
	p.Fill(&bill)
	assert.Equal(t, report.Bill{Seal: "intercept"}, bill, "nothing else was asked for")
}

// An allowed host is reached by its own name alone, and never leads to this machine.
func TestAllow(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"identity.avalara.com": "it is a host of the service", "AI-SBX.avlr.sh.": "it is a host of the service", "api.sbx.avalara.com": "it is a host of the service",
		"login.sandbox.invalid:8443": "it is a host of the service", "127.0.0.1": "give a name", "localhost": "give a name", "10.0.0.1:443": "give a name",
		"[::1]": "give a name", "0x7f.1": "looks like an address", "*.example.com": "has", "https://example.com": "without a scheme", "": "no name", "ex\u00e4mple.com": "plain ASCII",
	} {
		_, err := (&Flags{On: true, Allow: []string{text}}).open(upstream, os.Getenv)
		assert.ErrorContains(t, err, want, text)
	}

	for sealed, want := range map[bool]error{false: ErrNothing, true: ErrSealedAllow} {
		_, err := (&Flags{Allow: []string{"example.com"}}).Open(nil, os.Getenv, sealed)
		assert.ErrorIs(t, err, want)
	}

	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "outside, for "+r.Host) }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	p, _ := open(t, guard.Offline, "allowed.test:"+port)
	p.resolve = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	c := client(t, p)
	_, _, _, err = get(t, c, "https://allowed.test:"+port+"/")
	assert.ErrorContains(t, err, "Bad Gateway", "it leads to this machine")

	p.leads = func(netip.Addr) error { return nil }
	c.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
	_, _, text, err := get(t, c, "https://allowed.test:"+port+"/")
	require.NoError(t, err)
	assert.Equal(t, "outside, for allowed.test:"+port, text)

	for _, sni := range []string{"identity.avalara.com", "example.com", ""} {
		conn := dial(t, p)
		tunnel := &pipelined{Conn: conn, first: "CONNECT allowed.test:" + port + " HTTP/1.1\r\nHost: x\r\n\r\n"}
		err := tls.Client(tunnel, &tls.Config{ServerName: sni, InsecureSkipVerify: true}).Handshake() //nolint:gosec // it must not come so far
		assert.Error(t, err, "%q", sni)
	}
	conn := dial(t, p)
	_, err = io.WriteString(conn, "CONNECT allowed.test:"+port+" HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: identity.avalara.com\r\n\r\n")
	require.NoError(t, err)
	all, _ := io.ReadAll(conn)
	assert.Equal(t, established, string(all), "what is no TLS goes nowhere")
	names, _ := p.asked.list()
	assert.Contains(t, names, "identity.avalara.com:"+port)
}

// Where something can be spent, the proxy is the command's alone.
func TestOnlyTheCommandSpends(t *testing.T) {
	t.Parallel()
	p, _ := open(t, guard.Offline)
	p.buys = true
	theirs := &http.Request{Header: http.Header{}, RemoteAddr: "10.0.0.1:1"}
	assert.False(t, p.admitted(theirs))
	theirs.Header.Set("Proxy-Authorization", "Basic aHNoYXJuZXNzOg==")
	assert.False(t, p.admitted(theirs))
	own, err := url.Parse(p.url())
	require.NoError(t, err)
	password, _ := own.User.Password()
	request := &http.Request{Header: http.Header{}}
	request.SetBasicAuth(own.User.Username(), password)
	theirs.Header.Set("Proxy-Authorization", request.Header.Get("Authorization"))
	assert.True(t, p.admitted(theirs))

	status, text := raw(t, p, "CONNECT pypi.org:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	if runtime.GOOS == "linux" {
		assert.Equal(t, 403, status, "a process of this user")
	} else {
		assert.Equal(t, 407, status)
		assert.Contains(t, text, "for the command of one run")
	}
	conn := dial(t, p)
	assert.Equal(t, runtime.GOOS == "linux", sameUser(conn.LocalAddr().String(), conn.RemoteAddr().String()))
	assert.False(t, sameUser(conn.LocalAddr().String(), "127.0.0.1:1"))
	assert.False(t, sameUser("127.0.0.1:1", conn.RemoteAddr().String()))
}

func TestFlagsThatDontGoTogether(t *testing.T) {
	t.Parallel()
	proj := func() (*project.Project, error) { return nil, errors.New("the project was read") }
	for _, row := range []struct {
		flags  Flags
		sealed bool
		want   string
	}{
		{Flags{}, true, ""},
		{Flags{Allow: []string{"example.com"}}, false, ErrNothing.Error()},
		{Flags{On: true}, true, ErrSealed.Error()},
		{Flags{On: true}, false, "the project was read"},
	} {
		p, err := row.flags.Open(proj, os.Getenv, row.sealed)
		assert.Nil(t, p)
		if row.want == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, row.want)
		}
	}
	for text, want := range map[string]error{"--intercept": ErrOutermost, "--intercept=false": nil, "--allow=example.com": ErrOutermost} {
		var f Flags
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.Add(flags)
		require.NoError(t, flags.Parse([]string{text}))
		assert.Equal(t, want, f.Within(flags, nil), text)
		assert.NoError(t, f.Within(flags, map[string]bool{"intercept": true, "allow": true}), "handed down")
	}
}

func TestEnvironLeadsToTheProxy(t *testing.T) {
	t.Parallel()
	p, _ := open(t, guard.Offline)
	environ := p.Environ([]string{
		"PATH=/bin", "Https_Proxy=http://corp:1", "all_proxy=socks5://corp", "SSL_CERT_FILE=/theirs", "JAVA_TOOL_OPTIONS=-Xmx1g",
		"NO_PROXY=.avalara.com,intern.example *", "no_proxy=10.0.0.0/8,avlr.sh:443 .SH",
	})
	vars := map[string]string{}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		assert.NotContains(t, vars, name)
		vars[name] = value
	}
	assert.NotContains(t, vars, "Https_Proxy")
	assert.Equal(t, "/bin", vars["PATH"])
	for _, name := range proxied {
		assert.Equal(t, p.url(), vars[name])
	}
	assert.Equal(t, "1", vars["NODE_USE_ENV_PROXY"])
	assert.Equal(t, "intern.example,127.0.0.1,localhost,::1", vars["NO_PROXY"])
	assert.Equal(t, "10.0.0.0/8,127.0.0.1,localhost,::1", vars["no_proxy"])
	assert.Contains(t, vars["JAVA_TOOL_OPTIONS"], "-Xmx1g -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=")
	for _, entry := range []string{
		"*", ".", "*.*", "com", ".com", "avalara.com", "*.avalara.com", "*avalara.com", "alara.com", "AVALARA.COM", "avalara.com.", "avalara.com:443", "https://ai-sbx.avlr.sh", "ai-sbx.avlr.sh/",
		"h", "hscode.*", "*.api.*", "ai-sb?.avlr.sh", "[", "login.sandbox.invalid", "sandbox.invalid", ".avlr.sh",
	} {
		assert.Equal(t, "127.0.0.1,localhost,::1", p.excepting(entry), entry)
	}
	for _, entry := range []string{"example.com", "192.168.0.0/16", "avalara.com.example", "my-avlr.sh.example", "*.example.com", "registry.npmjs.org:443", "localhost:8080"} {
		assert.Equal(t, entry+",127.0.0.1,localhost,::1", p.excepting(entry), entry)
	}
}

func TestFilesAreOursAndEnd(t *testing.T) {
	t.Parallel()
	p, err := (&Flags{On: true}).open(upstream, os.Getenv)
	require.NoError(t, err)
	info, err := os.Stat(p.folder)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	}
	_ = filepath.WalkDir(p.folder, func(name string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		if !d.IsDir() {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "PRIVATE KEY")
			assert.NotContains(t, string(text), p.secret)
		}
		return nil
	})
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	assert.NoDirExists(t, p.folder)
	var none *Proxy
	require.NoError(t, none.Close())
}
