// Package files writes the files that commands leave behind. It may touch the disk
// and nothing else.
package files

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace puts data in place of the file of that name, or makes it, at once: a
// reader who waits for the file never sees half of it. Others may not read it.
func Replace(name string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
