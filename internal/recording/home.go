package recording

import (
	"os"
	"path/filepath"
)

// maxLinks is how many links lead from one to the next, as the system bounds them.
const maxLinks = 40

// realFolder is where a folder is without links, also one that is not there yet. Projects whose
// folders are links to one share its locks and its copies: with locks of their own they would
// buy each answer once more.
func realFolder(dir string) string {
	for range maxLinks {
		if target, err := filepath.EvalSymlinks(dir); err == nil {
			return target
		}
		if up, err := filepath.EvalSymlinks(filepath.Dir(dir)); err == nil {
			dir = filepath.Join(up, filepath.Base(dir))
		}
		to, err := os.Readlink(dir)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(dir), to)
		}
		dir = to
	}
	return dir
}

// besideFolder is what belongs to a folder and not into git: beside home, or beside the link to
// it where nobody may write there, as beside what is mounted.
func besideFolder(link, home string) string {
	const name = ".hsharness"
	up := filepath.Dir(home)
	if same, err := filepath.EvalSymlinks(filepath.Dir(link)); err == nil && same == up {
		return filepath.Join(filepath.Dir(link), name) // the same folder, as it is called here
	}
	beside := filepath.Join(up, name)
	if _, err := os.Lstat(beside); err == nil {
		up = beside
	}
	if home != link && !writable(up) {
		return filepath.Join(filepath.Dir(link), name)
	}
	return beside
}
