//go:build linux

// Package apart starts the processes of a test where other processes are: in
// namespaces of their own, as containers have them, or as another user. It needs
// root or the right to make a user namespace, and unshare, setpriv and mount of
// util-linux.
//
// It may touch processes, namespaces and users of the system, and no other package
// of this module.
package apart

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// Place is where a process is started. The zero Place is where the test is.
type Place struct {
	// Unshare has options of unshare(1), such as --mount, --pid and --time.
	Unshare []string
	// First is what a shell does there before, such as a mount. Empty is nothing.
	First string
	// User is the user id that the process then has, and Group its only group.
	// Zero leaves both as they are.
	User, Group int
	// Umask is its umask in octal. Empty leaves it as it is.
	Umask string
}

// Command is name, to be run in the place. It ends with the test at the latest.
func (p Place) Command(t testing.TB, name string, args ...string) *exec.Cmd {
	var line []string
	if len(p.Unshare) > 0 {
		line = append(append(line, "unshare", "--fork", "--kill-child"), append(p.Unshare, "--")...)
	}
	first := "set -e"
	if p.First != "" {
		first += "; " + p.First
	}
	if p.Umask != "" {
		first += "; umask " + p.Umask
	}
	line = append(line, "sh", "-c", first+`; exec "$@"`, "sh")
	if p.User != 0 {
		id, group := strconv.Itoa(p.User), strconv.Itoa(p.Group)
		line = append(line, "setpriv", "--reuid", id, "--regid", group, "--clear-groups", "--")
	}
	line = append(append(line, name), args...)
	return exec.CommandContext(t.Context(), line[0], line[1:]...)
}

// told has what was said once.
var told sync.Map

// Possible tells whether this machine lets a process be started there. Where it
// does not, that is said once, and fails the test where CI is set.
func (p Place) Possible(t testing.TB) bool {
	t.Helper()
	out, err := p.Command(t, "true").CombinedOutput()
	if err == nil {
		return true
	}
	why := fmt.Sprintf("%s did not run: no process can be started with %v as user %d: %v: %s", t.Name(), p.Unshare, p.User, err, out)
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	if _, again := told.LoadOrStore(why, true); !again {
		fmt.Fprintln(os.Stderr, why)
	}
	return false
}

// Program is the test's own program where every user may run it: go test makes it
// in a folder that only its owner may enter. It is copied by another process,
// since one that is being forked elsewhere would keep it open for writing.
func Program(t testing.TB) string {
	t.Helper()
	name := filepath.Join(Folder(t), "program")
	if os.Link(os.Args[0], name) == nil {
		return name
	}
	if out, err := exec.CommandContext(t.Context(), "cp", os.Args[0], name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return name
}

// Folder is a new folder of the test that every user may enter.
func Folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
