package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/hsharness/hsharness/quota"
)

// Info is the run as the ledger has it now.
func (s *Session) Info(ctx context.Context) (quota.RunInfo, error) {
	found, err := find(ctx, s.ledger.Account().Store, s.ID)
	if err != nil {
		return quota.RunInfo{}, err
	}
	info, is := found[s.ID]
	if !is {
		return quota.RunInfo{}, fmt.Errorf("run %s: %w", s.ID, quota.ErrNoRun)
	}
	return info, nil
}

// find has the runs of these ids that a ledger has. Most are among the latest; there may be
// many thousands, and all of them are read for one that is not there.
func find(ctx context.Context, store quota.Store, ids ...string) (map[string]quota.RunInfo, error) {
	found := make(map[string]quota.RunInfo, len(ids))
	for _, id := range ids {
		found[id] = quota.RunInfo{}
	}
	for _, most := range []int{100, 1600, 25_600, 0} {
		runs, err := store.Runs(ctx, most)
		if err != nil {
			return nil, err
		}
		left := len(found)
		for _, r := range runs {
			if _, is := found[r.ID]; is {
				found[r.ID] = r
				left--
			}
		}
		if left == 0 || len(runs) < most {
			break
		}
	}
	for id, r := range found {
		if r.ID == "" {
			delete(found, id)
		}
	}
	return found, nil
}

// Counted is a run as its ledger has it at the end. A ledger that counts less than it let the
// run spend does not keep what is written: that is [quota.ErrWentBack]. With any error, as of a
// ledger that can't be asked, the run has spent what it was let, or what its guard counts
// that was paid for, in units, where that is more.
func Counted(ctx context.Context, store quota.Store, run *quota.Run, paid int64) (quota.RunInfo, error) {
	info, err := counted(ctx, store, run.Info())
	if err != nil {
		info.Spent = max(info.Spent, paid)
	}
	return info, err
}

func counted(ctx context.Context, store quota.Store, let quota.RunInfo) (quota.RunInfo, error) {
	found, err := find(ctx, store, let.ID)
	if err != nil {
		return let, err
	}
	info, is := found[let.ID]
	if !is && let.Spent == 0 {
		return let, fmt.Errorf("run %s: %w", let.ID, quota.ErrNoRun)
	}
	if !is {
		return let, short(let, info, is)
	}
	err = short(let, info, is)
	info.Spent = max(info.Spent, let.Spent)
	return info, err
}

// Counts is nil where a ledger counts at least what it let each of these runs spend,
// [quota.ErrWentBack] where it does not, and another error where it can't be asked.
func Counts(ctx context.Context, store quota.Store, let ...quota.RunInfo) error {
	ids := make([]string, len(let))
	for i, r := range let {
		ids[i] = r.ID
	}
	found, err := find(ctx, store, ids...)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range let {
		info, is := found[r.ID]
		if err := short(r, info, is); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 1 {
		return fmt.Errorf("%w, and %d more such runs", errs[0], len(errs)-1)
	}
	return errors.Join(errs...)
}

// short tells of a run of which a ledger has less than it let it spend, or nothing.
func short(let, info quota.RunInfo, is bool) error {
	switch {
	case let.Spent == 0:
	case !is:
		return fmt.Errorf("run %s: %w: it let the run spend %d units, and has no such run", let.ID, quota.ErrWentBack, let.Spent)
	case info.Spent < let.Spent:
		return fmt.Errorf("run %s: %w: it let the run spend %d units, and counts %d", let.ID, quota.ErrWentBack, let.Spent, info.Spent)
	}
	return nil
}
