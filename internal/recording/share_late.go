package recording

import (
	"context"
	"os"
	"path/filepath"

	"github.com/hsharness/hsharness/internal/files"
)

// debts is the folder of what was written and perhaps not shared: a file a key.
func (s *Store) debts() string { return filepath.Join(s.private, "unshared") }

// owe notes that a key is to be shared, before its file is written: whoever is killed in
// between leaves it to the next run. That it can't be noted keeps nothing from anybody.
func (s *Store) owe(sum string) {
	if hide(s.private, s.debts()) == nil {
		_ = files.New(filepath.Join(s.debts(), sum), nil, 0o600)
	}
}

func (s *Store) settleDebt(sum string) { _ = os.Remove(filepath.Join(s.debts(), sum)) }

// ShareLate shares what earlier runs wrote here and could not share. The error is a
// [*ShareError]: what could not be shared once more waits for the next.
func (s *Store) ShareLate(ctx context.Context) error {
	if s.sharing == nil {
		return nil
	}
	waiting, err := os.ReadDir(s.debts())
	if err != nil {
		return nil //nolint:nilerr // there is none
	}
	for _, e := range waiting {
		sum := e.Name()
		if len(sum) != 2*32 {
			continue
		}
		found, err := s.find(s.roots[0], "", sum)
		if err != nil || found == nil {
			continue // it may be under way, or is told of when it is asked for
		}
		if _, err := s.push(ctx, found); err != nil {
			return &ShareError{err}
		}
		s.settleDebt(sum)
	}
	return nil
}
