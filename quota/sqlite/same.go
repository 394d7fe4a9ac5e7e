package sqlite

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/hsharness/hsharness/quota"
)

// SQLite finds its journal, and the index of it that all processes share, beside
// the name by which the ledger was opened. Where a file has two names there are
// two of each, and two processes spend the same units. So a ledger has one name,
// its files are no links, and none of them is mounted by itself: a mounted folder
// is fine, since the journal comes with it. It is looked at again before every
// write, in the gate.

// single refuses a file that may be found under another name.
func single(path string, s sight) error {
	switch {
	case s.mode != 0:
		return fmt.Errorf("%w: %s is %s: remove it", quota.ErrUnsafePlace, path, kind(s.mode))
	case s.mounted:
		return fmt.Errorf("%w: %s is mounted by itself, and its journal is not: mount its folder", quota.ErrUnsafePlace, path)
	case s.links > 1:
		return fmt.Errorf("%w: %s has %d names, and what is spent under another one would not be seen: remove the others, which this finds: find / -xdev -samefile %s",
			quota.ErrUnsafePlace, path, s.links, path)
	}
	return nil
}

// sides are the files that a ledger consists of.
var sides = []string{"", walSuffix, shmSuffix}

// look notes which files they are.
func (s *store) look() error {
	s.seen = map[string]sight{}
	for _, side := range sides {
		seen, err := see(s.path + side)
		if err != nil {
			return err
		}
		if err := single(s.path+side, seen); err != nil {
			return err
		}
		s.seen[side] = seen
	}
	return nil
}

// errMoved is a ledger's file that was moved or deleted, while those beside it
// stayed.
var errMoved = errors.New("its file is not where it was")

// displacedError is a refusal because of a file that was taken away from a run.
type displacedError struct{ error }

func (e *displacedError) Unwrap() error        { return e.error }
func (e *displacedError) Is(target error) bool { return target == quota.ErrDisplaced }

// same refuses to write into files that have not their names any more, or others
// beside: who deleted or replaced one would not see what is spent.
func (s *store) same() error {
	for _, side := range []string{walSuffix, shmSuffix, ""} {
		now, err := see(s.path + side)
		switch {
		case errors.Is(err, fs.ErrNotExist) && side == "":
			return &displacedError{fmt.Errorf("%w any more where it was: %w", quota.ErrNoLedger, errMoved)}
		case errors.Is(err, fs.ErrNotExist):
			return &displacedError{fmt.Errorf("%w: %s was removed while it was in use", quota.ErrWentBack, s.path+side)}
		case err != nil:
			return err
		case !now.is(s.seen[side]) && side == "":
			return &displacedError{fmt.Errorf("%w: the file was replaced while it was in use: %w", quota.ErrWentBack, errMoved)}
		case !now.is(s.seen[side]):
			return &displacedError{fmt.Errorf("%w: %s was replaced while it was in use", quota.ErrWentBack, s.path+side)}
		}
		if err := single(s.path+side, now); err != nil {
			return err
		}
	}
	if s.name == s.path {
		return nil
	}
	if to, _, err := find(s.name); err != nil || to != s.path {
		return fmt.Errorf("%w: %s does not lead to %s any more, as it did when this began", quota.ErrWentBack, s.name, s.path)
	}
	return nil
}
