package recording

import (
	"errors"
	"os"
)

// seen is what a system tells of a file: what is in its place later is the same, and
// unchanged, while identity, size and modification time are.
type seen struct{ info os.FileInfo }

// see asks for what a name is: itself, or what it leads to as a link.
func see(name string, follow bool) (s seen, err error) {
	if follow {
		s.info, err = os.Stat(name)
	} else {
		s.info, err = os.Lstat(name)
	}
	return s, err
}

// absent tells that there is nothing of a name.
func absent(name string) bool {
	_, err := os.Lstat(name)
	return errors.Is(err, os.ErrNotExist)
}

func (s *seen) same(as *seen) bool {
	return os.SameFile(s.info, as.info) && s.info.Size() == as.info.Size() && s.info.ModTime().Equal(as.info.ModTime())
}

func (s *seen) size() int64 { return s.info.Size() }

func (s *seen) isLink() bool { return s.info.Mode()&os.ModeSymlink != 0 }

func (s *seen) isFolder() bool { return s.info.IsDir() }

func (s *seen) isFile() bool { return s.info.Mode().IsRegular() }
