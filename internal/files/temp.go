package files

import (
	"errors"
	"os"
)

// Temp makes an empty file that only this user reads, and that is there until it is
// closed: where the system lets an open file be removed it has no name from the start.
func Temp() (*Temporary, error) {
	f, err := os.CreateTemp("", "hsharness-")
	if err != nil {
		return nil, err
	}
	return &Temporary{File: f, removed: os.Remove(f.Name()) == nil}, nil
}

// Temporary is a file of [Temp].
type Temporary struct {
	*os.File
	removed bool
}

// Close closes and removes it.
func (t *Temporary) Close() error {
	err := t.File.Close()
	if !t.removed {
		err = errors.Join(err, os.Remove(t.Name()))
	}
	return err
}
