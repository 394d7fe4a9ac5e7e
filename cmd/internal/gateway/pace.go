package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// paced is the [pace.Keeper] of a gateway. The runs of keys come and go, so turns are
// asked for by a run of the gateway's own, which spends nothing: beside other runs it
// is one that waits, whatever number of keys asks.
type paced struct {
	pace.Keeper
	begin func(context.Context) (*quota.Run, error)

	mu  sync.Mutex
	run *quota.Run // nil before the first request
}

// newPacer makes the pacer of a gateway, nil for a project without a rate.
func newPacer(of *ledger.Ledger, m *meter, maxWait time.Duration) (*pace.Pacer, *paced, error) {
	keeper, err := session.Keeper(of.Project, of.Store)
	if keeper == nil || err != nil {
		return nil, nil, err
	}
	p := &paced{Keeper: keeper, begin: func(ctx context.Context) (*quota.Run, error) {
		return m.client.Begin(ctx, quota.RunSpec{
			ID: m.newID(), Mode: m.mode.String(), Attribution: quota.Attribution{Suite: "gateway"}, Process: quota.ThisProcess(),
		}, nil)
	}}
	return pace.New(pace.Config{Keeper: p, Rates: of.Project.Rates(), MaxWait: maxWait}), p, nil
}

// current is the run that asks for turns, a next one where it is over.
func (p *paced) current(ctx context.Context) (*quota.Run, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil && p.run.Err() == nil {
		return p.run, nil
	}
	var err error
	p.run, err = p.begin(ctx)
	return p.run, err
}

// Turn implements [pace.Keeper].
func (p *paced) Turn(ctx context.Context, ask pace.Ask) (a pace.Answer, err error) {
	for range 2 {
		var run *quota.Run
		if run, err = p.current(ctx); err != nil {
			return a, err
		}
		ask.Run = run.Info().ID
		if a, err = p.Keeper.Turn(ctx, ask); !errors.Is(err, quota.ErrRunOver) {
			return a, err
		}
		run.Deny(err)
	}
	return a, err
}

// Leave implements [pace.Keeper].
func (p *paced) Leave(ctx context.Context, _ string) error {
	p.mu.Lock()
	run := p.run
	p.mu.Unlock()
	if run == nil {
		return nil
	}
	return p.Keeper.Leave(ctx, run.Info().ID)
}

// close ends the run.
func (p *paced) close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		return nil
	}
	_, err := p.run.End(ctx, guard.Tally{}.Counters())
	if errors.Is(err, quota.ErrRunOver) {
		return nil
	}
	return err
}
