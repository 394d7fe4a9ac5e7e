package session

import (
	"context"
	"errors"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hook"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// begin asks the ledger for the run's units.
func (s *Session) begin(ctx context.Context, upstream guard.Upstream, credential guard.Credential, credentialErr error) error {
	s.Max = s.cfg.Max
	if s.Max == 0 {
		s.Max = s.cfg.Project.PerRun
	}
	if err := CanBuy(s.cfg.Project, s.Limit.Mode); err != nil {
		return err
	}
	if s.Max <= 0 {
		return &NoAmountError{s.Limit.Mode, s.cfg.Project.File}
	}
	var err error
	if s.ledger, err = s.cfg.Ledger(ctx); err != nil {
		return err
	}
	if err := s.ledger.Ready(ctx); err != nil {
		return err
	}
	if credentialErr != nil {
		return credentialErr
	}
	if err := SharesNow(ctx, s.cfg.Project, s.ledger.Account().Store, s.store, s.warn); err != nil {
		return err
	}
	if s.cfg.Before != nil {
		if s.Max, err = s.cfg.Before(ctx, s.Limit.Mode, s.Max, s.ledger); err != nil {
			return err
		}
	}
	keeper, err := Keeper(s.cfg.Project, s.ledger.Account().Store)
	if err != nil {
		return Failed(err)
	}
	s.teller = hook.NewTeller(s.cfg.Project, s.cfg.Getenv, s.ledger.Account().Store, s.warn)
	if s.run, err = s.ledger.Account().Begin(ctx, s.spec(), s.cfg.Project.Budgets); err != nil {
		s.teller.Finish(ctx) // perhaps one is to be told of a run that is blocked
		return Failed(err)
	}
	s.teller.Start()
	cfg := Purchase(s.cfg.Project, upstream, credential)
	if keeper != nil {
		s.pacer = pace.New(pace.Config{Keeper: keeper, Run: s.ID, Rates: s.cfg.Project.Rates(), MaxWait: s.cfg.MaxWait, Waits: s.cfg.Waits})
		cfg.Pace = s.pacer
	}
	cfg.Meter, cfg.Max = guard.Metered(s.run, s.ledger.Account().Store), int(s.Max)
	cfg.Meter = told{cfg.Meter, s.teller}
	if s.purchase, err = guard.NewPurchase(cfg); err != nil {
		// What was held goes back at once.
		_, endErr := s.run.End(context.WithoutCancel(ctx), quota.Counters{})
		return errors.Join(err, endErr)
	}
	return nil
}

// beginReplay writes a run that buys nothing into the project's ledger, for its
// reports. A ledger that is not there, or does not answer at once, is done
// without: a replay needs none.
func (s *Session) beginReplay(ctx context.Context) {
	if s.cfg.Project.File == "" || s.cfg.Ledger == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	l, err := s.cfg.Ledger(ctx)
	if err != nil {
		s.unready = err
		return
	}
	s.ledger = l
	if err := l.Ready(ctx); err != nil {
		if errors.Is(err, quota.ErrOtherAccount) || errors.Is(err, quota.ErrWentBack) {
			s.unready = err // what it says is left is not
		}
		return
	}
	if run, err := l.Account().Begin(ctx, s.spec(), nil); err == nil {
		s.run = run
	}
}

// spec is the run as the ledger writes it down.
func (s *Session) spec() quota.RunSpec {
	return quota.RunSpec{
		ID: s.ID, Mode: s.Limit.Mode.String(), Max: s.Max,
		Attribution: s.who, Process: quota.ThisProcess(),
	}
}
