package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/recording"
)

// Cassette is a folder of recordings with how far one run has come in those that
// are told answer by answer. The guards of a run share one. It is safe for
// concurrent use.
type Cassette struct {
	store  *recording.Store
	cursor recording.Cursor
	maxAge time.Duration // zero is any age

	run *cassetteRun
}

// NewCassette returns a run's cassette at its start. Recordings older than maxAge are
// counted as stale when they answer; nothing is bought again for it. Zero is any
// age.
func NewCassette(store *recording.Store, maxAge time.Duration) *Cassette {
	return &Cassette{store: store, maxAge: maxAge, run: &cassetteRun{used: map[string]bool{}, kept: map[string]bool{}}}
}

// Own is the same cassette at its start again: for a client of the run, whose polls
// must not move those of another.
func (t *Cassette) Own() *Cassette { return &Cassette{store: t.store, maxAge: t.maxAge, run: t.run} }

func (t *Cassette) stale(take *recording.Take) bool {
	return take.Older(t.maxAge, time.Now())
}

// Used tells whether a recording, by its key, answered a request of this run.
func (t *Cassette) Used(key string) bool {
	t.run.mu.Lock()
	defer t.run.mu.Unlock()
	return t.run.used[key]
}

func (t *Cassette) use(key string) {
	t.run.mu.Lock()
	defer t.run.mu.Unlock()
	t.run.used[key] = true
}

// unrecordable refuses what could not be recorded.
func unrecordable(units int, err error) *Refusal {
	return &Refusal{Verdict: RecordingFailed, Units: units, Err: err, Command: "hsharness doctor"}
}

// Found is what a cassette has for a request.
type Found struct {
	// Key is the request's, whether there is a recording or not.
	Key string
	// Answer is the take that answers now, nil where none does.
	Answer *recording.Take
	// Again says that the request was asked before, and that nothing of what came
	// is an answer: it is asked, and paid for, again.
	Again bool
}

// Find looks a request up as a guard would, without answering it. The error is that
// of a recording which can't be read.
func (t *Cassette) Find(env avalara.Environment, api avalara.API, r *http.Request, body []byte) (Found, error) {
	k := t.store.Key(recorded(env, api, r, body))
	_, take, err := t.store.Answer(k)
	var evidence *recording.EvidenceError
	found := Found{Key: k.Sum, Answer: take, Again: errors.As(err, &evidence)}
	if errors.Is(err, recording.ErrMiss) {
		err = nil
	}
	return found, err
}

// Answers tells whether an answer of that status would answer later requests, as
// far as its status says.
func (t *Cassette) Answers(status int) bool { return t.store.AnswerStatus(status) }

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

// writeTimeout is how long it may wait for those who write the same recording.
const writeTimeout = 10 * time.Second

// playing is one request with its key.
type playing struct {
	handler  *handler
	cassette *Cassette
	request  recording.Request
	key      recording.Key
	price    Price
	event    *event
}

func (f *handler) playing(r *http.Request, body []byte, price Price, e *event) *playing {
	t := &playing{handler: f, cassette: f.guard.cfg.Cassette, price: price, event: e, request: recorded(f.env, f.api, r, body)}
	if price.Operation != "" {
		t.request.Operation = price.Operation
	}
	t.key = t.cassette.store.Key(t.request)
	e.key = t.key.Sum
	return t
}

// replay answers from the recordings, or refuses as a miss.
func (t *playing) replay() (*answer, *Refusal) {
	rec, take, err := t.cassette.store.Serve(&t.cassette.cursor, t.key)
	switch {
	case errors.Is(err, recording.ErrMiss):
		return nil, t.miss(err)
	case err != nil:
		return nil, t.damaged(err)
	case !known(take.Response.Status):
		return nil, t.damaged(fmt.Errorf("%s: %w", rec.File, statusError(take.Response.Status)))
	case t.cassette.store.Place(rec) == recording.Quarantine:
		// Whoever replays does not know the secret, and could not take it out.
		err := fmt.Errorf("the answer that was bought holds a secret, so it is not handed over: it is in quarantine at %s", rec.File)
		return nil, &Refusal{Verdict: Policy, Units: t.price.Units, Err: err, Command: "hsharness recordings scan"}
	}
	if refusal := t.handler.guard.capped(t.units()); refusal != nil {
		return nil, refusal
	}
	t.cassette.use(rec.Key)
	t.event.verdict, t.event.units = "replayed", t.units()
	n := Tally{Requests: 1, Replayed: 1, Price: t.event.units}
	if t.cassette.stale(take) {
		n.Stale = 1
	}
	t.handler.guard.counter.add(n)
	header := handedOver(take.Response.Header, t.handler.addresses())
	return &answer{status: take.Response.Status, header: header, body: take.Response.Body}, nil
}

