package ledger

import (
	"context"
	"time"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/session"
)

// Report is what became of the allowance, since that time; zero is from the start.
func (l *Ledger) Report(ctx context.Context, since time.Time) (report.Budget, error) {
	status, err := l.Status(ctx)
	if err != nil {
		return report.Budget{}, err
	}
	statement, err := l.Store.Statement(ctx, since)
	if err != nil {
		return report.Budget{}, session.Failed(err)
	}
	return report.NewBudget(status, statement, time.Now()), nil
}
