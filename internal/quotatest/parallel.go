package quotatest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// side is how many processes, and how many goroutines of each, begin side by side.
const side = 8

// Parallel lets so many runs begin, spend and end side by side, in processes that
// share a ledger and its high-water mark: none may be told that the ledger went back in
// time, and each unit is counted.
func (p Processes) Parallel(t *testing.T, begins int) {
	t.Helper()
	each := (begins + side*side - 1) / (side * side)
	many := int64(side * side * each)
	s := p.share(t, many, long)
	state := t.TempDir()
	begun := time.Now()
	var children []*child
	for range side {
		children = append(children, s.child(long))
	}
	for _, c := range children {
		c.must("ready")
	}
	for _, c := range children {
		c.tell("parallel %s %d", state, each)
	}
	for _, c := range children {
		assert.Equal(t, "ok", c.answer())
		c.finish()
	}
	t.Logf("%d runs of %d processes began side by side in %s", many, side, time.Since(begun).Round(time.Millisecond))
	s.figures(many, 0, 0)

	// And what they noted is enough to know a copy by: a ledger of the same id
	// that has nothing of it.
	info, err := s.store.Info(t.Context())
	require.NoError(t, err)
	client := quota.Client{Store: emptied{s.store}, Account: info.Account, StateHome: state}
	require.ErrorIs(t, client.Ready(t.Context()), quota.ErrWentBack)
}

// emptied is a ledger without its entries.
type emptied struct{ quota.Store }

func (emptied) Lookup(context.Context, ...int64) ([]quota.Entry, error) { return nil, nil }

// parallel is one process of Parallel.
func (a *actor) parallel(ctx context.Context, state string, each int64) error {
	info, err := a.store.Info(ctx)
	if err != nil {
		return err
	}
	ledger := &quota.Client{Store: a.store, Account: info.Account, StateHome: state}
	done := make(chan error, side)
	for range side {
		go func() {
			for range each {
				if err := beginAndEnd(ctx, ledger); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	var all []error
	for range side {
		all = append(all, <-done)
	}
	return errors.Join(all...)
}

func beginAndEnd(ctx context.Context, ledger *quota.Client) error {
	run, err := ledger.Begin(ctx, quota.RunSpec{ID: rand.Text(), Max: 1, Process: quota.ThisProcess()}, nil)
	if err != nil {
		return err
	}
	e, err := run.Spend(ctx, quota.SpendSpec{ID: rand.Text(), Units: 1})
	if err == nil {
		err = run.Settle(quota.Settlement{Spend: e.ID, Outcome: quota.Answered})
	}
	_, endErr := run.End(ctx, quota.Counters{})
	return errors.Join(err, endErr)
}
