package hint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// said is the text of an error. Where a file is missing it says so in our words: those of
// the system begin with the call that failed, and differ from system to system.
func said(err error) string {
	text := err.Error()
	var missing *fs.PathError
	if !errors.As(err, &missing) || !errors.Is(missing.Err, fs.ErrNotExist) {
		return text
	}
	switch missing.Op {
	case "open", "stat", "lstat", "CreateFile", "GetFileAttributesEx":
		return strings.Replace(text, missing.Error(), absent(missing.Path), 1)
	}
	return text
}

// absent says what is not there: a file that was to be made has no folder.
func absent(path string) string {
	if _, err := os.Lstat(path); err == nil {
		return path + " is a link, and what it leads to is not there"
	}
	if folder := filepath.Dir(path); path != "" {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			return "there is no folder " + folder
		}
	}
	return "there is no file or folder " + path
}
