package intercept

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
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

func TestEverythingElseIsRefused(t *testing.T) {
	t.Parallel()
	p, _ := open(t, guard.Offline, "allowed.invalid")
	own := httptest.NewServer(http.NotFoundHandler())
	defer own.Close()
	for line, want := range map[string]string{
		"CONNECT pypi.org:443":                    "403 pypi.org:443 is not here: let it through with --allow pypi.org",
		"CONNECT PyPI.org.:443":                   "403 pypi.org:443 is not here",
		"CONNECT xn--pypi-1.org:443":              "403 xn--pypi-1.org:443 is not here",
		"CONNECT 127.0.0.1:5432":                  "403 127.0.0.1:5432 is on this machine",
		"CONNECT localhost:443":                   "403 localhost:443 is on this machine",
		"CONNECT [::1]:443":                       "403 [::1]:443 is on this machine",
		"CONNECT [::ffff:127.0.0.1]:443":          "403 127.0.0.1:443 is on this machine",
		"CONNECT " + own.Listener.Addr().String(): "is on this machine",
		"CONNECT " + p.at.Addr().String():         "is on this machine",
		"CONNECT 2130706433:443":                  "400",
		"CONNECT 0177.0.0.1:443":                  "400",
		"CONNECT 10.0.0.1:443":                    "403 10.0.0.1:443 is an address, and only names can be let through",
		"CONNECT ai-sbx.avlr.sh:8443":             "403 ai-sbx.avlr.sh:8443 is a host of the service, which answers on port 443 alone",
		"CONNECT ai-sbx.avlr.sh:80":               "answers on port 443 alone",
		"CONNECT identity.avalara.com:22":         "answers on port 443 alone",
		"CONNECT ai-sbx.avlr.sh":                  "400 CONNECT takes HOST:PORT",
		"CONNECT ai-sbx.avlr.sh:443@pypi.org:443": "403 pypi.org:443 is not here",
		"CONNECT allowed.invalid:22":              "403 allowed.invalid:22 is not here",
		"CONNECT other.avalara.com:443":           "403 other.avalara.com:443 is not here",
		"CONNECT ai-sbx.avlr.sh.evil.example:443": "403 ai-sbx.avlr.sh.evil.example:443 is not here",
		"CONNECT /":                  "400",
		"GET /":                      "400 this is a proxy",
		"GET http://ai-sbx.avlr.sh/": "403 ai-sbx.avlr.sh is a host of the service, which answers by https alone",
		"GET https://ai-sbx.avlr.sh/connect/token":         "403 ai-sbx.avlr.sh is a host of the service, which answers by https alone",
		"POST http://identity.avalara.com/connect/token":   "answers by https alone",
		"GET http://" + own.Listener.Addr().String() + "/": "is on this machine",
		"GET http://allowed.invalid/":                      "403 allowed.invalid is not here, and --allow lets https through alone",
		"GET http://example.com/":                          "403 example.com is not here",
		"GET http://169.254.169.254/latest/meta-data/":     "403 169.254.169.254 is an address",
		"GET ftp://example.net/":                           "403 example.net is not here",
	} {
		status, text := raw(t, p, line+" HTTP/1.1\r\nHost: ai-sbx.avlr.sh\r\n\r\n")
		assert.Contains(t, fmt.Sprintf("%d %s", status, strings.TrimPrefix(text, "hsharness: ")), want, line)
	}
	for _, text := range []string{
		"CONNECT ai-sbx.avlr.sh:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
		"CONNECT ai-sbx.avlr.sh:443 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"CONNECT ai-sbx.avlr.sh:443 HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		status, _ := raw(t, p, text)
		assert.GreaterOrEqual(t, status, 400)
		assert.Less(t, status, 500)
	}
	// What follows a refused request on its connection is nobody's.
	conn := dial(t, p)
	_, err := io.WriteString(conn, "CONNECT pypi.org:443 HTTP/1.1\r\nHost: x\r\n\r\nCONNECT ai-sbx.avlr.sh:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	all, _ := io.ReadAll(conn)
	assert.Equal(t, 1, strings.Count(string(all), "HTTP/1.1 "), "%s", all)

	var bill report.Bill
	p.Fill(&bill)
	assert.Equal(t, []string{
		"10.0.0.1", "169.254.169.254", "ai-sbx.avlr.sh", "ai-sbx.avlr.sh.evil.example", "ai-sbx.avlr.sh:8443", "allowed.invalid", "allowed.invalid:22",
		"example.com", "example.net", "identity.avalara.com", "identity.avalara.com:22", "other.avalara.com", "pypi.org", "xn--pypi-1.org",
	}, bill.AskedFor, "what is on this machine is not elsewhere")
	for i := range 2 * shown {
		p.asked.note(avalara.Address{Name: fmt.Sprintf("z%04d.example", i)})
	}
	p.Fill(&bill)
	assert.Len(t, bill.AskedFor, shown)
	assert.Equal(t, 14+2*shown-shown, bill.AskedForMore)
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.at.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return conn
}

// raw sends text to the proxy, and reads one answer.
func raw(t *testing.T, p *Proxy, text string) (status int, body string) {
	t.Helper()
	conn := dial(t, p)
	go func() { _, _ = io.WriteString(conn, text) }() // a long one may be refused unread
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err, text[:min(len(text), 100)])
	all, _ := io.ReadAll(resp.Body)
	_ = conn.Close()
	return resp.StatusCode, string(all)
}

