package files

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Stream opens what is written as it comes: a file, with the flags of [os.OpenFile]; a
// descriptor that this program was started with, such as /dev/stdout; or the null
// device, which keeps nothing.
func Stream(name string, flag int, mode fs.FileMode) (*os.File, error) {
	if f, ok, err := ownDescriptor(name, true); ok || err != nil {
		return f, err
	}
	if name == os.DevNull {
		return os.OpenFile(name, os.O_WRONLY, 0)
	}
	return OpenFile(name, os.O_WRONLY|flag, mode)
}

// Writable makes the folder of a stream and tells why it could not be opened. A file
// that was not there is not there afterwards, and one that was is as it was.
func Writable(name string) error {
	f, ok, err := ownDescriptor(name, true)
	if ok {
		return f.Close()
	}
	if err != nil || name == os.DevNull {
		return err
	}
	if err := Folder(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	for range tries {
		f, err = OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return errors.Join(f.Close(), Remove(name))
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if f, err = OpenFile(name, os.O_WRONLY, 0); err == nil {
			return f.Close()
		}
		if !errors.Is(err, fs.ErrNotExist) { // else somebody else tried the same, and has removed it
			return err
		}
	}
	return err
}

// Begins is how the file begins that a stream would take the place of, its first few bytes;
// nil where there is none, as for a descriptor and a device.
func Begins(name string) ([]byte, error) {
	if _, ok := descriptor(name); ok {
		return nil, nil
	}
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilerr // whether it can be written is asked of Writable
	}
	f, err := Open(name, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was read
	return io.ReadAll(io.LimitReader(f, 64))
}

// descriptors are the names of this program's own descriptors.
var descriptors = pattern.New(`^(?:/dev/(?:fd/([0-9]+)|std(in|out|err))|/proc/(?:self|thread-self)/fd/([0-9]+))$`)

// descriptor is the number of the descriptor that a name means.
func descriptor(name string) (n int, ok bool) {
	m := descriptors.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	switch m[2] {
	case "in":
		return 0, true
	case "out":
		return 1, true
	case "err":
		return 2, true
	}
	n, err := strconv.Atoi(m[1] + m[3])
	return n, err == nil
}
