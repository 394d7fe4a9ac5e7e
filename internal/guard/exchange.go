package guard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bearer"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/recording"
)

// exchange is one request on its way through a guard, and what became of it: the
// counts, the log and the observer are told from it once, at its end.
type exchange struct {
	handler *handler
	r       *http.Request
	start   time.Time

	client string // whose token it came with
	body   []byte
	price  Price
	// request and key are for the recordings; zero where there are none.
	request recording.Request
	key     recording.Key

	verdict Verdict
	status  int // of the answer, 0 where the guard or the mock made it
	counts  Tally
	units   int    // what it cost, or would have where nothing was spent
	entry   string // the spend that paid for it, the latest of several
	reason  string // of a refusal, where the client is not told
	again   bool   // it was asked before, and nothing of what came is an answer
	stale   bool   // the recording that answered is older than the cassette's maximum age
}

// reply is what a client gets, of whoever made it.
type reply interface {
	write(w http.ResponseWriter)
}

// serve answers a request, or says why it must not be answered and leaves w
// alone.
func (f *handler) serve(w http.ResponseWriter, r *http.Request) *Refusal {
	x := &exchange{handler: f, r: r, start: time.Now()}
	reply, refusal := x.reply()
	if refusal != nil {
		x.refused(refusal)
	}
	x.count() // before the client knows: it may ask for the counts at once
	defer x.report()
	if refusal == nil {
		reply.write(w)
	}
	return refusal
}

// reply is the guard: what it answers to a request, or why it does not. The token
// comes before the body, which nobody may send who has none.
func (x *exchange) reply() (reply, *Refusal) {
	f := x.handler
	if refusal := f.addressed(x.r); refusal != nil {
		return nil, refusal
	}
	token, unauthorized := f.checker.Check(bearer.Header(x.r.Header))
	if unauthorized != nil {
		x.verdict, x.status = Unauthorized, unauthorized.Status
		return written(unauthorized.Write), nil
	}
	x.client = token.ClientID
	var err error
	if x.body, err = readBody(x.r); err != nil {
		status, text := bounded.Reason(err)
		x.verdict, x.status = Unreadable, status
		return written(func(w http.ResponseWriter) { http.Error(w, text, status) }), nil
	}
	if f.guard.cfg.Mode == Offline {
		return x.mocked(Mocked)
	}
	return x.answered()
}

// introduce puts the client into the request's context, for who sells and for who mocks.
// Recordings answer everybody alike.
func (x *exchange) introduce() {
	x.r = x.r.WithContext(context.WithValue(x.r.Context(), clientKey{}, x.client))
}

// firstRead is how much of a body is read before room is made for what it says that
// it is long, in bytes: a server's share of the memory is taken by then.
const firstRead = 32 << 10

// readBody reads a body whole. Room is made once, for a buffer that grows leaves a
// heap behind that is many times the body.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	in := http.MaxBytesReader(nil, r.Body, maxBody)
	length := min(r.ContentLength, maxBody)
	if 0 < length && length <= firstRead {
		return readShort(in, int(length))
	}
	var all bytes.Buffer
	if length > firstRead {
		if _, err := io.CopyN(&all, in, firstRead); err != nil {
			return nil, err
		}
		all.Grow(int(length) - firstRead + bytes.MinRead)
	}
	_, err := all.ReadFrom(in)
	return all.Bytes(), err
}

// readShort reads a body that says how long it is, into as much room and one byte more,
// by which its end is seen.
func readShort(in io.Reader, length int) ([]byte, error) {
	all := make([]byte, 0, length+1)
	for {
		n, err := in.Read(all[len(all):cap(all)])
		all = all[:len(all)+n]
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		case len(all) == cap(all): // it is longer than it said
			all = append(all, 0)[:len(all)]
		}
	}
}

