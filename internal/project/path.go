package project

import (
	"errors"
	"os"
	"path/filepath"
)

// Find is where the project file of the working directory is: there, or in the
// nearest folder above that has one, as go finds go.mod. Empty is nowhere. The path is
// relative to the working directory.
func Find() string {
	at, err := os.Getwd()
	if err != nil {
		return ""
	}
	for name := Name; ; name = filepath.Join("..", name) {
		// What can't be looked at is taken for the project's: reading it says why.
		if _, err := os.Lstat(filepath.Join(at, Name)); err == nil || !errors.Is(err, os.ErrNotExist) {
			return name
		}
		if filepath.Dir(at) == at {
			return ""
		}
		at = filepath.Dir(at)
	}
}

// Under is a path that a file in dir gives: relative to dir, unless it says itself
// where it is. On Windows one from the top of a drive does not say of which; it is
// dir's.
func Under(dir, path string) string {
	switch {
	case filepath.IsAbs(path):
		return path
	case path != "" && os.IsPathSeparator(path[0]):
		if abs, err := filepath.Abs(dir); err == nil {
			return filepath.VolumeName(abs) + filepath.FromSlash(path)
		}
	}
	return filepath.Join(dir, path)
}
