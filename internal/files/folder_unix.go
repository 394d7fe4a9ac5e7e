//go:build !windows

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// openToRead opens a file, and a FIFO at once.
func openToRead(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// mostLinks is how many links lead to a file at most, as in the kernel.
const mostLinks = 40

// step is a folder on the way to a file. A foreign one is in the hands of another
// user, who could put it there because others can write into the folder above.
type step struct {
	path    string
	info    fs.FileInfo
	foreign bool
}

// walk is the way to a file, part by part as the kernel goes it: where it leads, what
// is there, and what its folder is, nil each for nothing. No link is followed that
// somebody else may have planted, wherever in the name it stands.
func walk(name string) (path string, old, in fs.FileInfo, err error) {
	if name == "" {
		return "", nil, nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	full := name
	if !filepath.IsAbs(name) {
		here, err := os.Getwd()
		if err == nil {
			here, err = filepath.EvalSymlinks(here) // this process is there already
		}
		if err != nil {
			return "", nil, nil, err
		}
		full = here + "/" + name
	}
	top, err := os.Lstat("/")
	if err != nil {
		return "", nil, nil, err
	}
	way, links := []step{{path: "/", info: top}}, 0
	parts := strings.Split(full, "/")
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		at := way[len(way)-1]
		switch part {
		case "", ".":
			continue
		case "..":
			way = way[:max(1, len(way)-1)]
			continue
		}
		next := filepath.Join(at.path, part)
		info, err := os.Lstat(next)
		if errors.Is(err, fs.ErrNotExist) {
			if rest := filepath.Join(parts...); rest != "" {
				return filepath.Join(next, rest), nil, nil, nil
			}
			return next, nil, at.info, nil
		}
		if err != nil {
			return "", nil, nil, err
		}
		planted := at.planted(info)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			if planted {
				return "", nil, nil, &PlantedError{Link: next, User: owner(info)}
			}
			to, err := os.Readlink(next)
			if err != nil {
				return "", nil, nil, err
			}
			if links++; links > mostLinks {
				return "", nil, nil, fmt.Errorf("%s: its links lead in a circle", name)
			}
			if filepath.IsAbs(to) {
				way = way[:1]
			}
			parts = append(strings.Split(to, "/"), parts...)
		case info.IsDir():
			way = append(way, step{next, info, planted})
		case len(parts) > 0:
			return "", nil, nil, &fs.PathError{Op: "open", Path: next, Err: syscall.ENOTDIR}
		default:
			return next, info, at.info, nil
		}
	}
	at := way[len(way)-1]
	return at.path, at.info, way[max(0, len(way)-2)].info, nil
}

// planted tells whether what is in a folder was put there by somebody who is neither
// this user nor root, nor the one whose folder it is. The kernel looks so at links in
// sticky folders alone, and not everywhere.
func (s step) planted(info fs.FileInfo) bool {
	by := owner(info)
	if by == 0 || by == os.Geteuid() {
		return false
	}
	return s.foreign || s.info.Mode().Perm()&0o022 != 0 && by != owner(s.info)
}

// owner is the user whose file it is.
func owner(info fs.FileInfo) int {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return int(stat.Uid)
}

// folder is an open folder: what is done in it goes nowhere else, whoever moves its
// name meanwhile.
type folder struct {
	fd  int
	dir string
}

// openFolder opens a folder, which need not be readable, and tells whether it is the
// one that was seen.
func openFolder(dir string, seen fs.FileInfo) (f folder, same bool, err error) {
	fd, err := again(func() (int, error) { return unix.Open(dir, onlyEnter|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return f, false, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	f = folder{fd, dir}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		f.close()
		return f, false, &fs.PathError{Op: "stat", Path: dir, Err: err}
	}
	if was, ok := seen.Sys().(*syscall.Stat_t); ok && (was.Ino != stat.Ino || was.Dev != stat.Dev) {
		f.close()
		return f, false, nil
	}
	return f, true, nil
}

func (f folder) close() { _ = unix.Close(f.fd) }

// open opens a name in the folder. It follows no link and waits for nobody.
func (f folder) open(base string, flag int, mode fs.FileMode) (*os.File, error) {
	fd, err := again(func() (int, error) {
		return unix.Openat(f.fd, base, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, uint32(mode.Perm()))
	})
	name := filepath.Join(f.dir, base)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

func (f folder) rename(from, to string) error {
	if err := unix.Renameat(f.fd, from, f.fd, to); err != nil {
		return &os.LinkError{Op: "rename", Old: filepath.Join(f.dir, from), New: filepath.Join(f.dir, to), Err: err}
	}
	return nil
}

// link gives a file another name in the folder, which nothing has: one of the folder by its name
// there, another by the whole of it.
func (f folder) link(from, to string) error {
	if err := unix.Linkat(f.fd, from, f.fd, to, 0); err != nil {
		return &os.LinkError{Op: "link", Old: from, New: filepath.Join(f.dir, to), Err: err}
	}
	return nil
}

func (f folder) remove(base string) error {
	if err := unix.Unlinkat(f.fd, base, 0); err != nil {
		return &fs.PathError{Op: "remove", Path: filepath.Join(f.dir, base), Err: err}
	}
	return nil
}

// flush puts the names in the folder on the disk. Who may not read it can't.
func (f folder) flush() error {
	names, err := f.open(".", unix.O_RDONLY, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	err = names.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil // of a file system that has nothing to flush
	}
	return errors.Join(err, names.Close())
}

// again calls what a signal may interrupt.
func again(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

// keep gives a new file the mode and the owner of the one that it replaces. Only
// root can give a file away, and only members of a group to it.
func keep(f *os.File, old fs.FileInfo, anyOwner bool) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	was, ok1 := old.Sys().(*syscall.Stat_t)
	is, ok2 := info.Sys().(*syscall.Stat_t)
	if ok1 && ok2 && (was.Uid != is.Uid || was.Gid != is.Gid) {
		if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil && !anyOwner {
			return fmt.Errorf("%s is user %d's and group %d's, and would not be any more: %w", old.Name(), was.Uid, was.Gid, err)
		}
	}
	return f.Chmod(old.Mode().Perm())
}
