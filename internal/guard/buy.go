package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// buyer sends metered requests: it is the only code that holds the transport to
// the sandbox.
type buyer struct {
	upstream  Upstream
	transport http.RoundTripper
	tokens    *tokenSource
	meter     Meter
	exhausted []ExhaustedRule
	unbilled  []int
	newID     func() string
	pace      *pace.Pacer  // nil without one
	left      atomic.Int64 // of the run's units; what is refunded stays out
	flights   flights

	// cut ends when nobody waits any more for what is under way.
	cut    context.Context
	cutOff context.CancelFunc
}

// wire is a context for what goes to the sandbox: it ends with ctx, or when what
// is under way is cut off.
func (b *buyer) wire(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(b.cut, cancel)
	return ctx, func() { stop(); cancel() }
}

func (x *exchange) refuse(verdict Verdict, err error) *Refusal {
	return &Refusal{Verdict: verdict, Units: x.price.Units, Err: err}
}

// gaveUp refuses what nobody waits for any more, and says what was waited for. It costs
// nothing.
func (x *exchange) gaveUp(err error) *Refusal {
	return x.refuse(Cancelled, fmt.Errorf("the client gave up before anything was sent: %w", err))
}

// buy sends a request: the spend is on disk before its first byte is written,
// and one spend is one attempt. A client that hangs up before that costs
// nothing. After that its hanging up and its deadline don't reach the wire,
// because an answer that is paid for is worth waiting for.
func (b *buyer) buy(x *exchange) (*answer, *Refusal) {
	if !b.flights.begin() {
		return nil, x.refuse(Blocked, ErrRunEnds)
	}
	defer b.flights.end()
	base, err := b.upstream.Base(x.handler.api)
	if err != nil {
		return nil, x.refuse(NoHost, err)
	}
	ctx := x.apart()
	scope := avalara.HostOf(avalara.Sandbox, x.handler.api).Scopes[0]
	for {
		token, refusal := b.token(ctx, x, scope)
		if refusal != nil {
			return nil, refusal
		}
		var turn pace.Turn
		if b.pace != nil {
			if turn, refusal = b.turn(x.r.Context(), x); refusal != nil {
				return nil, refusal
			}
			if token, refusal = b.token(ctx, x, scope); refusal != nil { // it may have been a long wait
				return nil, refusal
			}
		}
		if err := x.r.Context().Err(); err != nil {
			return nil, x.gaveUp(err)
		}
		got, refusal := b.attempt(ctx, x, base, token.value, turn)
		if refusal != nil || got.status != http.StatusUnauthorized {
			return got, refusal
		}
		if x.cassette().unkept(x.price.Units) != nil {
			return got, nil
		}
		// The real token was refused. Once a run, for each scope: one fresh token,
		// one more attempt, and one more spend.
		if b.tokens.refused(scope, token) {
			continue
		}
		if token.replaced && x.price.Units != 0 {
			// The account may not do this, and each further try would be
			// answered, and cost, the same.
			b.stop(ctx, x, &StoppedError{Status: got.status})
		}
		return got, nil
	}
}

// token gets the real token for a request, within the time that the ledger has
// to answer and the identity service to give one.
func (b *buyer) token(ctx context.Context, x *exchange, scope string) (realToken, *Refusal) {
	ctx, done := b.wire(ctx)
	defer done()
	client := x.r.Context()
	t, err := b.tokens.token(ctx, client, scope)
	var credential *CredentialError
	switch {
	case err == nil:
		return t, nil
	case client.Err() != nil && errors.Is(err, client.Err()):
		return t, x.gaveUp(err)
	case errors.As(err, &credential):
		return t, x.refuse(UpstreamFailed, err)
	}
	return t, x.denied(err)
}

// mayAsk is [Meter.Check] within the ledger's time.
func mayAsk(meter Meter) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
		defer cancel()
		return meter.Check(ctx)
	}
}

