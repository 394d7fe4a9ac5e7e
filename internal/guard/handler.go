package guard

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bearer"
	"github.com/hsharness/hsharness/internal/bounded"
)

// maxBody is how large a request body may be, in bytes, where a server sets no
// lower limit. It is held in memory
// because its price may depend on it.
const maxBody = bounded.MaxBody

// TestHeader names the test that a request belongs to, for the ledger's
// reports. It is not sent on.
const TestHeader = "Hsharness-Test"

// NameTest puts the name of a test on a request, unless it has one or name is
// empty. Control characters, which no header can hold, become spaces.
func NameTest(h http.Header, name string) {
	if name == "" || h.Get(TestHeader) != "" {
		return
	}
	h.Set(TestHeader, strings.TrimSpace(strings.Map(withoutControl, name)))
}

// withoutControl makes control characters spaces.
func withoutControl(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// CommandTest names what the clients of a command ask for that name no test: by the
// command alone, because its arguments may hold a secret.
func CommandTest(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return "command " + strings.TrimSuffix(filepath.Base(args[0]), ".exe")
}

// longestTest is how long the name of a test may be, in bytes: a ledger keeps no longer
// text.
const longestTest = 4096

// testOf is the name of the test that a request belongs to, as text that every
// ledger can keep: of a longer one the beginning, and no control characters.
func (g *Guard) testOf(r *http.Request) string {
	name := strings.Map(withoutControl, strings.ToValidUTF8(cmp.Or(r.Header.Get(TestHeader), g.cfg.Test), "\uFFFD"))
	if len(name) <= longestTest {
		return name
	}
	end := longestTest
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

// Handler is the guard for one API: an http.Handler to whose root the
// API's paths are joined. What the guard refuses it answers itself, see
// [Refusal.Write].
func (g *Guard) Handler(env avalara.Environment, api avalara.API) http.Handler {
	f := g.handler(env, api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal := f.serve(w, r)
		if refusal == nil {
			return
		}
		advise := g.cfg.Advise
		if g.cfg.Strangers { // who can type no command here
			refusal, _ = refusal.outwards()
			advise = nil
		}
		refusal.Write(w, advise)
	})
}

// Transport is the same for an [http.Client] of this process. Wherever a
// request's URL points, it goes to the API that the handler is for. What the guard
// refuses is an error: a [*Refusal] that wraps, for example, a
// [*quota.HoldUsedError]. A bad token is answered, as the API would.
func (g *Guard) Transport(env avalara.Environment, api avalara.API) http.RoundTripper {
	return transport{g.handler(env, api)}
}

// clientKey finds the client in a request's context.
type clientKey struct{}

// Client is the client whose token came with the request that ctx is of: what a
// [Meter] of several clients asks. Empty outside of a request to a guard.
func Client(ctx context.Context) string {
	id, _ := ctx.Value(clientKey{}).(string)
	return id
}

// apart is a context for what is done for a request though its client gives up. Of what
// the client's has it knows who asks, and the room that the answer has: a client of this
// process that traces its requests ([net/http/httptrace]) would be told the real token, and
// given the connection to the sandbox.
func (x *exchange) apart() context.Context {
	return context.WithValue(bounded.Room(context.Background(), x.r.Context()), clientKey{}, x.client)
}

// handler is the guard in front of one API of one environment.
type handler struct {
	guard   *Guard
	env     avalara.Environment
	api     avalara.API
	checker bearer.Checker
	own     []avalara.Address // of the API: what an answer may lead to
	mock    http.Handler      // nil where the mock answers nothing
}

func (g *Guard) handler(env avalara.Environment, api avalara.API) *handler {
	f := &handler{guard: g, env: env, api: api, checker: g.checker(env, api)}
	f.own = f.addresses()
	if g.cfg.Mode == Offline || g.cfg.mocksMisses() {
		f.mock = g.cfg.Mock(env, api)
	}
	return f
}

// transport is a handler without a server in between.
type transport struct{ handler *handler }

// RoundTrip keeps the rules of [http.RoundTripper]: it closes the body and
// leaves the request as it was.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	rec := &recorder{}
	refusal, err := t.serve(rec, arrived(r))
	if refusal != nil {
		return nil, refusal
	}
	if err != nil {
		return nil, err
	}
	return rec.response(r), nil
}

// arrived is a request as a server would have it: with a method, and the names of its
// headers in their one spelling, by which they are looked for and sent on.
func arrived(r *http.Request) *http.Request {
	plain := r.Method != ""
	for name := range r.Header {
		plain = plain && name == http.CanonicalHeaderKey(name)
	}
	if plain {
		return r
	}
	out := new(http.Request)
	*out = *r
	out.Method, out.Header = cmp.Or(r.Method, http.MethodGet), make(http.Header, len(r.Header))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		canonical := http.CanonicalHeaderKey(name)
		out.Header[canonical] = append(out.Header[canonical], r.Header[name]...)
	}
	return out
}

var errAborted = errors.New("the mock API hung up")

// serve turns the abort of a handler, which would make a server hang up, into
// an error.
func (t transport) serve(rec *recorder, r *http.Request) (refusal *Refusal, err error) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this
			err = errAborted
		} else if p != nil {
			panic(p)
		}
	}()
	return t.handler.serve(rec, r), nil
}

// recorder is a response writer that keeps what was written.
type recorder struct {
	header http.Header
	sent   http.Header // header as it was when the status was written
	status int
	body   bytes.Buffer
	whole  *wholeBody // in place of all this, of an answer that is whole already
}

// wholeBody is read from where the answer is kept, which many read at once.
type wholeBody struct{ bytes.Reader }

func (*wholeBody) Close() error { return nil }

// take keeps an answer whose header is nobody else's.
func (r *recorder) take(status int, header http.Header, body []byte) {
	r.status, r.sent, r.whole = status, header, new(wholeBody)
	r.whole.Reset(body)
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK { // 1xx are not the answer yet
		r.status, r.sent = status, r.Header().Clone()
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) response(to *http.Request) *http.Response {
	r.WriteHeader(http.StatusOK)
	out := &http.Response{
		Status: strconv.Itoa(r.status) + " " + http.StatusText(r.status), StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.sent, Request: to,
	}
	if r.whole != nil {
		out.Body, out.ContentLength = r.whole, r.whole.Size()
	} else {
		out.Body, out.ContentLength = io.NopCloser(&r.body), int64(r.body.Len())
	}
	return out
}
