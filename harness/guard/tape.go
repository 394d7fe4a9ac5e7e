package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hsharness/hsharness/harness/recording"
	"github.com/hsharness/hsharness/internal/avalara"
)

// Tape is a folder of recordings with how far one run has come in those that
// are told answer by answer. The guards of a run share one. It is safe for
// concurrent use.
type Tape struct {
	store  *recording.Store
	cursor recording.Cursor
	maxAge time.Duration // zero is any age

	used *used
}

// used are the keys that were answered.
type used struct {
	mu   sync.Mutex
	keys map[string]bool
}

// NewTape returns a run's tape at its start. Recordings older than maxAge are
// counted as stale when they answer; nothing is bought again for it. Zero is any
// age.
func NewTape(store *recording.Store, maxAge time.Duration) *Tape {
	return &Tape{store: store, maxAge: maxAge, used: &used{keys: map[string]bool{}}}
}

// Own is the same tape at its start again: for a client of the run, whose polls
// must not move those of another.
func (t *Tape) Own() *Tape { return &Tape{store: t.store, maxAge: t.maxAge, used: t.used} }

func (t *Tape) stale(take *recording.Take) bool {
	return t.maxAge > 0 && take.Age(time.Now()) > t.maxAge
}

// Used tells whether a recording, by its key, answered a request of this run.
func (t *Tape) Used(key string) bool {
	t.used.mu.Lock()
	defer t.used.mu.Unlock()
	return t.used.keys[key]
}

func (t *Tape) use(key string) {
	t.used.mu.Lock()
	defer t.used.mu.Unlock()
	t.used.keys[key] = true
}

// Find looks a request up as a guard would, without answering it: the key that
// its recording has, and the latest take, nil where nothing is recorded.
func (t *Tape) Find(env avalara.Environment, api avalara.API, r *http.Request, body []byte) (key string, latest *recording.Take, err error) {
	k := t.store.Key(recorded(env, api, r, body))
	found, err := t.store.Get(k)
	switch {
	case errors.Is(err, recording.ErrMiss):
		return k.Sum, nil, nil
	case err != nil:
		return k.Sum, nil, err
	}
	return k.Sum, found.Latest(), nil
}

// recorded is a request as the recordings see it.
func recorded(env avalara.Environment, api avalara.API, r *http.Request, body []byte) recording.Request {
	return recording.Request{
		Environment: string(env), API: string(api), Operation: r.Method + " " + r.URL.Path, Method: r.Method,
		Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, Body: body,
	}
}

// lockTimeout is how long a request may wait for another one that buys the same
// answer: as long as that one may take, spend and all.
const lockTimeout = 2 * DefaultTimeout

// taped is one request with its key.
type taped struct {
	face    *face
	tape    *Tape
	request recording.Request
	key     recording.Key
	price   Price
	event   *event
}

func (f *face) taped(r *http.Request, body []byte, price Price, e *event) *taped {
	t := &taped{face: f, tape: f.guard.cfg.Tape, price: price, event: e, request: recorded(f.env, f.api, r, body)}
	if price.Operation != "" {
		t.request.Operation = price.Operation
	}
	t.key = t.tape.store.Key(t.request)
	e.key = t.key.Sum
	return t
}

// replay answers from the recordings, or refuses as a miss.
func (t *taped) replay() (*answer, *Refusal) {
	take, err := t.tape.store.Serve(&t.tape.cursor, t.key)
	switch {
	case errors.Is(err, recording.ErrMiss):
		return nil, t.miss()
	case err != nil:
		return nil, t.damaged(err)
	}
	if refusal := t.face.guard.capped(t.units()); refusal != nil {
		return nil, refusal
	}
	t.tape.use(t.key.Sum)
	t.event.verdict, t.event.units = "replayed", t.units()
	n := Tally{Requests: 1, Replayed: 1, Price: t.event.units}
	if t.tape.stale(take) {
		n.Stale = 1
	}
	t.face.guard.counter.add(n)
	return &answer{status: take.Response.Status, header: take.Response.Header, body: take.Response.Body}, nil
}

// units is the price in units of the sandbox's allowance: production has none.
func (t *taped) units() int {
	if t.face.env != avalara.Sandbox {
		return 0
	}
	return t.price.Units
}

// damaged refuses a recording that can't be read. It is never bought again in
// silence: it may well be a good one with a conflict of a merge in it.
func (t *taped) damaged(err error) *Refusal {
	return &Refusal{Verdict: RecordingDamaged, Units: t.price.Units, Err: err, Command: "mend the file, or remove it to buy it again"}
}

// record answers from the recordings, and buys what is missing once: whoever
// asks for the same waits, in this process and in others. A request that costs
// nothing is always sent, and its answer kept when it differs.
func (t *taped) record(r *http.Request, buy func(keep keeper) (*answer, *Refusal)) (*answer, *Refusal) {
	if t.price.Units == 0 {
		return buy(t.keep)
	}
	ctx, cancel := context.WithTimeout(r.Context(), lockTimeout)
	defer cancel()
	unlock, err := t.tape.store.Lock(ctx, t.key)
	if err != nil {
		return nil, &Refusal{Verdict: RecordingFailed, Units: t.price.Units, Err: err}
	}
	defer unlock()
	_, err = t.tape.store.Get(t.key)
	switch {
	case err == nil:
		return t.replay()
	case !errors.Is(err, recording.ErrMiss):
		return nil, t.damaged(err)
	}
	return buy(t.keep)
}

// keeper writes a bought answer down before anybody sees it.
type keeper func(spend string, a *answer)

// keep records an answer. The client gets it even if that fails: it was paid
// for. The run is marked failed then.
func (t *taped) keep(spend string, a *answer) {
	take := recording.Take{
		RecordedAt: time.Now(), Cost: t.price.Units, ElapsedMS: a.took.Milliseconds(),
		Response: recording.Message{Status: a.status, Header: a.header, Body: a.body},
	}
	if t.price.Units > 0 {
		take.Entry = spend
	}
	ctx, cancel := context.WithTimeout(context.Background(), ledgerTimeout)
	defer cancel()
	err := t.tape.store.Put(ctx, t.key, take)
	var secret *recording.QuarantineError
	switch {
	case err == nil:
	case errors.As(err, &secret):
		t.face.guard.counter.note(&Refusal{Verdict: Policy, Err: err})
	default:
		t.face.guard.counter.note(&Refusal{Verdict: RecordingFailed, Err: err})
	}
}

// miss refuses a request that nothing was recorded for.
func (t *taped) miss() *Refusal {
	e := &MissError{Method: t.request.Method, Path: t.key.Inputs.Path, Units: t.units()}
	nearest, differences, err := t.tape.store.Nearest(t.request)
	if err == nil {
		e.Nearest, e.Differences = nearest.File, differences
	}
	t.face.guard.counter.add(Tally{Missed: 1})
	command := fmt.Sprintf("repeat with --mode record --max-spend %d", max(1, e.Units))
	if t.face.env != avalara.Sandbox {
		e.Production = true
		command = "repeat with --mode offline"
	}
	return &Refusal{Verdict: Missed, Units: e.Units, Err: e, Command: command}
}
