package files

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// place is where a name leads: the open folder, the name in it, and what is there,
// nil for nothing.
type place struct {
	folder
	path, base string
	old        fs.FileInfo
}

// reach finds the place that a name leads to and opens its folder, which is the one
// that was looked at.
func reach(name string) (*place, error) {
	for range tries {
		path, old, in, err := walk(name)
		if err != nil {
			return nil, err
		}
		if in == nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
		}
		f, same, err := openFolder(filepath.Dir(path), in)
		if err != nil {
			return nil, err
		}
		if same {
			return &place{folder: f, path: path, base: filepath.Base(path), old: old}, nil
		}
	}
	return nil, fmt.Errorf("%s: its folder is replaced again and again while it is opened", name)
}

// regular refuses what is there and is no file.
func (p *place) regular(name string) error {
	if p.old == nil {
		return nil
	}
	return regular(name, p.old)
}

// KindError is something that is no file where one is meant.
type KindError struct {
	// Name is what was named, Kind what it is: folder, FIFO, socket or device.
	Name, Kind string
}

// Error says what it is.
func (e *KindError) Error() string {
	return fmt.Sprintf("%s is a %s, and a file is wanted: name another one", e.Name, e.Kind)
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
	return &KindError{Name: name, Kind: kind}
}
