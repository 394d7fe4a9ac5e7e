package ledger

import (
	"context"
	"errors"

	"github.com/hsharness/hsharness/quota"
)

// Look says what is left for ordinary runs, in units, where that can be told without
// leaving this machine; else why it is not known, or nothing where there is no ledger.
func (s Source) Look(ctx context.Context) (left *int, unknown string) {
	at, err := s.Address()
	if errors.Is(err, quota.ErrNoLedger) {
		return nil, ""
	}
	if err != nil {
		return nil, "the ledger can't be asked"
	}
	if at.DSN != "" {
		return nil, "the ledger was not asked"
	}
	l, err := s.OpenToRead(ctx)
	if errors.Is(err, quota.ErrNoLedger) {
		return nil, ""
	}
	if err != nil {
		return nil, "the ledger can't be asked"
	}
	defer l.Close()
	status, err := l.Store.Status(ctx)
	if err != nil {
		return nil, "the ledger can't be asked"
	}
	n := max(int(status.Usable), 0)
	return &n, ""
}