// attempt spends, sends once, at the moment of its turn where there is a pace, and
// settles.
func (b *buyer) attempt(ctx context.Context, x *exchange, base, token string, turn pace.Turn) (*answer, *Refusal) {
	out, err := outbound(x.r, base, x.body, token)
	if err != nil {
		return nil, x.refuse(Policy, err)
	}
	id := b.newID()
	if refusal := x.cassette().unkept(x.price.Units); refusal != nil {
		return nil, refusal
	}
	if refusal := x.handler.guard.capped(x.price.Units); refusal != nil {
		return nil, refusal
	}
	// What costs nothing is written down as a spend of 0 units: nothing is sent
	// without the ledger.
	if refusal := b.spend(ctx, x, id); refusal != nil {
		return nil, refusal
	}
	x.spent(id)
	wire, done := b.wire(ctx)
	if refusal := b.onTime(wire, x, turn); refusal != nil {
		done()
		_ = b.meter.Settle(b.settlement(id, attempt{untouched: true}))
		return nil, refusal
	}
	sent := send(wire, b.transport, out, b.upstream.Timeout)
	done()
	paused := b.pauses(ctx, sent)
	var echoed error
	if sent.answer != nil {
		clean := *sent.answer
		clean.header = handedOver(clean.header, x.handler.own)
		sent.answer, echoed = masked(&clean, b.tokens.finder())
	}
	if sent.answer != nil {
		x.keep(id, sent.answer)
	}
	// An outcome that can't be noted leaves a spent unit, never a free one.
	_ = b.meter.Settle(b.settlement(id, sent))
	if stopped := b.stops(sent); stopped != nil && x.price.Units != 0 && !paused {
		b.stop(ctx, x, stopped)
	}
	if echoed != nil {
		if sent.answer == nil {
			x.cassette().fail(echoed) // it is not recorded, so who asks again would pay again
		}
		return nil, x.refuse(Policy, fmt.Errorf("%s %s: %w", x.r.Method, x.r.URL.EscapedPath(), echoed))
	}
	if sent.err != nil {
		return nil, x.refuse(UpstreamFailed, fmt.Errorf("%s %s: %w", x.r.Method, x.r.URL.EscapedPath(), maskError(sent.err, b.tokens.finder())))
	}
	return sent.answer, nil
}

// ledgerTimeout is how long the ledger may take to answer; after that nothing
// is sent.
const ledgerTimeout = 10 * time.Second

// spend writes the units down, or says why the request must not be sent.
func (b *buyer) spend(ctx context.Context, x *exchange, id string) *Refusal {
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	_, err := b.meter.Spend(ctx, quota.SpendSpec{
		ID: id, Units: int64(x.price.Units), Operation: x.operation(), RequestKey: x.key.Sum, Test: x.handler.guard.testOf(x.r),
	})
	if err != nil {
		refusal := x.denied(err)
		if refusal.Verdict == LedgerUnavailable && !errors.Is(err, quota.ErrSpent) && !errors.Is(err, quota.ErrConflict) {
			// It may be written all the same, where only the word of it was lost. Nothing was sent,
			// and nothing will be under this id; a ledger that has no such spend lets it be. One that
			// says that there was such a spend before may speak of somebody who did send.
			_ = b.meter.Settle(b.settlement(id, attempt{untouched: true}))
		}
		return refusal
	}
	b.left.Add(-int64(x.price.Units))
	return nil
}

// longestNamed is the longest path, in bytes, that a spend is named by.
const longestNamed = 200

// operation is what a spend is for: a row of the price list that takes all that is
// below a path says nothing of it, so there it is the path.
func (x *exchange) operation() string {
	if path := x.r.URL.EscapedPath(); strings.Contains(x.price.Operation, "**") && len(path) <= longestNamed {
		return x.r.Method + " " + path
	}
	return x.price.Operation
}

// denied is why the ledger lets nothing be sent.
func (x *exchange) denied(err error) *Refusal {
	var stopped *StoppedError
	switch {
	case errors.As(err, &stopped):
		return stopped.refusal(x.price.Units)
	case errors.Is(err, quota.ErrHoldUsed), errors.Is(err, quota.ErrRunOver), errors.Is(err, quota.ErrBlocked):
		return x.refuse(Blocked, err)
	}
	return x.refuse(LedgerUnavailable, err)
}

// settlement says what became of an attempt. Nothing but the proof that no
// byte was written, or a status that the project calls unbilled, gives a unit
// back.
func (b *buyer) settlement(id string, sent attempt) quota.Settlement {
	s := quota.Settlement{Spend: id, Outcome: quota.Unknown, Status: sent.status}
	switch {
	case sent.untouched:
		s.Outcome, s.Proof = quota.Refunded, quota.NoConnection
	case sent.answer != nil:
		s.Outcome = quota.Answered
		s.DurationMS, s.Bytes = sent.answer.took.Milliseconds(), int64(len(sent.answer.body))
		if slices.Contains(b.unbilled, sent.status) {
			s.Outcome, s.Proof = quota.Refunded, quota.Unbilled
		}
	}
	return s
}

// stop lets no further metered request out. It denies before it tells the
// ledger, which may take its time.
func (b *buyer) stop(ctx context.Context, x *exchange, stopped *StoppedError) {
	b.meter.Deny(stopped)
	if b.pace != nil {
		b.pace.Interrupt(stopped)
	}
	x.note(stopped.refusal(x.price.Units))
	if !stopped.Exhausted {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	if err := b.meter.Exhaust(ctx, stopped.Status, "answered to a metered request"); err != nil {
		x.note(x.refuse(LedgerUnavailable, fmt.Errorf("note that the allowance is exhausted: %w", err)))
	}
}
