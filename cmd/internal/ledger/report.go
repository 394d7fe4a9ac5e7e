package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// More adds to a report what the ledger has besides.
type More func(context.Context, quota.Store, *report.Budget) error

func (l *Ledger) report(ctx context.Context, since time.Time, more More) (report.Budget, error) {
	b, err := l.Report(ctx, since)
	if err == nil && more != nil {
		err = more(ctx, l.Store, &b)
	}
	return b, err
}

// Reports are those of the project's ledger and of further ones, by their addresses. Where
// there are several, each names its ledger. More adds to each what costs more than most
// readers want to wait for; nil is nothing.
func (s Source) Reports(ctx context.Context, since time.Time, also []string, more More) (report.Several, error) {
	l, err := s.OpenToRead(ctx)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	b, err := l.report(ctx, since, more)
	if err != nil || len(also) == 0 {
		return report.Several{b}, err
	}
	all := report.Several{b.In(l.At.Public())}
	err = s.Others(ctx, l, also, func(l *Ledger) error {
		b, err := l.report(ctx, since, more)
		all = append(all, b.In(l.At.Public()))
		return err
	})
	return all, err
}

// Others opens further ledgers than the own one to be read, by their addresses, each for as
// long as work takes. Its errors name the ledger. No ledger comes twice, under whatever
// address, or as a copy: whoever adds their figures up would count its units twice.
func (s Source) Others(ctx context.Context, own *Ledger, addresses []string, work func(*Ledger) error) error {
	seen := map[string]string{}
	if len(addresses) > 0 {
		info, err := own.Store.Info(ctx)
		if err != nil {
			return session.Failed(err)
		}
		seen[info.LedgerID] = own.At.Public()
	}
	for _, address := range addresses {
		l, err := s.other(ctx, address)
		if err != nil {
			return err
		}
		err = l.first(ctx, seen, work)
		l.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// first does work with a ledger that was not seen yet.
func (l *Ledger) first(ctx context.Context, seen map[string]string, work func(*Ledger) error) error {
	is := l.At.Public()
	info, err := l.Store.Info(ctx)
	if at, twice := seen[info.LedgerID]; err == nil && twice {
		return fmt.Errorf("--also %s is ledger %s, which %s is, too, and its units would count twice: leave this --also out", is, info.LedgerID, at)
	}
	seen[info.LedgerID] = is
	if err == nil {
		err = work(l)
	}
	if err != nil {
		return session.Failed(fmt.Errorf("%s: %w", is, err))
	}
	return nil
}

// other is a ledger that is none of the project's, to be read: whatever its allowance is
// called, and without what the project says of its own.
func (s Source) other(ctx context.Context, address string) (*Ledger, error) {
	at, err := s.AddressOf(address, ".")
	if err != nil {
		return nil, fmt.Errorf("--also: %w", err)
	}
	at.Allowance = ""
	store, err := at.StoreToRead(ctx)
	if err != nil {
		return nil, session.Failed(fmt.Errorf("%s: %w", at.Public(), err))
	}
	return &Ledger{Store: store, Project: &project.Project{}, At: at}, nil
}

// Report is what became of the allowance, since that time; zero is from the start. All
// of it is of one moment.
func (l *Ledger) Report(ctx context.Context, since time.Time) (report.Budget, error) {
	statement, err := l.Store.Statement(ctx, since)
	if err != nil {
		return report.Budget{}, session.Failed(err)
	}
	return report.NewBudget(l.warned(ctx, statement.Status), statement, time.Now()), nil
}
