package quota

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Client is the way to a ledger for those who spend: it adds to a [Store] what
// a store can't know. It may be used by many goroutines; its fields must not
// change after the first call.
type Client struct {
	Store Store
	// Account is [AccountHash] of the account whose units are spent.
	Account string
	// Loopback says that every sandbox URL is on loopback. Then there is no
	// real allowance to lose, and neither witness, account nor CI is checked.
	Loopback bool
	// StateHome is where the witness is kept. Empty means the user's own place,
	// see [NewWitness].
	StateHome string
	// CI says that this is a CI machine, where a ledger file is refused unless
	// LocalStays says that the disk outlives the job.
	CI, LocalStays bool
	// Ticks makes the ticker that renews a run's lease. Nil means one that ticks
	// every [Renewal].
	Ticks func() (ticks <-chan time.Time, stop func())
}

// Ready checks that the ledger may be spent from: [ErrLocalInCI],
// [ErrOtherAccount], [ErrWentBack], or an error of the store. [Client.Begin]
// checks it too.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.ready(ctx)
	return err
}

// ready returns the witness too, nil where there is none.
func (c *Client) ready(ctx context.Context) (*Witness, error) {
	if c.Loopback {
		return nil, nil
	}
	info, err := c.Store.Info(ctx)
	if err != nil {
		return nil, err
	}
	if c.CI && !c.LocalStays && info.Path != "" {
		return nil, fmt.Errorf("%w: %s: use a postgres:// ledger, or set policy.ci_ledger: local if this disk stays", ErrLocalInCI, info.Path)
	}
	w, err := c.own(info)
	if err != nil {
		return nil, err
	}
	return w, w.Check(ctx, c.Store, info)
}

// own checks that the ledger is bound to the account.
func (c *Client) own(info Info) (*Witness, error) {
	if info.Account != c.Account {
		return nil, fmt.Errorf("%w: it is bound to %.12s, the credential is of %.12s: use the ledger of this account, or make one: hsharness quota init --granted N",
			ErrOtherAccount, info.Account, c.Account)
	}
	return NewWitness(c.StateHome, c.Account)
}

// Adopt makes a ledger that was just initialised known to the witness. It
// returns the ids of other ledgers of the account that this machine knows:
// where there are any, the allowance of the new one is only its own share.
func (c *Client) Adopt(ctx context.Context) (others []string, err error) {
	if c.Loopback {
		return nil, nil
	}
	info, err := c.Store.Info(ctx)
	if err != nil {
		return nil, err
	}
	w, err := c.own(info)
	if err != nil {
		return nil, err
	}
	if others, err = w.Ledgers(); err != nil {
		return nil, err
	}
	return others, w.Accept(info.LedgerID, info.Head)
}

// Reconcile corrects the ledger to the service's figure and makes it, as it is
// then, the truth for the witness: the way out of [ErrWentBack].
func (c *Client) Reconcile(ctx context.Context, spec ReconcileSpec) (Entry, error) {
	var w *Witness
	var info Info
	if !c.Loopback {
		var err error
		if info, err = c.Store.Info(ctx); err != nil {
			return Entry{}, err
		}
		if w, err = c.own(info); err != nil {
			return Entry{}, err
		}
	}
	e, err := c.Store.Reconcile(ctx, spec)
	if err != nil || w == nil {
		return e, err
	}
	return e, w.Accept(info.LedgerID, e)
}

// Begin admits a run and keeps its lease alive until [Run.End], or returns
// *[BlockedError], what [Client.Ready] returns, or an error of the store.
func (c *Client) Begin(ctx context.Context, spec RunSpec, rules []Rule) (*Run, error) {
	w, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	info, err := c.Store.Begin(ctx, spec, rules)
	if err != nil {
		return nil, err
	}
	run := &Run{store: c.Store, info: info, stop: make(chan struct{}), lost: make(chan struct{})}
	if w != nil {
		if run.witness, err = c.witnessBegin(ctx, w); err != nil {
			_, endErr := c.Store.End(context.WithoutCancel(ctx), spec.ID, Counters{})
			return nil, errors.Join(err, endErr)
		}
	}
	ticks := c.Ticks
	if ticks == nil {
		ticks = func() (<-chan time.Time, func()) {
			t := time.NewTicker(Renewal)
			return t.C, t.Stop
		}
	}
	tick, stopTicks := ticks()
	run.background.Go(func() {
		defer stopTicks()
		run.renew(tick)
	})
	return run, nil
}

// witnessBegin opens the witness of the ledger and notes the admission in it.
func (c *Client) witnessBegin(ctx context.Context, w *Witness) (*witnessLog, error) {
	info, err := c.Store.Info(ctx)
	if err != nil {
		return nil, err
	}
	log, err := w.open(info.LedgerID)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(log.write("", info.Head), log.flush()); err != nil {
		return nil, errors.Join(err, log.close())
	}
	return log, nil
}
