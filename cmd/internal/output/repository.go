package output

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/hsharness/hsharness/internal/report"
)

// InRepository lets a writer name files relative to the repository that they are in:
// who reads annotations and JUnit knows no working directory. What is in no
// repository, or no file, is named as it was.
func InRepository(write func(io.Writer, report.Run) error) func(io.Writer, report.Run) error {
	return func(w io.Writer, r report.Run) error {
		roots := map[string]string{} // of folders
		below := func(failures []report.Failure) []report.Failure {
			failures = slices.Clone(failures)
			for i := range failures {
				failures[i].File = inRepository(failures[i].File, roots)
			}
			return failures
		}
		r.Scenarios = slices.Clone(r.Scenarios)
		for i := range r.Scenarios {
			s := &r.Scenarios[i]
			s.File, s.Cases = inRepository(s.File, roots), slices.Clone(s.Cases)
			for j := range s.Cases {
				s.Cases[j].Failures = below(s.Cases[j].Failures)
			}
			s.Unmet = below(s.Unmet)
		}
		return write(w, r)
	}
}

func inRepository(name string, roots map[string]string) string {
	path, err := filepath.Abs(name)
	if _, missing := os.Lstat(path); err != nil || missing != nil { // such as one that hsharness ships
		return name
	}
	dir := filepath.Dir(path)
	root, known := roots[dir]
	if !known {
		root = repository(dir)
		roots[dir] = root
	}
	below, err := filepath.Rel(root, path)
	if root == "" || err != nil {
		return name
	}
	return filepath.ToSlash(below)
}

// repository is the root of the repository that a folder is in, empty without one.
func repository(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil { // a file in a worktree
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			return ""
		}
		dir = above
	}
}
