package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// programFolder is where hsharness is once it is built; empty before that.
var programFolder string

// builtProgram builds hsharness, once for all tests: its link takes seconds. Symbols
// are left out, and the types of the driver that no statement has, as a release does.
var builtProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hsharness-program-")
	if err != nil {
		return "", err
	}
	programFolder = dir
	path := filepath.Join(dir, "hsharness")
	if out, err := exec.Command("go", "build", "-tags=nopgxregisterdefaulttypes", "-ldflags", "-s -w", "-o", path, "github.com/hsharness/hsharness/cmd/hsharness").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// program is the path of hsharness.
func program(t *testing.T) string {
	t.Helper()
	path, err := builtProgram()
	require.NoError(t, err)
	return path
}

// removeProgram is called when the tests are over.
func removeProgram() {
	if programFolder != "" {
		_ = os.RemoveAll(programFolder)
	}
}
