package quota

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Client is the way to a ledger for those who spend: it adds to a [Store] what
// a store can't know. It may be used by many goroutines; its fields must not
// change after the first call, and it must not be copied then.
type Client struct {
	// Store is the ledger. It must be given, and stays the caller's to close.
	Store Store
	// Account is [AccountHash] of the account whose units are spent. It must be that
	// of the ledger, or all is [ErrOtherAccount].
	Account string
	// Loopback says that every sandbox URL is on loopback. Then there is no
	// real allowance to lose, and neither high-water mark nor account is checked.
	Loopback bool
	// StateHome is the folder that the high-water mark is kept under. Empty means
	// $XDG_STATE_HOME, or ~/.local/state without it.
	StateHome string
	// CI says that this is a CI machine, where a ledger file is refused with
	// [ErrLocalInCI] unless LocalStays says that the disk outlives the job.
	CI, LocalStays bool
	// Ticks makes the ticker that renews a run's lease. Nil means one that ticks
	// every [Renewal].
	Ticks func() (ticks <-chan time.Time, stop func())

	mu    sync.Mutex
	trail *trail // nil before the first call
}

// Ready checks that the ledger may be spent from: [ErrLocalInCI],
// [ErrOtherAccount], [ErrWentBack], [ErrNoHighWater], or an error of the store.
// [Client.Begin] checks it too, and once more when the run is in the ledger.
func (c *Client) Ready(ctx context.Context) error {
	_, _, err := c.ready(ctx)
	return err
}

// ready returns what is known of the high-water mark too, nil where there is none, and up
// to where it was compared.
func (c *Client) ready(ctx context.Context) (*trail, place, error) {
	refusesFiles := c.CI && !c.LocalStays
	if c.Loopback && !refusesFiles {
		return nil, place{}, nil
	}
	info, err := c.Store.Info(ctx)
	if err != nil {
		return nil, place{}, err
	}
	if refusesFiles && info.Path != "" {
		return nil, place{}, fmt.Errorf("%w: %s", ErrLocalInCI, info.Path)
	}
	if c.Loopback {
		return nil, place{}, nil
	}
	t, err := c.own(info)
	if err != nil {
		return nil, place{}, err
	}
	if info.Astray != "" {
		return nil, place{}, Astray(info.Astray)
	}
	if err := t.w.writable(t.ledger); err != nil {
		return nil, place{}, err
	}
	at, err := t.check(ctx)
	if errors.Is(err, ErrWentBack) {
		// One that was moved away lacks what was spent since: that is where to go on.
		if status, unread := c.Store.Status(ctx); unread == nil && status.Bar.Reason == Moved {
			err = &BarredError{status.Bar}
		}
	}
	return t, at, err
}

// own checks that the ledger is bound to the account, and finds what is known of
// its high-water mark.
func (c *Client) own(info Info) (*trail, error) {
	if info.Account != c.Account {
		return nil, fmt.Errorf("%w: it is bound to %.12s, the credential is of %.12s",
			ErrOtherAccount, info.Account, c.Account)
	}
	w, err := newHighWater(c.StateHome, c.Account)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trail == nil || c.trail.w.dir != w.dir {
		c.trail = newTrail(w, c.Store, info.LedgerID)
	}
	return c.trail, nil
}

// Adopt makes a ledger that was just initialised known to the high-water mark. It
// returns the ids of other ledgers of the account that this machine knows:
// where there are any, the allowance of the new one is only its own share. Of two
// that are adopted at the same time, one is told of the other at least.
func (c *Client) Adopt(ctx context.Context) (others []string, err error) {
	if c.Loopback {
		return nil, nil
	}
	info, err := c.Store.Info(ctx)
	if err != nil {
		return nil, err
	}
	t, err := c.own(info)
	if err != nil {
		return nil, err
	}
	return t.w.accept(ctx, info.LedgerID, info.Head)
}

// Reconcile corrects the ledger to the service's figure and makes it, as it is
// then, the truth for the high-water mark: the way out of [ErrWentBack].
func (c *Client) Reconcile(ctx context.Context, spec ReconcileSpec) (Entry, error) {
	var t *trail
	if !c.Loopback {
		info, err := c.Store.Info(ctx)
		if err != nil {
			return Entry{}, err
		}
		if t, err = c.own(info); err != nil {
			return Entry{}, err
		}
	}
	e, err := c.Store.Reconcile(ctx, spec)
	if err != nil || t == nil {
		return e, err
	}
	return e, t.accept(ctx, e)
}

// Begin admits a run and keeps its lease alive until [Run.End], or returns
// *[BlockedError], what [Client.Ready] returns, or an error of the store.
func (c *Client) Begin(ctx context.Context, spec RunSpec, rules []Rule) (*Run, error) {
	t, at, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	var latest int64
	if t != nil {
		if latest, err = t.latestNoted(); err != nil {
			return nil, err
		}
	}
	info, err := c.Store.Begin(ctx, spec, rules)
	if err != nil {
		return nil, err
	}
	run := &Run{store: c.Store, info: info, open: map[string]int64{}, trail: t, stop: make(chan struct{}), lost: make(chan struct{})}
	if t != nil {
		if err := c.markBegin(ctx, t, at, latest); err != nil {
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

// markBegin notes the admission, if the ledger still has all that others noted
// until then. The entry that it notes is the latest, which was written after
// those before at, and after the latest that was noted.
func (c *Client) markBegin(ctx context.Context, t *trail, at place, latest int64) error {
	info, err := c.Store.Info(ctx)
	if err == nil {
		err = above(latest, info.Head)
	}
	if err != nil {
		return err
	}
	return t.begin(ctx, info.Head, at)
}
