package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// places is where Debian and its kin put the server's programs, which are not
// in PATH there.
const places = "/usr/lib/postgresql/*/bin"

// installed is the folder of initdb and postgres: the first of path that has
// them, else the one of the newest version among those that the pattern
// matches, which has the version as its last but one element. It is empty when
// there is none.
func installed(path, pattern string) string {
	for _, dir := range filepath.SplitList(path) {
		if filepath.IsAbs(dir) && complete(dir) {
			return dir
		}
	}
	dirs, _ := filepath.Glob(pattern) // the pattern is right
	best, newest := "", -1
	for _, dir := range dirs {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && version > newest && complete(dir) {
			best, newest = dir, version
		}
	}
	return best
}

// program is one of the programs that come with the server: in the folder, where
// the links in it lead, or in PATH.
func program(dir, name string) string {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres")); err == nil {
		if beside := filepath.Join(filepath.Dir(real), name); beside != path {
			if _, err := os.Stat(beside); err == nil {
				return beside
			}
		}
	}
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	return path
}

// complete tells whether dir has what a server needs.
func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}
