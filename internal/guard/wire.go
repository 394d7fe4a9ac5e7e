package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// maxAnswer bounds an answer, in bytes. A longer one is no answer: half of it
// would look like all of it.
const maxAnswer = 16 << 20

// answer is a whole answer, held in memory.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

// attempt is what became of one attempt on the wire.
type attempt struct {
	answer *answer
	// status is that of an answer whose body did not arrive whole, and of a
	// whole one; 0 when none began.
	status int
	// untouched is the proof that nothing was written: the transport never had
	// a connection to write to. A connection that it had, even for a moment,
	// is no proof.
	untouched bool
	err       error
}

// newTransport returns the one transport that reaches metered hosts. net/http
// sends a request again, below any RoundTripper, when a kept-alive connection
// turns out to be dead, and HTTP/2 does so after a GOAWAY; so neither is used.
// Redirects are a matter of http.Client, which is not used either. It reaches no
// host of production, and nothing on loopback by a proxy.
func newTransport(proxy Proxy, passed *passage) http.RoundTripper {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return sandboxOnly{proxy, passed, &http.Transport{
		DialContext:            dialSandbox,
		Proxy:                  proxy.proxy,
		OnProxyConnectResponse: proxy.refused,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		Protocols:              protocols,
		TLSHandshakeTimeout:    10 * time.Second, // the attempt's own timeout covers the rest
	}}
}

// privateHeader is what the names of the harness's own headers start with. They
// pass the guard in neither direction.
const privateHeader = "Hsharness-"

// hopByHop are the headers that end at the guard (RFC 9110 §7.6.1).
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// decided are those that the guard must decide for itself: the credential, the
// encoding of the answer, Expect, since it holds the whole body already, and what
// asks for a part of an answer, or for one on a condition (RFC 9110 §13 and §14,
// RFC 3229): who asks next for the same would get that part for the whole.
var decided = []string{
	"Authorization", "Cookie", "Host", "Content-Length", "Accept-Encoding", "Expect",
	"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "A-Im",
}

// routeWords are the words in the names of headers by which a server, or a proxy
// before it, may answer for another path, method or host than the one that was
// priced: X-Original-URL, X-Rewrite-URL, X-HTTP-Method-Override, Forwarded.
var routeWords = []string{
	"original", "rewrite", "rewritten", "override", "forward", "forwarded", "proxy", "host", "url", "uri", "path", "route", "router", "routing",
	"method", "destination", "target", "upstream", "backend", "envoy", "accel", "scheme", "prefix", "redirect",
}

// passed copies the headers that go through the guard, under canonical names. Those
// of a request are toSandbox.
func passed(header http.Header, toSandbox bool, stopped ...string) http.Header {
	var listed []string
	all := 0
	for name, values := range header {
		all += len(values)
		if http.CanonicalHeaderKey(name) == "Connection" {
			for one := range strings.SplitSeq(strings.Join(values, ","), ",") {
				listed = append(listed, http.CanonicalHeaderKey(strings.TrimSpace(one)))
			}
		}
	}
	ends := func(name string) bool {
		return slices.Contains(hopByHop, name) || slices.Contains(stopped, name) || slices.Contains(listed, name)
	}
	through := make(http.Header, len(header))
	room := make([]string, 0, all) // of all values, which are copied: an answer's are kept
	for name, values := range header {
		name = http.CanonicalHeaderKey(name)
		if !strings.HasPrefix(name, privateHeader) && !ends(name) && (!toSandbox || !hasWord(name, routeWords)) {
			if before, ok := through[name]; ok { // in another spelling
				through[name] = append(before, values...)
				continue
			}
			from := len(room)
			room = append(room, values...)
			through[name] = slices.Clip(room[from:])
		}
	}
	return through
}

// outbound makes the request for the wire, of nothing but what was priced. It
// has no GetBody, without which net/http can't send a body twice.
func outbound(r *http.Request, base string, body []byte, token string) (*http.Request, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	u.Path, u.RawPath, u.RawQuery = r.URL.Path, r.URL.RawPath, r.URL.RawQuery
	out := &http.Request{
		Method: r.Method, URL: u, Host: u.Host, Header: passed(r.Header, true, decided...),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, ContentLength: int64(len(body)),
	}
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	out.Header.Set("Authorization", "Bearer "+token)
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", "hsharness")
	}
	return out, nil
}

var errTooLong = fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)

// errSwitched: net/http would leave the connection to us, and no timeout would
// end the reading.
var errSwitched = errors.New("the sandbox switched protocols, which nobody asked for")

// send puts one request on the wire, once, and reads the whole answer.
func send(ctx context.Context, transport http.RoundTripper, r *http.Request, timeout time.Duration) attempt {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	start := time.Now()
	resp, err := transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return attempt{untouched: !connected.Load(), err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, arrived, err := readAnswer(ctx, whole, resp)
	if err != nil {
		return attempt{status: resp.StatusCode, err: fmt.Errorf("read the answer (status %d): %w", resp.StatusCode, err)}
	}
	return attempt{status: resp.StatusCode, answer: &answer{resp.StatusCode, resp.Header, body, arrived.Sub(start)}}
}

// statusError is an answer with a status that no answer has (RFC 9110 §15).
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("status %03d is none that an answer may have", int(e))
}

// known tells whether an answer may have a status: no other can be handed over.
func known(status int) bool { return 200 <= status && status <= 599 }

// write hands an answer to the client.
func (a *answer) write(w http.ResponseWriter) {
	through := passed(a.header, false, "Content-Length")
	if r, ok := w.(*recorder); ok {
		r.take(a.status, through, a.body)
		return
	}
	maps.Copy(w.Header(), through)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}
