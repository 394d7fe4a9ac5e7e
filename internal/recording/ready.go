package recording

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
)

// rehearsal is how many bytes a write is tried with: more than nearly all answers
// have, so that a disk which is almost full shows before the answer is paid for.
const rehearsal = 64 << 10

// Ready tells whether a take of k could be written now: it takes every step of the
// write, with other text, where the take would go. Who buys calls it first, for an
// answer that can't be kept is bought again by everybody who asks. It leaves nothing
// but the operation's folder. The error is a [*FileError] where a recording is there
// that can't be read, else an [*UnwritableError]. ctx ends only the wait for other
// writers.
func (s *Store) Ready(ctx context.Context, k Key) error {
	file := filepath.Join(s.dir, k.folder(), k.short()+".json")
	err := s.ready(ctx, k)
	var damaged *FileError
	if err == nil || errors.As(err, &damaged) {
		return err
	}
	return &UnwritableError{Folder: filepath.Dir(file), Err: err}
}

func (s *Store) ready(ctx context.Context, k Key) error {
	unlock, err := s.lockWrite(ctx, k.short())
	if err != nil {
		return err
	}
	defer unlock()
	old, err := s.find(s.roots[0], k.folder(), k.Sum)
	if err != nil {
		return err
	}
	var file string
	if old != nil {
		file = old.File
	} else if file, err = s.free(s.roots[0], k.folder(), k.Sum); err != nil {
		return err
	}
	if err := s.disk.try(file); err != nil || old == nil {
		return err
	}
	// Its folder may let a file be made and this one not be replaced: it is, by
	// itself.
	text, err := readFile(file)
	if err == nil {
		err = s.fits(file, len(text)+rehearsal)
	}
	if err != nil {
		return err
	}
	return s.write(file, text, 0o644)
}

// try writes beside file what is removed again.
func (d disk) try(file string) error {
	hidden := filepath.Join(filepath.Dir(file), "."+filepath.Base(file))
	// A crash leaves the name that the next write takes over.
	err := d.writeBy(hidden+".tmp", hidden+".probe", make([]byte, rehearsal), 0o644)
	if removeErr := os.Remove(hidden + ".probe"); err == nil {
		err = removeErr
	}
	return err
}

// Writable tells whether recordings could be written, without making any folder:
// it tries in each folder of operations, and in the recordings folder or, where
// there is none, the one that it would be in. The error is an [*UnwritableError]
// for the first that fails.
func (s *Store) Writable() error {
	folders, err := s.folders(s.roots[0])
	if err != nil {
		return &UnwritableError{Folder: s.dir, Err: err}
	}
	for _, dir := range []string{s.dir, s.private} {
		for {
			if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
				break
			}
			dir = filepath.Dir(dir)
		}
		folders = append(folders, dir)
	}
	for _, folder := range folders {
		// By a name that nobody else tries with: no lock is held here, which would make a folder.
		if err := s.disk.try(filepath.Join(folder, "hsharness-"+rand.Text()+".json")); err != nil {
			return &UnwritableError{Folder: folder, Err: err}
		}
	}
	return nil
}