// What comes before the answer to CONNECT is part of what is sent, and TLS to another
// name is another host's.
func TestWhatIsSentEarlyIsKept(t *testing.T) {
	t.Parallel()
	p, s := open(t, guard.Replay)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(p.ca.PEM())
	for _, row := range []struct {
		connect, sni, host string
		want               int
	}{
		{"ai-sbx.avlr.sh", "ai-sbx.avlr.sh", "ai-sbx.avlr.sh", 200},
		{"ai-sbx.avlr.sh", "ai-sbx.avlr.sh", "identity.avalara.com", 421},
		{"ai-sbx.avlr.sh", "identity.avalara.com", "identity.avalara.com", 424},
		{"identity.avalara.com", "ai-sbx.avlr.sh", "ai-sbx.avlr.sh", 200},
		{"ai-sbx.avlr.sh", "", "ai-sbx.avlr.sh", 0},
		{"ai-sbx.avlr.sh", "example.com", "example.com", 0},
	} {
		conn := dial(t, p)
		early := &pipelined{Conn: conn, first: "CONNECT " + row.connect + ":443 HTTP/1.1\r\nHost: x\r\n\r\n"}
		c := tls.Client(early, &tls.Config{ServerName: row.sni, RootCAs: roots, InsecureSkipVerify: row.sni == ""}) //nolint:gosec // no name is none to check
		err := c.Handshake()
		if row.want == 0 {
			assert.Error(t, err, "%+v", row)
			continue
		}
		require.NoError(t, err, "%+v", row)
		_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", avalara.PathDiscovery, row.host)
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		assert.Equal(t, row.want, resp.StatusCode, "%+v", row)
		_ = conn.Close()
	}
	tally, _ := s.Tally()
	assert.Equal(t, 1, tally.Refused)
}

// pipelined sends first before anything else, in one piece, and skips the answer to it.
type pipelined struct {
	net.Conn
	first   string
	skipped bool
}

func (p *pipelined) Write(b []byte) (int, error) {
	n := len(b)
	if p.first != "" {
		b, p.first = append([]byte(p.first), b...), ""
	}
	_, err := p.Conn.Write(b)
	return n, err
}

