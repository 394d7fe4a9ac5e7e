package recording

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hsharness/hsharness/internal/files"
)

// largest bounds a recording file, in bytes: what is longer was not written by
// this program, and is not read into memory.
const largest = 256 << 20

// oneAtATime is held while a file of more than [longFile] bytes is read: what reads it takes
// several times its length, and callers who ask at once would take that each.
var oneAtATime sync.Mutex

const longFile = 1 << 20

// Read returns the recording in a file, which need not be in the recordings
// folder: a copy, or an older version. The error is a [*FileError], or matches
// [os.ErrNotExist] where there is no such file.
func (s *Store) Read(file string) (*Recording, error) {
	is, err := look(file)
	if err != nil {
		return nil, err
	}
	if rec := s.cache.of(file, &is); rec != nil {
		return rec, nil
	}
	if is.size() > longFile {
		oneAtATime.Lock()
		defer oneAtATime.Unlock()
		if rec := s.cache.of(file, &is); rec != nil { // another caller read it meanwhile
			return rec, nil
		}
	}
	raw, err := readFile(file)
	if err != nil {
		return nil, err
	}
	rec, err := decode(file, raw)
	if err != nil {
		return nil, err
	}
	aside := ""
	if s.place(file) == Quarantine {
		aside = file
	}
	for i := range rec.Takes {
		rec.Takes[i].judged, rec.Takes[i].aside = s.answers.judge(rec.Takes[i].Response), aside
	}
	s.cache.keep(file, is, rec)
	return rec, nil
}

// look finds out whether there is a file that can hold a recording. What is there
// and can't, such as a link that leads nowhere, is a [*FileError]; only where
// nothing is does the error match [os.ErrNotExist].
func look(file string) (seen, error) {
	is, err := see(file, false)
	if errors.Is(err, os.ErrNotExist) {
		return seen{}, err
	}
	if err == nil && is.isLink() {
		if is, err = see(file, true); errors.Is(err, os.ErrNotExist) {
			err = errors.New("no recording: a link that leads nowhere")
		}
	}
	if err != nil {
		return seen{}, &FileError{File: file, Err: unnamed(err)}
	}
	switch {
	case is.isFolder():
		err = errors.New("no recording: a folder")
	case !is.isFile():
		err = errors.New("no recording: no regular file")
	case is.size() > largest:
		err = fmt.Errorf("no recording: it has %d bytes, recordings have %d at most", is.size(), largest)
	}
	if err != nil {
		return seen{}, &FileError{File: file, Err: err}
	}
	return is, nil
}

// readFile reads a file that [look] found. It never waits for the writer of a
// FIFO that took the file's place meanwhile.
func readFile(file string) ([]byte, error) {
	raw, err := files.Read(file, largest)
	var kind *files.KindError
	if errors.As(err, &kind) {
		err = errors.New("no recording: no regular file")
	}
	if err != nil {
		return nil, &FileError{File: file, Err: unnamed(err)}
	}
	return raw, nil
}

// unnamed is an error of the file system without the name, which FileError says.
func unnamed(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// named reads a file of a place, whose name must be that of the key in it: a file
// under another name answers nobody, and its request would be bought again.
func (s *Store) named(r root, file string) (*Recording, error) {
	rec, err := s.Read(file)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(file), ".json")
	if name == rec.Key[:shortLen] || name == rec.Key || r.place == Emergency && strings.Contains(name, rec.Key[:shortLen]) {
		return rec, nil
	}
	return nil, &FileError{File: file, Err: fmt.Errorf(
		"damaged recording: under another name: it has the answers of %s and would be called so", rec.Key[:shortLen])}
}

// lookFolder tells what is wrong with a folder; nothing is where there is none.
func lookFolder(folder string) error {
	if _, err := os.Lstat(folder); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = errors.New("no folder: a link that leads nowhere")
	case err == nil && !info.IsDir():
		err = errors.New("no folder: a file")
	}
	if err != nil {
		return &FileError{File: folder, Err: unnamed(err)}
	}
	return nil
}
