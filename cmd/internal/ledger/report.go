package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// More adds to a report what the ledger has besides. An error that is [tally.ErrStale] asks
// for another look at all of it.
type More func(context.Context, quota.Store, *report.Budget) error

// looks is how often a report is tried before it says what is not of one moment.
const looks = 3

func (l *Ledger) report(ctx context.Context, since time.Time, more More) (b report.Budget, err error) {
	for range looks {
		b, err = l.Report(ctx, since)
		if err == nil && more != nil {
			err = more(ctx, l.Store, &b)
		}
		if !errors.Is(err, tally.ErrStale) {
			return b, err
		}
	}
	b.Warnings = append(b.Warnings, "the ledger changed each time that it was read: the requests are of a later moment than all else")
	return b, nil
}

// Reports are those of the project's ledger and of further ones, by their addresses. Where
// there are several, each names its ledger. What was typed is as [Source.Others] has it. More
// adds to each what costs more than most readers want to wait for; nil is nothing.
func (s Source) Reports(ctx context.Context, since time.Time, typed, also []string, more More) (report.Several, error) {
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
	err = s.Others(ctx, l, typed, also, func(l *Ledger) error {
		b, err := l.report(ctx, since, more)
		all = append(all, b.In(l.At.Public()))
		return err
	})
	return all, err
}

// Report is what became of the allowance, since that time; zero is from the start. All
// of it is of one moment.
func (l *Ledger) Report(ctx context.Context, since time.Time) (report.Budget, error) {
	statement, journal, err := l.Sum(ctx, since, nil)
	if err != nil {
		return report.Budget{}, err
	}
	return report.NewBudget(statement.Status, statement, time.Now()).Spread(journal.Spread()), nil
}

// Sum is [tally.Sum], with the warnings of the project.
func (l *Ledger) Sum(ctx context.Context, since time.Time, known *tally.Journal) (quota.Statement, *tally.Journal, error) {
	statement, known, err := tally.Sum(ctx, l.Store, since, known)
	if err != nil {
		return statement, known, session.Failed(err)
	}
	statement.Status = l.warned(ctx, statement.Status)
	return statement, known, nil
}