// units is the price in units of the sandbox's allowance: production has none.
func (t *playing) units() int {
	if t.handler.env != avalara.Sandbox {
		return 0
	}
	return t.price.Units
}

// damaged refuses a recording that can't be read. It is never bought again in
// silence: it may well be a good one with a conflict of a merge in it.
func (t *playing) damaged(err error) *Refusal {
	return &Refusal{Verdict: RecordingDamaged, Units: t.price.Units, Err: err, Command: "hsharness recordings scan"}
}

// ready refuses to buy what could not be kept: everybody who asks for it would buy
// it again. After one answer of the run could not be recorded, nothing more is
// bought in it.
func (t *playing) ready(ctx context.Context) *Refusal {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	refusal := t.cassette.unkept(t.price.Units)
	again := t.cassette.run.due()
	if refusal != nil && again == nil {
		return refusal
	}
	err := t.cassette.store.Ready(ctx, t.key)
	var damaged *recording.FileError
	switch {
	case err == nil:
		t.cassette.run.forget(again)
		return nil
	case errors.As(err, &damaged):
		return t.damaged(err)
	}
	return unrecordable(t.price.Units, err)
}

// record answers from the recordings, and buys what is missing once: whoever
// asks for the same waits, in this process and in others. A request that costs
// nothing is always sent, and its answer kept when it differs.
func (t *playing) record(r *http.Request, buy func(keep keeper) (*answer, *Refusal)) (*answer, *Refusal) {
	if t.price.Units == 0 {
		return t.live(r, buy)
	}
	ctx, cancel := context.WithTimeout(r.Context(), lockTimeout)
	defer cancel()
	// What is there answers, even where nothing can be locked.
	if _, _, err := t.cassette.store.Answer(t.key); !errors.Is(err, recording.ErrMiss) {
		return t.replay()
	}
	unlock, err := t.cassette.store.Lock(ctx, t.key)
	if err != nil {
		return nil, unrecordable(t.price.Units, err)
	}
	defer unlock()
	_, _, err = t.cassette.store.Answer(t.key)
	var evidence *recording.EvidenceError
	switch {
	case !errors.Is(err, recording.ErrMiss):
		return t.replay()
	case !errors.As(err, &evidence) && t.cassette.run.vanished(t.key.Sum):
		err := fmt.Errorf("the answer to %s %s was recorded in this run, and its recording is gone: something removes the recordings while it goes on",
			t.key.Inputs.Method, t.key.Inputs.Path)
		t.cassette.fail(err)
		return nil, unrecordable(t.price.Units, err)
	}
	got, refusal := t.live(r, buy)
	if t.event.entry != "" && evidence != nil {
		t.handler.guard.counter.add(Tally{Again: 1})
	}
	return got, refusal
}

// live buys an answer, if it can be kept.
func (t *playing) live(r *http.Request, buy func(keep keeper) (*answer, *Refusal)) (*answer, *Refusal) {
	if refusal := t.ready(r.Context()); refusal != nil {
		return nil, refusal
	}
	return buy(t.keep)
}

// keeper writes a bought answer down before anybody sees it.
type keeper func(spend string, a *answer)

// keep records an answer. The client gets it even if that fails: it was paid
// for. The run is marked failed then.
func (t *playing) keep(spend string, a *answer) {
	take := recording.Take{
		RecordedAt: time.Now(), Cost: t.price.Units, ElapsedMS: a.took.Milliseconds(),
		Response: recording.Message{Status: a.status, Header: a.header, Body: a.body},
	}
	if t.price.Units > 0 {
		take.Entry = spend
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	err := t.cassette.store.Put(ctx, t.key, take)
	var secret *recording.QuarantineError
	switch {
	case err == nil:
		t.cassette.run.keep(t.key.Sum)
	case errors.As(err, &secret):
		t.handler.guard.counter.note(&Refusal{Verdict: Policy, Err: err})
	default:
		t.cassette.fail(err)
		t.handler.guard.counter.note(&Refusal{Verdict: RecordingFailed, Err: err})
	}
}

// miss refuses a request that nothing was recorded for, or no answer.
func (t *playing) miss(err error) *Refusal {
	e := &MissError{Method: t.request.Method, Path: t.key.Inputs.Path, Units: t.units()}
	var evidence *recording.EvidenceError
	if errors.As(err, &evidence) {
		e.Nearest, e.Evidence = evidence.Recording.File, evidence.Recording.Latest()
	} else if nearest, differences, err := t.cassette.store.Nearest(t.request); err == nil {
		e.Nearest, e.Differences = nearest.File, differences
	}
	t.handler.guard.counter.add(Tally{Missed: 1})
	command := fmt.Sprintf("repeat with --mode record --max-spend %d", max(1, e.Units))
	if t.handler.env != avalara.Sandbox {
		e.Production = true
		command = "repeat with --mode offline"
	}
	return &Refusal{Verdict: Missed, Units: e.Units, Err: e, Command: command}
}
