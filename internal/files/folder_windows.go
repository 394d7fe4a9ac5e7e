package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// openToRead opens a file. FIFOs have no names among files, so none is waited for.
func openToRead(name string) (*os.File, error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	return openShared(name, os.O_RDONLY, 0)
}

// openShared is [os.OpenFile], but others may replace and remove the file while it is
// open, as everywhere else: a reader stands in no writer's way, and a lock in nobody's
// who removes the folder.
func openShared(name string, flag int, mode fs.FileMode) (*os.File, error) {
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil { // what is in no folder, and what can't be opened anyway
		return os.OpenFile(name, flag, mode)
	}
	f, err := root.OpenFile(filepath.Base(name), flag, mode)
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		path.Op, path.Path = "open", name
	}
	if closing := root.Close(); err == nil && closing != nil {
		return nil, errors.Join(closing, f.Close())
	}
	return f, err
}

// walk takes every link: only administrators make them.
func walk(name string) (path string, old, in fs.FileInfo, err error) {
	if path, err = filepath.Abs(name); err != nil {
		return "", nil, nil, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if old, err = os.Stat(path); err != nil && !os.IsNotExist(err) {
		return "", nil, nil, err
	}
	if in, err = os.Stat(filepath.Dir(path)); err != nil && !os.IsNotExist(err) {
		return "", nil, nil, err
	}
	return path, old, in, nil
}

// folder is a folder by its name.
type folder struct{ path string }

func openFolder(path string, _ fs.FileInfo) (folder, bool, error) { return folder{path}, true, nil }

func (f folder) close() {}

func (f folder) open(base string, flag int, mode fs.FileMode) (*os.File, error) {
	return openShared(filepath.Join(f.path, base), flag, mode)
}

// rename takes the place of a file that others have open, which a rename by names does
// not everywhere. Where a disk can't, and where a virus scanner looks at a file that is
// new, that is soon over.
func (f folder) rename(from, to string) error {
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return err
	}
	const inUse = syscall.Errno(32) // ERROR_SHARING_VIOLATION
	pause := time.Millisecond
	for end := time.Now().Add(patience); ; pause = min(2*pause, 32*time.Millisecond) {
		err = root.Rename(from, to)
		if !errors.Is(err, syscall.ERROR_ACCESS_DENIED) && !errors.Is(err, inUse) || time.Now().After(end) {
			return errors.Join(err, root.Close())
		}
		<-time.After(pause)
	}
}

// patience is how long a file may be in use that another takes the place of.
const patience = 2 * time.Second

// link gives a file another name in the folder, which nothing has: one of the folder by its name
// there, another by the whole of it.
func (f folder) link(from, to string) error {
	if !filepath.IsAbs(from) {
		from = filepath.Join(f.path, from)
	}
	return os.Link(from, filepath.Join(f.path, to))
}

func (f folder) remove(base string) error { return os.Remove(filepath.Join(f.path, base)) }

// flush does nothing: Windows has no flush for folders.
func (f folder) flush() error { return nil }

// owner is nobody in particular.
func owner(fs.FileInfo) int { return 0 }

// keep leaves a new file as it is: it has the rights of its folder.
func keep(*os.File, fs.FileInfo, bool) error { return nil }
