package files

import (
	"io/fs"
	"os"
	"path/filepath"
)

// nonblock is not needed: FIFOs have no names among files.
const nonblock = 0

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
	return os.OpenFile(filepath.Join(f.path, base), flag, mode)
}

func (f folder) rename(from, to string) error {
	return os.Rename(filepath.Join(f.path, from), filepath.Join(f.path, to))
}

func (f folder) remove(base string) error { return os.Remove(filepath.Join(f.path, base)) }

// flush does nothing: Windows has no flush for folders.
func (f folder) flush() error { return nil }

// owner is nobody in particular.
func owner(fs.FileInfo) int { return 0 }

// keep leaves a new file as it is: it has the rights of its folder.
func keep(*os.File, fs.FileInfo, bool) error { return nil }
