package shape

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Set is all that was learned. A nil Set is nothing.
type Set struct {
	operations []*Operation
}

// Read reads the files of a folder; one that is not there, or has none, is a nil Set. An
// error is an [*Error] where a file is wrong. Dir is the folder's name for messages.
func Read(dir string, folder fs.FS) (*Set, error) {
	info, err := fs.Stat(folder, ".")
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, nil
	}
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, &Error{err}
	}
	s := &Set{}
	for _, entry := range entries {
		name := entry.Name()
		if ours, _ := path.Match("*"+Suffix, name); !ours || strings.HasPrefix(name, ".") {
			continue
		}
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, &Error{err}
		}
		full := strings.TrimSuffix(dir, "/") + "/" + name
		op, err := Decode(full, data)
		if err != nil {
			return nil, err
		}
		if s.Of(op.Operation) != nil {
			return nil, &Error{fmt.Errorf("%s: %s is in another file there, too", full, op.Operation)}
		}
		s.operations = append(s.operations, op)
	}
	if len(s.operations) == 0 {
		return nil, nil
	}
	return s, nil
}

// Operations are all that were learned.
func (s *Set) Operations() []*Operation {
	if s == nil {
		return nil
	}
	return s.operations
}

// Of is what was learned of an operation, nil for nothing.
func (s *Set) Of(operation string) *Operation {
	for _, op := range s.Operations() {
		if op.Operation == operation {
			return op
		}
	}
	return nil
}

// Recordings is how many recordings it was learned from.
func (s *Set) Recordings() int {
	n := 0
	for _, op := range s.Operations() {
		n += len(op.Learned.Recordings)
	}
	return n
}

// String says what people have to know: learned from 5 recordings.
func (s *Set) String() string {
	n := s.Recordings()
	if n == 1 {
		return "learned from 1 recording"
	}
	return fmt.Sprintf("learned from %d recordings", n)
}
