package files

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// How long a file may be, in bytes.
const (
	// Text is for what people write and what is read into memory.
	Text = 64 << 20
	// Large is for what programs write and is read into memory.
	Large = 1 << 30
	// Data is for what programs write, and what is read bit by bit.
	Data = 1 << 40
)

// Read reads a file of most bytes at most. It waits for nobody who might write into a
// FIFO, and reads no device. A descriptor that this program was started with, such as
// /dev/stdin, or /dev/fd/63 of a process substitution, is read to its end.
func Read(name string, most int64) ([]byte, error) {
	f, err := open(name, most)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var length int64
	if info, err := f.file.Stat(); err == nil && info.Mode().IsRegular() {
		length = min(info.Size(), most)
	}
	// Of the length that the file has: one that grows is twice as long.
	text := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
	_, err = text.ReadFrom(f)
	return text.Bytes(), err
}

// Open is [Read], bit by bit.
func Open(name string, most int64) (io.ReadCloser, error) {
	f, err := open(name, most)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func open(name string, most int64) (*bounded, error) {
	if f, ok, err := ownDescriptor(name, false); ok || err != nil {
		return &bounded{f, name, most, most}, err
	}
	f, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > most {
		err = tooLong(name, most)
	}
	if err != nil {
		_ = f.Close() // it was not read
		return nil, err
	}
	return &bounded{f, name, most, most}, nil
}

// openRegular opens what is a file, and goes on being one.
func openRegular(name string) (*os.File, error) {
	info, err := os.Stat(name) // to open some devices does something
	if err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return nil, err
	}
	f, err := openToRead(name)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = regular(name, info)
	}
	if err != nil {
		_ = f.Close() // it was not read
		return nil, err
	}
	return f, nil
}

// bounded is a file that may grow while it is read. It has no other way to be read: that of
// [io.WriterTo] would have no bound.
type bounded struct {
	file       *os.File
	name       string
	most, left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.file.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, tooLong(b.name, b.most)
	}
	return n, err
}

func (b *bounded) Close() error { return b.file.Close() }

func tooLong(name string, most int64) error {
	return fmt.Errorf("%s has more than %d bytes, and no more are read of such a file", name, most)
}

// FS is the files and folders below a folder, each of [Text] at most.
func FS(dir string) fs.FS { return tree(dir) }

type tree string

// Open opens a file or a folder.
func (t tree) Open(name string) (fs.File, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	full := filepath.Join(string(t), local)
	info, err := os.Stat(full)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return os.Open(full)
	}
	f, err := openRegular(full)
	if err != nil {
		return nil, err
	}
	if info.Size() > Text {
		_ = f.Close() // it was not read
		return nil, tooLong(full, Text)
	}
	return f, nil
}
