package session

import (
	"context"
	"errors"
	"time"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

// lookTimeout is how long a run that buys nothing waits for what is left.
const lookTimeout = time.Second

// left puts what is left into the bill of a run that bought nothing, or why it is not
// known: only where there is no ledger the bill says so.
func (s *Session) left(ctx context.Context, bill *report.Bill) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
	defer cancel()
	switch {
	case s.cfg.Project.File == "" || errors.Is(s.unready, quota.ErrNoLedger):
	case s.unready != nil:
		bill.NotLeft = "the ledger can't be asked"
		if s.cfg.Look == nil || errors.Is(s.unready, quota.ErrOtherAccount) || errors.Is(s.unready, quota.ErrWentBack) {
			return
		}
		// Who may not write into it may read it.
		if left, _ := s.cfg.Look(ctx); left != nil {
			bill.Left, bill.NotLeft = left, ""
		}
	case s.ledger != nil:
		status, err := s.ledger.Account().Store.Status(ctx)
		if err != nil {
			bill.NotLeft = "the ledger can't be asked"
			return
		}
		n := max(int(status.Usable), 0)
		bill.Left = &n
	case s.cfg.Look != nil:
		bill.Left, bill.NotLeft = s.cfg.Look(ctx)
	}
}
