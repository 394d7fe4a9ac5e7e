package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hsharness/hsharness/quota"
)

// maxPath is how many bytes of a path the engine can hold, less those of
// "-journal", which it may append.
const maxPath = 1024 - len("-journal")

// find says where the file that is called name really is, and what it is: nil
// where there is nothing. Links are followed, for the -wal of SQLite is beside
// the file itself, and so must be the gate.
func find(name string) (path string, info os.FileInfo, err error) {
	if err := spelledOut(name); err != nil {
		return name, nil, err
	}
	if len(name) > maxPath {
		return name, nil, fmt.Errorf("%w: its path has %d bytes, and %d is the most", quota.ErrUnsafePlace, len(name), maxPath)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return name, nil, nil
	}
	if err != nil {
		return name, nil, fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err)
	}
	path = filepath.Join(dir, filepath.Base(name))
	info, err = os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil, nil
	case err != nil:
		return path, nil, fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err)
	case info.Mode()&fs.ModeSymlink != 0:
		to, err := filepath.EvalSymlinks(path)
		if err != nil {
			return path, nil, fmt.Errorf("%w: it is a link that leads to no file (%w): mend the link", quota.ErrUnsafePlace, err)
		}
		return find(to)
	case !info.Mode().IsRegular():
		return path, nil, fmt.Errorf("%w: it is %s", quota.ErrNotLedger, kind(info.Mode()))
	}
	return inFolder(dir, path, info), info, nil
}

// existing is dir, or the nearest folder above it that is there.
func existing(dir string) string {
	for {
		above := filepath.Dir(dir)
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || above == dir {
			return dir
		}
		dir = above
	}
}

// inFolder is path as it is called in its folder, where a file system finds it by
// another name: in another case, with its accents written apart, or by the short
// name that Windows gives to long ones.
func inFolder(dir, path string, info os.FileInfo) string {
	names, err := os.ReadDir(dir)
	if err != nil {
		return path // its folder may be entered and not be listed
	}
	base := filepath.Base(path)
	if slices.ContainsFunc(names, func(n fs.DirEntry) bool { return n.Name() == base }) {
		return path
	}
	for _, n := range names {
		other := filepath.Join(dir, n.Name())
		if found, err := os.Lstat(other); err == nil && os.SameFile(found, info) {
			return other
		}
	}
	return path
}

// kind is what a file is that holds no data.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no file"
}
