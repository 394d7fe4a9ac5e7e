package files

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// New makes a file that is not there yet, whole or not at all: who is killed meanwhile leaves
// none of that name. Where something is, the error is [fs.ErrExist].
func New(name string, data []byte, mode fs.FileMode) error {
	p, err := reach(name)
	if err != nil {
		return err
	}
	defer p.close()
	if p.old != nil {
		return &fs.PathError{Op: "open", Path: name, Err: syscall.EEXIST}
	}
	temp, err := p.copy(bytes.NewReader(data), mode)
	if err == nil {
		if err = p.link(temp, p.base); err != nil && !errors.Is(err, fs.ErrExist) {
			err = p.claim(temp, mode)
		}
	}
	return errors.Join(err, p.gone(temp))
}

// claim is the way of a disk where a file has one name: an empty one has the name first.
func (p *place) claim(temp string, mode fs.FileMode) error {
	f, err := p.open(p.base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if err = errors.Join(f.Close(), p.rename(temp, p.base)); err != nil {
		err = errors.Join(err, p.remove(p.base))
	}
	return err
}

// Link puts a file where another name is, in place of what is there and at once: by another
// name of the same file where that can be, which needs no room on a disk, or as a copy.
func Link(from, to string) error {
	from, err := filepath.EvalSymlinks(from)
	if err == nil {
		from, err = filepath.Abs(from)
	}
	if err != nil {
		return err
	}
	p, err := reach(to)
	if err != nil {
		return err
	}
	defer p.close()
	info, err := os.Stat(from)
	if err == nil {
		err = errors.Join(regular(from, info), p.regular(to))
	}
	if err != nil || p.old != nil && os.SameFile(p.old, info) {
		return err
	}
	temp := "." + p.base + "-" + random()
	if p.link(from, temp) != nil {
		data, err := openRegular(from)
		if err != nil {
			return err
		}
		temp, err = p.copy(data, 0o600)
		if err = errors.Join(err, data.Close()); err != nil {
			return errors.Join(err, p.gone(temp))
		}
	}
	// Where somebody else has done the same meanwhile, both names are of one file, and stay.
	return errors.Join(p.rename(temp, p.base), p.gone(temp))
}

// copy writes a new file beside the place, and gives its name: empty where there is none.
func (p *place) copy(data io.Reader, mode fs.FileMode) (temp string, err error) {
	f, err := Writing{Mode: mode}.create(p)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, data)
	return filepath.Base(f.Name()), errors.Join(err, f.Close())
}

// gone removes a file that was written beside the place, if it is still there.
func (p *place) gone(temp string) error {
	if temp == "" {
		return nil
	}
	if err := p.remove(temp); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
