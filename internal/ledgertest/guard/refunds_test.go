package guard_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

// sinking counts what is settled together, and refuses spends as a ledger does that did not
// reach the disk.
type sinking struct {
	quota.Store
	most int
}

func (s *sinking) Spend(context.Context, quota.SpendSpec, ...quota.Settlement) (quota.Entry, error) {
	return quota.Entry{}, quota.ErrPoisoned
}

func (s *sinking) Settle(ctx context.Context, settled ...quota.Settlement) error {
	s.most = max(s.most, len(settled))
	return s.Store.Settle(ctx, settled...)
}

// TestDeniedRunKeepsFewRefunds: whoever goes on asking takes no memory for it.
func TestDeniedRunKeepsFewRefunds(t *testing.T) {
	store := &sinking{}
	l := newLive(t, liveConfig{Store: func(s quota.Store) quota.Store { store.Store = s; return store }})
	for range 1000 {
		l.refused(l.post(hints), guard.LedgerUnavailable)
	}
	l.end()
	assert.Less(t, store.most, 300)
	assert.Zero(t, l.counted.Load())
	assert.Empty(t, l.journal())
}
