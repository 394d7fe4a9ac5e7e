package recording

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hsharness/hsharness/internal/files"
)

// disk is the two steps of a write that a test makes fail; nil are the real ones.
type disk struct {
	fill   func(f *os.File, text []byte) error
	rename func(from, to string) error
}

// write replaces file with text, durably and at once: temporary file in the same
// folder, flush, rename, flush of the folder. The temporary name is always the
// same, because the caller holds the file's lock: a crash leaves one at most and
// the next write takes it over.
func (d disk) write(file string, text []byte, mode os.FileMode) error {
	return d.writeBy(filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".tmp"), file, text, mode)
}

// write is that of the disk, after which the store forgets what it read in the file.
func (s *Store) write(file string, text []byte, mode os.FileMode) error {
	defer s.cache.forget(file)
	return s.disk.write(file, text, mode)
}

// writeBy is write with the temporary file named.
func (d disk) writeBy(temp, file string, text []byte, mode os.FileMode) error {
	if err := makeFolder(filepath.Dir(file)); err != nil {
		return err
	}
	w := files.Writing{Mode: mode, Temp: filepath.Base(temp), AnyOwner: true, Fill: d.fill, Rename: d.rename}
	if err := w.Replace(file, text); err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	return nil
}

// makeFolder makes folder and flushes its name.
func makeFolder(folder string) error {
	info, err := os.Stat(folder)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("recordings: %s is not a folder", folder)
	}
	if err := files.Folder(folder, 0o755); err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	if err := files.Flush(filepath.Dir(folder)); err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	return nil
}

// hide makes folder, for its owner only, under root, and keeps it out of git. Root,
// where the locks and perhaps the ledger are, the group may share if the umask lets
// it; others get nothing.
func hide(root, folder string) error {
	if err := files.Folder(root, 0o770); err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	if err := files.Folder(folder, 0o700); err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	ignore := filepath.Join(root, ".gitignore")
	if _, err := os.Stat(ignore); err == nil {
		return nil
	}
	if err := files.New(ignore, []byte("*\n"), 0o660); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("recordings: %w", err)
	}
	return nil
}

// below is what a folder has under a name. Both are clean, and the folder is not that of
// a disk.
func below(dir, name string) string { return dir + string(filepath.Separator) + name }

// within tells that file is in dir or below.
func within(dir, file string) bool {
	rest, ok := strings.CutPrefix(file, dir)
	if ok && rest != "" && os.IsPathSeparator(rest[0]) && !strings.Contains(rest, "..") {
		return true // as nearly all are
	}
	rel, err := filepath.Rel(dir, file)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
