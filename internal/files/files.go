// Package files opens and writes every file of this program. A link to a file is
// followed, unless somebody else may have put it there; a device, a FIFO or a folder
// is never read, replaced or waited for where a file is meant. It may touch the disk
// and nothing else.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Writing says how a file is put in place of another. The zero Writing makes one that
// nobody else may read, and refuses where the owner of the old one could not stay.
type Writing struct {
	// Mode is that of a file that is new, less the umask. Zero is 0600.
	Mode fs.FileMode
	// Temp is the name of the file that is written first, in the same folder. Empty is
	// a new one each time; who holds a lock names it, so that a crash leaves one at most.
	Temp string
	// AnyOwner takes a file of somebody else over where its owner can't stay.
	AnyOwner bool
	// Fill and Rename are the two steps that a test makes fail. Nil are the real ones.
	Fill   func(f *os.File, data []byte) error
	Rename func(from, to string) error
}

// Replace is that of the zero [Writing].
func Replace(name string, data []byte) error { return Writing{}.Replace(name, data) }

// Replace puts data in place of the file of that name, or makes it, durably and at
// once: a reader who waits for the file never sees half of it, and a link to it
// stays. A file that was there keeps its mode and its owner.
func (w Writing) Replace(name string, data []byte) error {
	p, err := reach(name)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.regular(name); err != nil {
		return err
	}
	temp, err := w.create(p)
	if err != nil {
		return err
	}
	from := filepath.Base(temp.Name())
	if w.Fill != nil {
		err = w.Fill(temp, data)
	} else {
		_, err = temp.Write(data)
	}
	if err == nil && p.old != nil {
		err = keep(temp, p.old, w.AnyOwner)
	}
	if err == nil {
		err = temp.Sync()
	}
	err = errors.Join(err, temp.Close())
	switch {
	case err != nil:
	case w.Rename != nil:
		err = w.Rename(temp.Name(), p.path)
	default:
		err = p.rename(from, p.base)
	}
	if err != nil {
		return errors.Join(err, p.remove(from))
	}
	return p.flush()
}

// create makes the file that is written first.
func (w Writing) create(p *place) (*os.File, error) {
	mode := w.Mode
	if mode == 0 {
		mode = 0o600
	}
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if w.Temp != "" {
		// What a crash left may have another mode.
		if err := p.remove(w.Temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return p.open(w.Temp, flags, mode)
	}
	for {
		f, err := p.open("."+p.base+"-"+random(), flags, mode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// tries is how often a file is looked for that others replace meanwhile.
const tries = 100

// OpenFile is [os.OpenFile] for a regular file, with the same flags: to append to it,
// to lock it, to write it anew. What is no file stays as it is.
func OpenFile(name string, flag int, mode fs.FileMode) (*os.File, error) {
	for range tries {
		f, err := openOnce(name, flag, mode)
		if f != nil || err != nil {
			return f, err
		}
	}
	return nil, fmt.Errorf("%s is replaced again and again while it is opened", name)
}

func openOnce(name string, flag int, mode fs.FileMode) (*os.File, error) {
	p, err := reach(name)
	if err != nil {
		return nil, err
	}
	defer p.close()
	return p.openSeen(name, flag, mode)
}

// openSeen opens what was seen there. It is nil without an error where something else
// took its place meanwhile.
func (p *place) openSeen(name string, flag int, mode fs.FileMode) (*os.File, error) {
	if p.old == nil {
		if flag&os.O_CREATE == 0 {
			return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
		}
		f, err := p.open(p.base, flag|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) && flag&os.O_EXCL == 0 {
			return nil, nil
		}
		return f, err
	}
	if flag&os.O_EXCL != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EEXIST}
	}
	if err := p.regular(name); err != nil {
		return nil, err
	}
	f, err := p.open(p.base, flag&^(os.O_CREATE|os.O_TRUNC), 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (!os.SameFile(info, p.old) || !info.Mode().IsRegular()) { // a number is given again
		return nil, f.Close()
	}
	if err == nil && flag&os.O_TRUNC != 0 {
		err = f.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Real is the name of the file that a name leads to, whether it is there or not.
func Real(name string) (string, error) {
	path, info, _, err := walk(name)
	if err == nil && info != nil {
		err = regular(name, info)
	}
	return path, err
}

// Remove removes what an earlier [Replace] of that name made. Nothing is all right.
// Of a link the file that it leads to is removed.
func Remove(name string) error {
	p, err := reach(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.regular(name); err != nil || p.old == nil {
		return err
	}
	if err := p.remove(p.base); !errors.Is(err, fs.ErrNotExist) { // somebody else may have done it meanwhile
		return err
	}
	return nil
}

// Folder makes a folder, and those that it is in.
func Folder(name string, mode fs.FileMode) error {
	path, _, _, err := walk(name)
	if err != nil {
		return err
	}
	return os.MkdirAll(path, mode)
}

// Flush puts the names in a folder on the disk.
func Flush(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, _, err := openFolder(name, info)
	if err != nil {
		return err
	}
	defer f.close()
	return f.flush()
}
