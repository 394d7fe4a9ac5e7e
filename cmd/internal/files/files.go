// Package files writes the files that commands leave behind. A link to a file is
// followed, unless somebody else may have put it there; a device, a FIFO or a folder
// is never replaced. It may touch the disk and nothing else.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace puts data in place of the file of that name, or makes it, at once: a
// reader who waits for the file never sees half of it, and a link to it stays. A
// file that was there keeps its mode; others may not read a new one.
func Replace(name string, data []byte) error {
	file, old, err := target(name)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err == nil && old != nil {
		err = keep(tmp, old)
	}
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// Real is the name of the file that a name leads to, whether it is there or not.
func Real(name string) (string, error) {
	file, _, err := target(name)
	return file, err
}

// Remove removes what an earlier [Replace] of that name made. Nothing is all right.
// Of a link the file that it leads to is removed.
func Remove(name string) error {
	file, old, err := target(name)
	if err != nil || old == nil {
		return err
	}
	return os.Remove(file)
}

// Read reads a file. It waits for nobody who might write into a FIFO.
func Read(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// mostLinks is how many links lead to a file at most, as in the kernel.
const mostLinks = 40

// target is the file that a name leads to and what is there, nil for nothing.
func target(name string) (file string, old fs.FileInfo, err error) {
	file = name
	for range mostLinks {
		info, err := os.Lstat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return file, nil, nil
		case err != nil:
			return "", nil, err
		case info.Mode()&fs.ModeSymlink == 0:
			return file, info, regular(name, info)
		}
		if err := trusted(file, info); err != nil {
			return "", nil, err
		}
		to, err := os.Readlink(file)
		if err != nil {
			return "", nil, err
		}
		if !filepath.IsAbs(to) {
			// The folder may be a link itself, and .. in the target goes up from where it
			// leads.
			dir, err := filepath.EvalSymlinks(filepath.Dir(file))
			if err != nil {
				return "", nil, err
			}
			to = filepath.Join(dir, to)
		}
		file = to
	}
	return "", nil, fmt.Errorf("%s: its links lead in a circle", name)
}

// regular refuses what is no file.
func regular(name string, info fs.FileInfo) error {
	kind := ""
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		kind = "folder"
	case mode&fs.ModeNamedPipe != 0:
		kind = "FIFO"
	case mode&fs.ModeSocket != 0:
		kind = "socket"
	default:
		kind = "device"
	}
	return fmt.Errorf("%s is a %s, and a file is wanted: name another one", name, kind)
}
