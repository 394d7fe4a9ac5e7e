package project

import (
	"os"
	"path/filepath"
)

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
