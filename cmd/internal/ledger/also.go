package ledger

import (
	"context"
	"fmt"

	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/hint/source"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/session"
)

// Others opens further ledgers than the own one to be read, by their addresses, each for as
// long as work takes. Its errors name the ledger, and the command without it: what was typed
// are its words, but for those that name ledgers. No ledger comes twice, under whatever
// address, or as a copy: whoever adds their figures up would count its units twice.
func (s Source) Others(ctx context.Context, own *Ledger, typed, addresses []string, work func(*Ledger) error) error {
	seen := map[string]string{}
	if len(addresses) > 0 {
		info, err := own.Store.Info(ctx)
		if err != nil {
			return session.Failed(err)
		}
		seen[info.LedgerID] = own.At.Public()
	}
	for i, address := range addresses {
		l, err := s.other(ctx, address)
		if err == nil {
			err = l.first(ctx, seen, work)
			l.Close()
		}
		if err != nil {
			return hint.LeaveOut(err, s.without(own, typed, addresses, i)).About(err)
		}
	}
	return nil
}

// without is a command that was typed, but for one of its further ledgers. Addresses are
// told without their passwords.
func (s Source) without(own *Ledger, typed, addresses []string, wrong int) string {
	command := hint.Line(typed...)
	if s.URL != "" {
		command = source.In(command, own.At.Public())
	}
	for i, address := range addresses {
		if at, err := s.AddressOf(address, "."); err == nil && i != wrong {
			command += " --also " + plain.Word(at.Public())
		}
	}
	return command
}

// first does work with a ledger that was not seen yet.
func (l *Ledger) first(ctx context.Context, seen map[string]string, work func(*Ledger) error) error {
	is := l.At.Public()
	info, err := l.Store.Info(ctx)
	if at, twice := seen[info.LedgerID]; err == nil && twice {
		return fmt.Errorf("--also %s is ledger %s, which %s is, too, and its units would count twice", is, info.LedgerID, at)
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
