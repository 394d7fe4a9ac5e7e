package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/recording"
)

// unrecordable refuses what could not be recorded.
func unrecordable(units int, err error) *Refusal {
	return &Refusal{Verdict: RecordingFailed, Units: units, Err: err}
}

// lockTimeout is how long a request may wait for another one that buys the same
// answer: as long as that one may take, spend and all.
const lockTimeout = 2 * DefaultTimeout

// writeTimeout is how long it may wait for those who write the same recording.
const writeTimeout = 10 * time.Second

// identify gives an exchange its key.
func (x *exchange) identify() {
	f := x.handler
	x.request = recorded(f.env, f.api, x.r, x.body)
	if x.price.Operation != "" {
		x.request.Operation = x.price.Operation
	}
	x.key = x.cassette().store.Key(x.request)
}

// replay answers from the recordings, or refuses as a miss.
func (x *exchange) replay() (reply, *Refusal) {
	rec, take, err := x.cassette().store.Serve(&x.cassette().cursor, x.key)
	switch {
	case errors.Is(err, recording.ErrMiss):
		if x.unbought(err) {
			return x.mocked(Unbought)
		}
		return nil, x.miss(err)
	case err != nil:
		return nil, x.damaged(err)
	case take.Aside() != "":
		// Whoever replays does not know the secret, and could not take it out.
		return nil, &Refusal{Verdict: Policy, Units: x.price.Units, Err: &quarantinedError{take.Aside()}}
	}
	if refusal := x.handler.guard.capped(x.list()); refusal != nil {
		return nil, refusal
	}
	x.cassette().use(rec.Key)
	x.verdict, x.units, x.status, x.stale = Replayed, x.list(), take.Response.Status, x.cassette().stale(take)
	if x.stale && x.cassette().FailStale {
		x.tooOld(rec, take)
	}
	header := handedOver(take.Response.Header, x.handler.own)
	return &answer{status: take.Response.Status, header: header, body: take.Response.Body}, nil
}

// unbought tells whether the mock may answer what the recordings don't: only where the
// guard was made to replay, and only what was never asked. For what was, the service's
// word is kept, though it is no answer.
func (x *exchange) unbought(miss error) bool {
	var evidence *recording.EvidenceError
	return x.handler.guard.cfg.Mode == Replay && x.cassette().Mock && !errors.As(miss, &evidence)
}

// tooOld notes that the run fails though the client gets its answer.
func (x *exchange) tooOld(rec *recording.Recording, take *recording.Take) {
	var err error = &StaleError{File: rec.File, Key: rec.Key, Units: max(take.Cost, 1), RecordedAt: take.RecordedAt, MaxAge: x.cassette().maxAge}
	if advise := x.handler.guard.cfg.Advise; advise != nil { // no answer of the guard's own has it
		err = fmt.Errorf("%w; buy it again: %s", err, advise(err))
	}
	x.note(&Refusal{Verdict: Missed, Units: x.list(), Err: err})
}

// list is the price in units of the sandbox's allowance: production has none.
func (x *exchange) list() int {
	if x.handler.env != avalara.Sandbox {
		return 0
	}
	return x.price.Units
}

// damaged refuses a recording that can't be read. It is never bought again in
// silence: it may well be a good one with a conflict of a merge in it.
func (x *exchange) damaged(err error) *Refusal {
	return &Refusal{Verdict: RecordingDamaged, Units: x.price.Units, Err: err}
}

// ready refuses to buy what could not be kept: everybody who asks for it would buy
// it again. After one answer of the run could not be recorded, nothing more is
// bought in it.
func (x *exchange) ready(ctx context.Context) *Refusal {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	refusal := x.cassette().unkept(x.price.Units)
	again := x.cassette().run.due()
	if refusal != nil && again == nil {
		return refusal
	}
	err := x.cassette().store.Ready(ctx, x.key)
	var damaged *recording.FileError
	switch {
	case err == nil:
		x.cassette().run.forget(again)
		return nil
	case x.r.Context().Err() != nil:
		return x.gaveUp(err)
	case errors.As(err, &damaged):
		return x.damaged(err)
	}
	return unrecordable(x.price.Units, err)
}

