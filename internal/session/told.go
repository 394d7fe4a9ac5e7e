package session

import (
	"context"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hook"
	"github.com/hsharness/hsharness/quota"
)

// told is a meter whose spends are heard of by who tells others. It makes no call for
// that, and no request waits for it.
type told struct {
	guard.Meter
	teller *hook.Teller
}

// Spend implements [guard.Meter].
func (t told) Spend(ctx context.Context, spec quota.SpendSpec) (quota.Entry, error) {
	e, err := t.Meter.Spend(ctx, spec)
	t.teller.Spent()
	return e, err
}

// Err is why the run can't spend any more, or nil: then nothing waits for its turn.
func (t told) Err() error {
	if run, ok := t.Meter.(interface{ Err() error }); ok {
		return run.Err()
	}
	return nil
}
