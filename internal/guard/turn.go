package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/pace"
)

// turn waits until a request may be sent. What it waits for costs nothing: the client
// may hang up, and the run may be stopped.
func (b *buyer) turn(client context.Context, x *exchange) (pace.Turn, *Refusal) {
	if run, ok := b.meter.(interface{ Err() error }); ok {
		if err := run.Err(); err != nil { // there is nothing to wait for
			return pace.Turn{}, x.denied(err)
		}
	}
	wire, done := b.wire(client)
	defer done()
	turn, err := b.pace.Wait(wire)
	switch {
	case err == nil:
		return turn, nil
	case client.Err() != nil:
		return turn, x.refuse(Cancelled, fmt.Errorf("the client gave up while it waited for its turn: %w", client.Err()))
	}
	return turn, x.undue(err)
}

// undue is why a request has no turn.
func (x *exchange) undue(err error) *Refusal {
	if errors.As(err, new(*pace.WaitError)) || errors.Is(err, ErrRunEnds) || errors.Is(err, context.Canceled) {
		return x.refuse(Blocked, err)
	}
	return x.denied(err)
}

// onTime waits for the moment of a turn, and where that was missed for another turn:
// it took long to write the spend down, which is paid and is not thrown away.
func (b *buyer) onTime(wire context.Context, x *exchange, turn pace.Turn) *Refusal {
	if b.pace == nil {
		return nil
	}
	for {
		err := turn.Ready(wire)
		if errors.Is(err, pace.ErrLate) {
			if turn, err = turn.Again(wire); err == nil {
				continue
			}
		}
		if err != nil {
			return x.undue(err)
		}
		return nil
	}
}

// pauses tells whether an answer says to try again later and when, and has paused the
// account for so long. One that means that nothing is left does not.
func (b *buyer) pauses(ctx context.Context, sent attempt) bool {
	if b.pace == nil || sent.answer == nil || sent.status != http.StatusTooManyRequests {
		return false
	}
	if stopped := b.stops(sent); stopped != nil && stopped.Exhausted {
		return false
	}
	wait, ok := pace.RetryAfter(sent.answer.header, time.Now())
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	// Where the ledger does not hear of it the others go on: then the run stops.
	return b.pace.Pause(ctx, wait, fmt.Sprintf("the sandbox answered 429 with Retry-After %.0fs", wait.Seconds())) == nil
}
