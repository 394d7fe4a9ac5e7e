//go:build linux

package apart

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Address is that of this machine in the network of [Afar]. It is none of
// loopback, so a sandbox there is one that can be paid for.
const Address = "10.77.0.1"

// envAfar is set in the process that Afar starts.
const envAfar = "APART_AFAR"

// Afar runs the test that calls it once more, in a process with a network of its
// own, of which nothing leads out: servers of the test listen at [Address], and
// its processes reach them there. In that process it returns true and changes
// nothing; in the first one it returns false, when the other has ended, and has
// failed the test if that did. First is what a shell does there before, such as a
// mount; with one, the process has a mount namespace of its own too.
//
//	func TestFar(t *testing.T) {
//		if !apart.Afar(t, "") {
//			return
//		}
//		…
//	}
func Afar(t *testing.T, first string) bool {
	t.Helper()
	if os.Getenv(envAfar) != "" {
		return true
	}
	place := Place{Unshare: []string{"--net"}, First: "PATH=$PATH:/usr/sbin:/sbin; ip link set lo up; ip address add " + Address + "/32 dev lo"}
	if first != "" {
		place.Unshare = append(place.Unshare, "--mount")
		place.First += "; " + first
	}
	if os.Getuid() != 0 {
		place.Unshare = append(place.Unshare, "--user", "--map-current-user", "--keep-caps")
	}
	if !place.Possible(t) {
		return false
	}
	cmd := place.Command(t, os.Args[0], again(t)...)
	cmd.Env = append(os.Environ(), envAfar+"=1")
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("%v, in a network of its own:\n%s", err, out)
	case testing.Verbose():
		t.Logf("%s", out)
	}
	return false
}

// again are the arguments by which the test's program runs this test alone, as
// long as this one may.
func again(t *testing.T) []string {
	var names []string
	for name := range strings.SplitSeq(t.Name(), "/") {
		names = append(names, "^"+regexp.QuoteMeta(name)+"$")
	}
	args := []string{"-test.run=" + strings.Join(names, "/"), "-test.count=1"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	if deadline, ok := t.Deadline(); ok {
		args = append(args, "-test.timeout="+time.Until(deadline).String())
	}
	return args
}