// record answers from the recordings, and buys what is missing once: whoever
// asks for the same waits, in this process and in others. A request that costs
// nothing is always sent, and its answer kept when it differs.
func (x *exchange) record() (reply, *Refusal) {
	if x.price.Units == 0 {
		return x.live()
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), lockTimeout)
	defer cancel()
	// What is there answers, even where nothing can be locked.
	if _, _, err := x.cassette().store.Answer(x.key); !errors.Is(err, recording.ErrMiss) {
		return x.replay()
	}
	unlock, err := x.cassette().store.Lock(ctx, x.key)
	if err != nil {
		return nil, x.unshared(err)
	}
	defer unlock()
	_, _, err = x.cassette().store.Answer(x.key)
	var evidence *recording.EvidenceError
	switch {
	case !errors.Is(err, recording.ErrMiss):
		return x.replay()
	case !errors.As(err, &evidence) && x.cassette().run.vanished(x.key.Sum):
		err := fmt.Errorf("the answer to %s %s was recorded in this run, and its recording is gone: something removes the recordings while it goes on",
			x.key.Inputs.Method, x.key.Inputs.Path)
		x.cassette().fail(err)
		return nil, unrecordable(x.price.Units, err)
	}
	x.again = evidence != nil
	return x.live()
}

// unshared refuses to buy what another machine may have bought already: the share can't be
// asked, or has it damaged. Else the answer could not be recorded.
func (x *exchange) unshared(err error) *Refusal {
	var unasked *recording.ShareError
	var wrong *recording.FileError
	switch {
	case x.r.Context().Err() != nil:
		return x.gaveUp(err)
	case errors.As(err, &unasked):
		return x.refuse(LedgerUnavailable, err)
	case errors.As(err, &wrong):
		return x.damaged(err)
	}
	return unrecordable(x.price.Units, err)
}

// live buys an answer, if it can be kept where it is to be. What is bought again though
// there is an answer asks the share as well, for nothing is bought where that can't be
// asked.
func (x *exchange) live() (reply, *Refusal) {
	if x.cassette() != nil && x.price.Units > 0 && x.handler.guard.cfg.Mode == Live {
		ctx, cancel := context.WithTimeout(x.r.Context(), ledgerTimeout)
		defer cancel()
		if err := x.cassette().store.Fetch(ctx, x.key); err != nil {
			return nil, x.unshared(err)
		}
	}
	if x.cassette() != nil {
		if refusal := x.ready(x.r.Context()); refusal != nil {
			return nil, refusal
		}
	}
	return x.bought()
}

// keep writes a bought answer down before anybody sees it; without a cassette
// nothing is to be. The client gets it even if that fails: it was paid for. The run
// is marked failed then.
func (x *exchange) keep(spend string, a *answer) {
	if x.cassette() == nil {
		return
	}
	take := recording.Take{
		RecordedAt: time.Now(), Cost: x.price.Units, ElapsedMS: a.took.Milliseconds(),
		Response: recording.Message{Status: a.status, Header: a.header, Body: a.body},
	}
	take.Edition = nomenclature.InForce(take.RecordedAt, x.key.Body())
	if x.price.Units > 0 {
		take.Entry = spend
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	err := x.cassette().store.Put(ctx, x.key, take)
	var secret *recording.QuarantineError
	switch {
	case err == nil:
		x.cassette().run.keep(x.key.Sum)
	case errors.As(err, &secret):
		x.note(&Refusal{Verdict: Policy, Err: err})
	default:
		x.cassette().fail(err)
		x.note(&Refusal{Verdict: RecordingFailed, Err: err})
	}
}

// miss refuses a request that nothing was recorded for, or no answer.
func (x *exchange) miss(err error) *Refusal {
	e := &MissError{Method: x.request.Method, Path: x.key.Inputs.Path, Units: x.list(), Mend: x.cassette().Mend, Where: x.cassette().Where}
	var evidence *recording.EvidenceError
	if errors.As(err, &evidence) {
		e.Nearest, e.Evidence = evidence.Recording.File, evidence.Recording.Latest()
	} else if nearest, differences, err := x.cassette().store.Nearest(x.request); err == nil {
		e.Nearest, e.Differences = nearest.File, differences
	}
	e.Production = x.handler.env != avalara.Sandbox
	return &Refusal{Verdict: Missed, Units: e.Units, Err: e}
}