func (p *pipelined) Read(b []byte) (int, error) {
	if !p.skipped {
		p.skipped = true
		answer := make([]byte, len(established))
		if _, err := io.ReadFull(p.Conn, answer); err != nil {
			return 0, err
		}
		if string(answer) != established {
			return 0, fmt.Errorf("%s", answer)
		}
	}
	return p.Conn.Read(b)
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

// When the services end, nothing that is left gets an answer, on no connection.
func TestItEndsWithTheServices(t *testing.T) {
	t.Parallel()
	p, s := open(t, guard.Offline)
	c := client(t, p)
	status, _, _, err := get(t, c, "https://ai-sbx.avlr.sh"+avalara.PathDiscovery)
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	require.NoError(t, s.Close())
	for range 2 {
		_, _, _, err = get(t, c, "https://ai-sbx.avlr.sh"+avalara.PathDiscovery)
		assert.Error(t, err)
	}
}

// Who is slow, or one too many, gets nothing, and others go on.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	p, err := (&Flags{On: true}).open(upstream, func(string) string { return "" })
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	s, err := services.New(services.Config{Upstream: upstream, Limits: bounded.Limits{HeaderTime: 300 * time.Millisecond}})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, p.Serve(s))
	p.tunnels.most = 2
	const connect = "CONNECT ai-sbx.avlr.sh:443 HTTP/1.1\r\nHost: x\r\n\r\n"
	silent := []net.Conn{dial(t, p), dial(t, p)}
	for _, conn := range silent {
		_, err := io.WriteString(conn, connect)
		require.NoError(t, err)
		_, err = io.ReadFull(conn, make([]byte, len(established)))
		require.NoError(t, err)
	}
	status, text := raw(t, p, connect)
	assert.Equal(t, 503, status, text)
	for _, conn := range silent {
		_, err := conn.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF, "it is cut before its deadline")
	}
	c := client(t, p)
	status, _, _, err = get(t, c, "https://ai-sbx.avlr.sh"+avalara.PathDiscovery)
	require.NoError(t, err)
	assert.Equal(t, 200, status, "there is room again")

	r, err := http.NewRequest(http.MethodGet, "https://ai-sbx.avlr.sh/", nil)
	require.NoError(t, err)
	r.Header.Set("X", strings.Repeat("x", 1<<20))
	resp, err := c.Do(r)
	if err == nil { // h2 may cut the connection
		_ = resp.Body.Close()
		assert.Equal(t, 431, resp.StatusCode)
	}
}

// program is where a program is. A machine with Go alone may lack it, and says that its
// part did not run; CI has all.
func program(t *testing.T, name string) (path string, installed bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "%s is not installed", name)
		t.Logf("NOT RUN: %s is not installed", name)
	}
	return path, err == nil
}

// Programs that know nothing of us ask for the real URLs, and get our answer.
func TestProgramsAreIntercepted(t *testing.T) {
	t.Parallel()
	p, _ := open(t, guard.Offline)
	const target = "https://login.sandbox.invalid" + avalara.PathDiscovery
	const java = `import java.net.*; import java.net.http.*;
class Ask { public static void main(String[] a) throws Exception {
 System.out.println(new String(new URL(a[0]).openStream().readAllBytes()));
 System.out.println(HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(a[0])).build(), HttpResponse.BodyHandlers.ofString()).body());
} }`
	source := filepath.Join(t.TempDir(), "Ask.java")
	require.NoError(t, os.WriteFile(source, []byte(java), 0o600))
	for name, args := range map[string][]string{
		"curl":    {"-sS", target},
		"python3": {"-c", "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())", target},
		"php":     {"-r", "$c = curl_init($argv[1]); curl_exec($c) or exit(1);", target},
		"perl":    {"-MHTTP::Tiny", "-e", "$r = HTTP::Tiny->new(verify_SSL => 1)->get($ARGV[0]); die $r->{content} unless $r->{success}; print $r->{content}", target},
		"ruby":    {"-ropen-uri", "-e", "puts URI.open(ARGV[0]).read", target},
		"java":    {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", source, target},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, ok := program(t, name)
			if !ok {
				return
			}
			cmd := exec.Command(path, args...)
			cmd.Env = p.Environ(os.Environ())
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Contains(t, string(out), `"issuer":"https://login.sandbox.invalid"`)
		})
	}
}
