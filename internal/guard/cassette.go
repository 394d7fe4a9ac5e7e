package guard

import (
	"errors"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/recording"
)

// Cassette is a folder of recordings with how far one run has come in those that
// are told answer by answer. The guards of a run share one. It is safe for
// concurrent use.
type Cassette struct {
	// Mend is what lets the run buy what is missing, where it was not let to. Empty is
	// a run that did not ask to.
	Mend string
	// Where says under which circumstances a run may buy what is missing, to be put behind
	// the words for it, such as ", outside of CI". Empty is here.
	Where string
	// FailStale fails a run that a recording older than the maximum age answered in.
	FailStale bool
	// Mock lets the mock API answer what was never bought, in guards that replay.
	Mock bool

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
func (t *Cassette) Own() *Cassette {
	return &Cassette{Mend: t.Mend, Where: t.Where, FailStale: t.FailStale, Mock: t.Mock, store: t.store, maxAge: t.maxAge, run: t.run}
}

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
