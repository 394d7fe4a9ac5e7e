package interop

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// arm64Walks is how many random walks a ledger in a file takes on arm64, where a step needs
// twenty times the instructions: make nightly has as many as amd64 has.
var arm64Walks = flag.String("arm64.walks", "5", "walks of the model that a ledger in a file takes on arm64")

// TestLedgerOnARM64 runs what every store must pass as a program of ARM64, by qemu, which
// takes each of its instructions as that processor does. The server of PostgreSQL is this
// machine's: what is tried is the client. Where qemu is missing that is said.
func TestLedgerOnARM64(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		t.Log("the ledger on arm64: NOT CHECKED: qemu-aarch64 is missing: apt-get install qemu-user")
		return
	}
	// Of PostgreSQL's, what walks thousands of steps is left to amd64: every statement of a
	// walk is in a test of its own, and a step there costs a journey to the server.
	for store, skip := range map[string]string{"sqlite": "", "postgres": "^TestSuite$/^(model|linearizable|linearizable_pace)$"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			folder, err := filepath.Abs(filepath.Join("../quota", store))
			if err != nil {
				t.Fatal(err)
			}
			program := filepath.Join(t.TempDir(), store+".test")
			// With the flags of a release, of which make cross has compiled the most.
			build := exec.Command("go", "test", "-c", "-trimpath", "-tags=nopgxregisterdefaulttypes", "-o", program, ".")
			build.Dir, build.Env = folder, append(os.Environ(), "GOWORK=", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			run := exec.Command(qemu, program, "-test.v", "-test.run", "^TestSuite$", "-test.skip", skip, "-test.timeout", "10m", "-rapid.checks="+*arm64Walks)
			run.Dir = folder
			out, err := run.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			passed := strings.Count(string(out), "--- PASS: TestSuite/")
			t.Logf("%d tests of the suite passed on arm64", passed)
			if passed < 100 || strings.Contains(string(out), "--- SKIP") {
				t.Errorf("not all of the suite was run:\n%s", out)
			}
		})
	}
}
