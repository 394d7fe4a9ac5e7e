package soak_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// process is a serve or a gateway.
type process struct {
	name    string
	cmd     *exec.Cmd
	urls    map[string]any
	stderr  *strings.Builder
	metrics string // its address; empty where it has none
	taken   []taken
}

// taken is what a process has at a time.
type taken struct {
	bytes, files, threads, goroutines int // no goroutines where nobody tells them
}

// starts starts a command that says where it listens.
func (w *world) starts(name string, args ...string) *process {
	w.t.Helper()
	p := &process{name: name, cmd: w.command(w.dir, w.bin, append([]string{name}, args...)...), stderr: &strings.Builder{}}
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, p.cmd.Start())
	w.t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // a test that failed left it
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(w.t, err, "%s", p.stderr)
	w.reads(line, &p.urls)
	if at, ok := p.urls["operations_url"].(string); ok {
		p.metrics = at + "/metrics"
	}
	return p
}

// control is the base URL of a serve's control endpoint.
func (p *process) control() string { return p.urls["control_url"].(string) }

func (w *world) command(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CI=", "XDG_STATE_HOME="+w.state)
	return cmd
}

// types runs a command that has to succeed, and gives what it prints.
func (w *world) types(dir, name string, args ...string) string {
	w.t.Helper()
	cmd := w.command(dir, name, args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(w.t, err, "%s %s\n%s%s", name, strings.Join(args, " "), out, &said)
	return string(out)
}

// root runs a command that only root may.
func (w *world) root(name string, args ...string) {
	w.t.Helper()
	if os.Getuid() != 0 {
		name, args = "sudo", append([]string{name}, args...)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(w.t, err, "the soak needs root, by sudo, for a disk of its own: %s", out)
}

func (w *world) reads(text string, v any) {
	w.t.Helper()
	require.NoError(w.t, json.Unmarshal([]byte(text), v), "%s", text)
}

func (w *world) get(url string, v any) {
	w.t.Helper()
	resp, err := http.Get(url)
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	require.NoError(w.t, json.NewDecoder(resp.Body).Decode(v))
}

var (
	resident   = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)
	threads    = regexp.MustCompile(`Threads:\s+(\d+)`)
	goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)
)

// number is what a pattern finds.
func number(t *testing.T, p *regexp.Regexp, text []byte) int {
	t.Helper()
	found := p.FindSubmatch(text)
	require.NotNil(t, found, "%s in %s", p, text)
	n, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return n
}

// measure notes what the process has now.
func (p *process) measure(t *testing.T) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	status, err := os.ReadFile(folder + "status")
	require.NoError(t, err, "%s has ended: %s", p.name, p.stderr)
	files, err := os.ReadDir(folder + "fd")
	require.NoError(t, err, "%s has ended: %s", p.name, p.stderr)
	now := taken{bytes: number(t, resident, status) << 10, files: len(files), threads: number(t, threads, status)}
	if p.metrics != "" {
		resp, err := http.Get(p.metrics)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		require.NoError(t, err)
		now.goroutines = number(t, goroutines, text)
	}
	p.taken = append(p.taken, now)
}

// flat compares the third tenth of the time, when all has its size, with the last two.
func (p *process) flat(t *testing.T) {
	t.Helper()
	n := len(p.taken)
	require.Greater(t, n, 50, "%s was measured too seldom: give it a longer time", p.name)
	early, late := p.taken[n/5:n*2/5], p.taken[n*4/5:]
	for _, one := range []struct {
		what  string
		of    func(taken) int
		slack int // beside a quarter
	}{
		{"MB", func(n taken) int { return n.bytes >> 20 }, 20},
		{"files", func(n taken) int { return n.files }, 30},
		{"threads", func(n taken) int { return n.threads }, 5},
		{"goroutines", func(n taken) int { return n.goroutines }, 50},
	} {
		if p.metrics == "" && one.what == "files" {
			continue // see rests
		}
		before, after := median(early, one.of), median(late, one.of)
		t.Logf("%s: %d %s early, %d late", p.name, before, one.what, after)
		assert.LessOrEqual(t, after, before+before/4+one.slack, "%s: %s", p.name, one.what)
	}
}

func median(all []taken, of func(taken) int) int {
	var values []int
	for _, one := range all {
		values = append(values, of(one))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// stop ends the process as an operator does, and gives its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }() // the code says it
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		require.FailNow(t, p.name+" does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}
