// Package firstminute_test goes from an empty folder and this clone to a first test,
// offline, then to one that is bought and replayed, and to a report: in Go, Node,
// Python and a bare project, as the scripts beside it say. make firstminute runs it.
package firstminute_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a first test may take, from an empty folder, where what the language itself
// needs was fetched before.
const (
	mostCommands = 4
	mostTime     = time.Minute
)

// begins is the comment after which it is no longer the first test.
const begins = "# That was the first test, offline."

func TestFirstMinute(t *testing.T) {
	clone, err := filepath.Abs("../..")
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join(clone, "README.md"))
	require.NoError(t, err)
	warm := exec.Command("make", "-C", clone, "install")
	warm.Env = append(os.Environ(), "GOBIN="+t.TempDir())
	out, err := warm.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, tc := range []struct {
		script string
		served int
	}{{"go", 1}, {"node", 1}, {"python", 1}, {"bare", 2}} {
		// One after the other: they are timed.
		t.Run(tc.script, func(t *testing.T) {
			u := newUser(t, clone)
			commands, taken := u.follow(tc.script + ".sh")
			t.Logf("%s: %d commands, %.1f s", tc.script, commands, taken.Seconds())
			assert.LessOrEqual(t, commands, mostCommands)
			assert.LessOrEqual(t, taken, mostTime)
			row := fmt.Sprintf("\n| %s | %d |", tc.script, commands)
			assert.True(t, strings.Contains(string(readme), row), "README's table has no row %q", row)
			assert.Equal(t, tc.served, u.served(), "what the sandbox counted")
			assert.FileExists(t, filepath.Join(u.dir, "report.html"))
			out, code := u.types("hsharness quota verify")
			assert.Zero(t, code, out)
		})
	}
}

// user is somebody at a shell, in an empty folder.
type user struct {
	t       *testing.T
	dir     string
	shell   io.Writer
	answers *bufio.Reader
	control string // of the stand-in; empty until it is there
	environ []string
}

func newUser(t *testing.T, clone string) *user {
	home := t.TempDir()
	u := &user{t: t, dir: filepath.Join(home, "shop")}
	require.NoError(t, os.Mkdir(u.dir, 0o755))
	bin := filepath.Join(home, "bin")
	// Debian's Python is the one that has Debian's pytest.
	u.environ = append(os.Environ(),
		"CLONE="+clone, "GOBIN="+bin, "GOFLAGS=", "GOWORK=", "XDG_STATE_HOME="+filepath.Join(home, "state"),
		"PATH="+strings.Join([]string{bin, "/usr/bin", os.Getenv("PATH")}, string(os.PathListSeparator)),
		// What was fetched before is there, and nothing else is asked for.
		"npm_config_offline=true", "PIP_NO_INDEX=1", "PIP_NO_BUILD_ISOLATION=0", "PIP_DISABLE_PIP_VERSION_CHECK=1",
	)
	cmd := exec.Command("bash", "--noprofile", "--norc")
	cmd.Dir, cmd.Env = u.dir, u.environ
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		assert.NoError(t, cmd.Wait())
	})
	u.shell, u.answers = in, bufio.NewReader(out)
	return u
}

// follow types a script, and says how many commands it took to the first test, and
// how long they did.
func (u *user) follow(script string) (commands int, taken time.Duration) {
	text, err := os.ReadFile(script)
	require.NoError(u.t, err)
	first := true
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, begins) {
			first = false
			u.standIn()
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line, says, _ := strings.Cut(line, " # says: ")
		begun := time.Now()
		out, code := u.types(line)
		if first {
			commands++
			taken += time.Since(begun)
		}
		require.Zero(u.t, code, "%s\n%s", line, out)
		require.Contains(u.t, out, says, line)
	}
	require.False(u.t, first, "%s never said which its first test is", script)
	return commands, taken
}

// types has the shell run a line.
func (u *user) types(line string) (out string, code int) {
	u.t.Helper()
	const end = "@@ exit code "
	_, err := fmt.Fprintf(u.shell, "%s\nprintf '\\n%s%%d\\n' $?\n", line, end)
	require.NoError(u.t, err)
	var all strings.Builder
	for {
		text, err := u.answers.ReadString('\n')
		require.NoError(u.t, err, "%s\n%s", line, all.String())
		if n, ok := strings.CutPrefix(text, end); ok {
			_, err := fmt.Sscan(n, &code)
			require.NoError(u.t, err)
			return all.String(), code
		}
		all.WriteString(text)
	}
}

// standIn starts a sandbox, and tells the shell where it is.
func (u *user) standIn() {
	t := u.t
	home := filepath.Dir(u.dir)
	ready := filepath.Join(home, "ready.json")
	cmd := exec.Command(filepath.Join(home, "bin", "hsharness"), "serve", "--quiet", "--sandbox-allowance", "100",
		"--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0", "--ready-file", ready)
	cmd.Dir, cmd.Stderr = home, os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	var at struct {
		ControlURL string `json:"control_url"`
		Sandbox    struct {
			IdentityURL string `json:"identity_url"`
			APIURL      string `json:"api_url"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(line), &at))
	u.control = at.ControlURL
	_, code := u.types(fmt.Sprintf("export IDENTITY_URL=%s API_URL=%s", at.Sandbox.IdentityURL, at.Sandbox.APIURL))
	require.Zero(t, code)
}

// served is how many classifications the stand-in counted.
func (u *user) served() int {
	resp, err := http.Get(u.control + "/usage")
	require.NoError(u.t, err)
	defer func() { _ = resp.Body.Close() }()
	var usage struct{ Sandbox struct{ Served int } }
	require.NoError(u.t, json.NewDecoder(resp.Body).Decode(&usage))
	return usage.Sandbox.Served
}
