package pace

import (
	"context"
	"errors"
	"time"
)

// Turn is that one request may be sent at a moment.
type Turn struct {
	pacer *Pacer
	seq   int64
	At    time.Time // by this process's clock
}

// ErrLate says that the moment of a turn was missed, or that the account was paused
// since: another one is needed.
var ErrLate = errors.New("the moment of the turn was missed")

// Ready waits for the moment of a turn: [ErrLate] where it was missed.
func (t Turn) Ready(ctx context.Context) error {
	if err := sleep(ctx, t.At); err != nil {
		return err
	}
	t.pacer.mu.Lock()
	paused := t.pacer.paused
	t.pacer.mu.Unlock()
	if now := time.Now(); now.Sub(t.At) > Patience(t.pacer.cfg.Rates) || now.Before(paused) {
		return ErrLate
	}
	return nil
}

// Again is the turn for one whose moment was missed: the same, put off, where nobody
// goes by it yet, else another one.
func (t Turn) Again(ctx context.Context) (Turn, error) {
	p := t.pacer
	asked := time.Now()
	a, err := p.cfg.Keeper.Turn(ctx, Ask{Run: p.cfg.Run, Rates: p.cfg.Rates, Late: t.seq})
	if err != nil {
		return Turn{}, err
	}
	p.heard(a, asked, time.Now())
	if a.Given {
		return Turn{p, a.Seq, p.here(a.Expected)}, nil
	}
	return p.Wait(ctx)
}

// sleep waits until a moment, or for the end of ctx, whose cause it returns.
func sleep(ctx context.Context, until time.Time) error {
	wait := time.Until(until)
	if wait <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
