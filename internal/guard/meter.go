package guard

import (
	"context"

	"github.com/hsharness/hsharness/quota"
)

// Meter is the ledger's side of one admitted run; [Metered] makes one. It is
// called by many goroutines at the same time.
type Meter interface {
	// Spend writes units down, 0 for a request that costs nothing. Only a nil
	// error allows one request to be sent.
	// It must return soon after ctx ends: until it does, the request waits.
	Spend(ctx context.Context, spec quota.SpendSpec) (quota.Entry, error)
	// Check tells whether the run may send something now. It spends nothing.
	Check(ctx context.Context) error
	// Settle notes what became of a spend. It may do so later.
	Settle(settlement quota.Settlement) error
	// Deny stops the run: every later Spend returns err.
	Deny(err error)
	// Exhaust tells the ledger that the service has nothing left.
	Exhaust(ctx context.Context, status int, note string) error
}

// Metered is the [Meter] of a run that store admitted.
func Metered(run *quota.Run, store quota.Store) Meter { return metered{run, store} }

type metered struct {
	*quota.Run
	store quota.Store
}

func (m metered) Exhaust(ctx context.Context, status int, note string) error {
	_, err := m.store.Exhaust(ctx, quota.ExhaustSpec{Run: m.Info().ID, Status: status, Note: note})
	return err
}
