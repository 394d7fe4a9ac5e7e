package guard

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bearer"
)

// maxBody is how large a request body may be, in bytes. It is held in memory
// because its price may depend on it.
const maxBody = 30_000_000

// TestHeader names the test that a request belongs to, for the ledger's
// reports. It is not sent on.
const TestHeader = "Hsharness-Test"

// NameTest puts the name of a test on a request, unless it has one or name is
// empty. Control characters, which no header can hold, become spaces.
func NameTest(h http.Header, name string) {
	if name == "" || h.Get(TestHeader) != "" {
		return
	}
	h.Set(TestHeader, strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name)))
}

// testOf is the name of the test that a request belongs to, as text that every
// ledger can keep.
func (g *Guard) testOf(r *http.Request) string {
	return strings.ToValidUTF8(cmp.Or(r.Header.Get(TestHeader), g.cfg.Test), "\uFFFD")
}

// Handler is the guard for one API: an http.Handler to whose root the
// API's paths are joined. What the guard refuses it answers itself, see
// [Refusal.Write].
func (g *Guard) Handler(env avalara.Environment, api avalara.API) http.Handler {
	f := g.handler(env, api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusal := f.serve(w, r); refusal != nil {
			refusal.Write(w)
		}
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

// handler is the guard in front of one API of one environment.
type handler struct {
	guard   *Guard
	env     avalara.Environment
	api     avalara.API
	checker bearer.Checker
	mock    http.Handler // nil unless the mock answers
}

func (g *Guard) handler(env avalara.Environment, api avalara.API) *handler {
	f := &handler{guard: g, env: env, api: api, checker: g.checker(env, api)}
	if g.cfg.Mode == Offline {
		f.mock = g.cfg.Mock(env, api)
	}
	return f
}

// serve answers a request, or says why it must not be answered and leaves w
// alone.
func (f *handler) serve(w http.ResponseWriter, r *http.Request) *Refusal {
	counter := &f.guard.counter
	e := f.event(r)
	defer e.close()
	if refusal := f.addressed(r); refusal != nil {
		counter.refuse(refusal)
		e.refused(refusal)
		return refusal
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		counter.add(Tally{Requests: 1, Refused: 1})
		e.verdict, e.status = "unreadable", http.StatusRequestEntityTooLarge
		http.Error(w, "the request's body could not be read", http.StatusRequestEntityTooLarge)
		return nil
	}
	token, unauthorized := f.checker.Check(r.Header.Get("Authorization"))
	if unauthorized != nil {
		counter.add(Tally{Requests: 1, Refused: 1})
		e.verdict, e.status = "unauthorized", unauthorized.Status
		unauthorized.Write(w)
		return nil
	}
	e.client = token.ClientID
	r = r.WithContext(context.WithValue(r.Context(), clientKey{}, token.ClientID))
	if f.mock != nil {
		units := f.guard.units(f.env, r, body)
		if refusal := f.guard.capped(units); refusal != nil {
			counter.refuse(refusal)
			e.refused(refusal)
			return refusal
		}
		e.verdict, e.units = "mocked", units
		counter.add(Tally{Requests: 1, Mocked: 1, Price: e.units})
		r.Body = io.NopCloser(bytes.NewReader(body))
		f.mock.ServeHTTP(w, r)
		return nil
	}
	got, refusal := f.answer(r, body, e)
	if refusal != nil {
		counter.refuse(refusal)
		e.refused(refusal)
		return refusal
	}
	e.status = got.status
	got.write(w)
	return nil
}

// answer is what the mode gives for a request: a recording, a bought answer, or
// a refusal.
func (f *handler) answer(r *http.Request, body []byte, e *event) (*answer, *Refusal) {
	price, err := f.guard.price(r, body)
	mode := f.guard.cfg.Mode
	if mode == Replay {
		return f.playing(r, body, price, e).replay() // a price that nobody knows is none that anybody pays
	}
	if f.env != avalara.Sandbox {
		return nil, &Refusal{Verdict: Policy, Err: &ProductionError{Host: avalara.HostOf(f.env, f.api).Name}}
	}
	if err != nil {
		return nil, &Refusal{Verdict: Policy, Err: err}
	}
	buy := func(keep keeper) (*answer, *Refusal) { return f.buy(r, body, price, keep, e) }
	if f.guard.cfg.Cassette == nil {
		return buy(nil)
	}
	t := f.playing(r, body, price, e)
	if mode == Record {
		return t.record(r, buy)
	}
	return t.live(r, buy)
}

// buy sends a request to the sandbox.
func (f *handler) buy(r *http.Request, body []byte, price Price, keep keeper, e *event) (*answer, *Refusal) {
	counter := &f.guard.counter
	got, refusal := f.guard.cfg.Purchase.buyer.buy(purchase{
		api: f.api, r: r, body: body, price: price, key: e.key, test: f.guard.testOf(r), keep: keep, cassette: f.guard.cfg.Cassette,
		own:   f.addresses(),
		note:  counter.note,
		allow: f.guard.capped,
		spent: func(id string, again bool) {
			n := Tally{Price: price.Units, Paid: price.Units}
			if again {
				n.Price, n.Resent = 0, price.Units
			}
			counter.add(n)
			e.spent(id, price.Units)
		},
	})
	if refusal == nil {
		e.verdict = "bought"
		counter.add(Tally{Requests: 1, Bought: 1})
	}
	return got, refusal
}

// transport is a handler without a server in between.
type transport struct{ handler *handler }

// RoundTrip keeps the rules of [http.RoundTripper]: it closes the body and
// leaves the request as it was.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.WithContext(r.Context())
	if r.Body == nil {
		out.Body = http.NoBody
	}
	defer func() { _ = out.Body.Close() }()
	rec := &recorder{header: http.Header{}}
	refusal, err := t.serve(rec, out)
	if refusal != nil {
		return nil, refusal
	}
	if err != nil {
		return nil, err
	}
	return rec.response(r), nil
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
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK { // 1xx are not the answer yet
		r.status, r.sent = status, r.header.Clone()
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) response(to *http.Request) *http.Response {
	r.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.sent, Body: io.NopCloser(&r.body), ContentLength: int64(r.body.Len()), Request: to,
	}
}