// mocked leaves the answer to the mock. It is marked, where a recording was to answer.
func (x *exchange) mocked(verdict Verdict) (reply, *Refusal) {
	f := x.handler
	units := f.guard.units(f.env, x.r, x.body)
	if refusal := f.guard.capped(units); refusal != nil {
		return nil, refusal
	}
	x.verdict, x.units = verdict, units
	x.introduce()
	x.r.Body = io.NopCloser(bytes.NewReader(x.body))
	return written(func(w http.ResponseWriter) {
		if verdict != Mocked {
			w.Header().Set(VerdictHeader, string(verdict))
		}
		f.mock.ServeHTTP(w, x.r)
	}), nil
}

// answered is what the mode gives for a request: a recording, a bought answer, or
// a refusal.
func (x *exchange) answered() (reply, *Refusal) {
	f := x.handler
	price, err := f.guard.price(x.r, x.body)
	x.price = price
	if f.guard.cfg.Mode == Replay {
		x.identify()
		return x.replay() // a price that nobody knows is none that anybody pays
	}
	x.introduce()
	if f.env != avalara.Sandbox {
		return nil, &Refusal{Verdict: Policy, Err: &ProductionError{Host: avalara.HostOf(f.env, f.api).Name}}
	}
	if err != nil {
		return nil, &Refusal{Verdict: Policy, Err: err}
	}
	if x.cassette() != nil {
		x.identify()
	}
	if f.guard.cfg.Mode == Record {
		return x.record()
	}
	return x.live()
}

// bought asks the sandbox.
func (x *exchange) bought() (reply, *Refusal) {
	got, refusal := x.handler.guard.cfg.Purchase.buyer.buy(x)
	if refusal != nil {
		return nil, refusal
	}
	x.verdict, x.status = Bought, got.status
	return got, nil
}

// cassette is where the recordings are, nil without.
func (x *exchange) cassette() *Cassette { return x.handler.guard.cfg.Cassette }

// spent notes a spend that was written down, which counts from now on, whatever
// becomes of the request. A second one adds to the first: the request was refused
// for its real token, and is sent and paid for once more.
func (x *exchange) spent(id string) {
	n := Tally{Price: x.price.Units, Paid: x.price.Units}
	if x.entry != "" {
		n.Price, n.Resent = 0, x.price.Units
	}
	x.add(n)
	x.entry = id
	x.units += x.price.Units
}

// note keeps what the run will end with though the client gets an answer.
func (x *exchange) note(r *Refusal) { x.handler.guard.counter.note(r) }

// refused notes why the guard answers itself. What was spent all the same
// counts; else it is what the request would have cost.
func (x *exchange) refused(r *Refusal) {
	x.verdict = r.Verdict
	if x.entry == "" {
		x.units = r.Units
	}
	if _, withheld := r.outwards(); withheld && x.handler.guard.cfg.Strangers {
		x.reason = r.Error()
	}
	x.note(r)
}

// count adds the exchange to the guard's counts. Its spends are in them already.
func (x *exchange) count() {
	n := Tally{Requests: 1}
	switch x.verdict {
	case Mocked:
		n.Mocked, n.Price = 1, x.units
	case Unbought:
		n.Mocked, n.Price, n.Unbought, n.UnboughtUnits = 1, x.units, 1, x.units
	case Replayed:
		n.Replayed, n.Price = 1, x.units
	case Bought:
		n.Bought = 1
	default:
		n.Refused = 1
	}
	switch x.verdict {
	case Missed:
		n.Missed = 1
		if x.handler.env == avalara.Sandbox {
			n.MissedUnits = x.price.Units
		}
	case Capped:
		n.Capped = 1
	}
	if x.stale {
		n.Stale = 1
	}
	if x.again && x.entry != "" {
		n.Again = 1
	}
	x.add(n)
}

func (x *exchange) add(n Tally) {
	x.counts = x.counts.Add(n)
	x.handler.guard.counter.add(n)
}

// written is a reply that writes itself.
type written func(w http.ResponseWriter)

func (f written) write(w http.ResponseWriter) { f(w) }
