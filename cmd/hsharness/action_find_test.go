package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// finder runs the steps before the ledger is asked.
type finder struct {
	t    *testing.T
	temp string
	env  []string
}

func newFinder(t *testing.T, env ...string) *finder {
	f := &finder{t: t, temp: t.TempDir()}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	arch := map[string]string{"amd64": "X64", "arm64": "ARM64"}[runtime.GOARCH]
	// CGO_ENABLED as a release has it, by which most is compiled for other tests already.
	f.env = append(os.Environ(), "CGO_ENABLED=0", "GITHUB_ACTION_PATH="+root, "RUNNER_TEMP="+f.temp, "GITHUB_PATH="+filepath.Join(f.temp, "path"),
		"GITHUB_OUTPUT="+filepath.Join(f.temp, "output"), "RUNNER_OS=Linux", "RUNNER_ARCH="+arch, "REPOSITORY=hsharness/hsharness")
	f.env = append(f.env, env...)
	return f
}

// step runs the step of that name.
func (f *finder) step(name string) string {
	f.t.Helper()
	for _, step := range readAction(f.t).Runs.Steps {
		if step.Name != name {
			continue
		}
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", step.Run)
		cmd.Env = f.env
		out, err := cmd.CombinedOutput()
		require.NoError(f.t, err, "%s", out)
		return string(out)
	}
	require.Fail(f.t, "no such step", name)
	return ""
}

// version is what the binary in the PATH that was told says.
func (f *finder) version() string {
	f.t.Helper()
	cmd := exec.Command("bash", "-c", `PATH="$(cat "$GITHUB_PATH"):$PATH" hsharness version`)
	cmd.Env = f.env
	out, err := cmd.CombinedOutput()
	require.NoError(f.t, err, "%s", out)
	return string(out)
}

func TestActionBuilds(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	f := newFinder(t, "REF=main")
	f.step("Find hsharness")
	told := stepOutputs(t, filepath.Join(f.temp, "output"))
	assert.Equal(t, "false", told["have"])
	assert.Regexp(t, `^hsharness-bin:Linux-(X|ARM)64:[0-9a-f]{64}$`, told["key"])
	f.step("Build hsharness")
	assert.Regexp(t, `^hsharness \S+ go1`, f.version())
}

// TestActionTakesARelease takes the binary of the release whose tag the action has, and
// none that is not in the release's list of checksums.
func TestActionTakesARelease(t *testing.T) {
	t.Parallel()
	if !installed(t, "bash", "curl") {
		return
	}
	name := "hsharness_1.2.3_linux_" + runtime.GOARCH + ".tar.gz"
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, name))
	require.NoError(t, err)
	zipped := gzip.NewWriter(file)
	archive := tar.NewWriter(zipped)
	script := "#!/bin/sh\necho the released one\n"
	require.NoError(t, archive.WriteHeader(&tar.Header{Name: "hsharness", Mode: 0o755, Size: int64(len(script))}))
	_, err = archive.Write([]byte(script))
	require.NoError(t, err)
	for _, c := range []interface{ Close() error }{archive, zipped, file} {
		require.NoError(t, c.Close())
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/hsharness/hsharness/releases/download/v1.2.3/", http.StripPrefix("/hsharness/hsharness/releases/download/v1.2.3/", http.FileServer(http.Dir(dir))))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	for _, c := range []struct {
		ref, sum, have string
	}{
		{"v1.2.3", fmt.Sprintf("%x", sha256.Sum256(text)), "true"},
		{"v1.2.3", fmt.Sprintf("%x", sha256.Sum256([]byte("another"))), "false"},
		{"v1.2.4", fmt.Sprintf("%x", sha256.Sum256(text)), "false"}, // there is none
		{"main", fmt.Sprintf("%x", sha256.Sum256(text)), "false"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "checksums.txt"), []byte("0000  other.tar.gz\n"+c.sum+"  "+name+"\n"), 0o600))
		f := newFinder(t, "REF="+c.ref, "GITHUB_SERVER_URL="+server.URL)
		f.step("Find hsharness")
		assert.Equal(t, c.have, stepOutputs(t, filepath.Join(f.temp, "output"))["have"], c)
		if c.have == "true" {
			assert.Equal(t, "the released one\n", f.version())
		} else {
			assert.NoFileExists(t, filepath.Join(f.temp, "hsharness-bin", "hsharness"))
		}
	}
}
