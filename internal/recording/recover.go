package recording

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Copies names the emergency copies, each the file of a recording.
func (s *Store) Copies() ([]string, error) {
	var all []string
	var errs []error
	for _, r := range s.roots {
		if r.place != Emergency {
			continue
		}
		files, err := s.filesIn(r)
		all = append(all, files...)
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// Recover adds the takes of a recording file, such as an emergency copy or a
// quarantined one that was mended, to the shared recordings. A file that this store
// made for this machine alone is removed then. It may be done again: what is there
// already is not added twice. The recording as it is now is returned; errors are
// those of [Store.Put], and the file stays, or [ErrGone].
func (s *Store) Recover(ctx context.Context, file string) (*Recording, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	rec, err := s.there(file)
	if err != nil {
		return nil, err
	}
	unlock, err := s.lockWrite(ctx, rec.Key[:shortLen])
	if err != nil {
		return nil, err
	}
	defer unlock()
	// Whoever had the lock may have added a take, which would be removed with the file.
	before := rec.Key
	if rec, err = s.there(file); err != nil {
		return nil, err
	}
	if rec.Key != before { // then it is under another lock
		return nil, fmt.Errorf("recordings: %s became another recording just now: recover it again", file)
	}
	k := Key{Sum: rec.Key, Operation: s.operationOf(rec), Inputs: rec.Inputs}
	err = s.add(rec, k.folder(), mergeTakes)
	var aside *QuarantineError
	moved := err == nil || errors.As(err, &aside) && aside.File != file
	if moved && s.place(file) != Shared {
		if err := os.Remove(file); err != nil {
			return nil, fmt.Errorf("recordings: %w", err)
		}
		_ = os.Remove(filepath.Dir(file)) // if it was the last
	}
	if err != nil {
		return nil, err
	}
	return s.get(k, rec.Key)
}

// ErrGone says that a file to recover is not there, perhaps because somebody else has
// recovered it just now.
var ErrGone = errors.New("is not there, or not any more: what was recovered is among the others")

// there reads a file to recover.
func (s *Store) there(file string) (*Recording, error) {
	rec, err := s.Read(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("recordings: %s %w", file, ErrGone)
	}
	return rec, err
}

// operationOf is the operation of a recording as far as its file tells: that of
// its folder, or what earlier versions began the name of a copy with.
func (s *Store) operationOf(rec *Recording) string {
	folder, name := filepath.Split(rec.File)
	for _, r := range s.roots {
		dir := filepath.Clean(folder)
		if r.place == Emergency && dir == r.dir {
			operation, _, _ := strings.Cut(name, "-"+rec.Key[:shortLen])
			return operation
		}
		if filepath.Dir(dir) == r.dir {
			return filepath.Base(dir)
		}
	}
	return rec.Inputs.Method + " " + rec.Inputs.Path
}
