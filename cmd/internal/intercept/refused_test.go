package intercept

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

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
