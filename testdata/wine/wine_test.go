// Package wine_test takes the program for Windows, as it is released, through a
// purchase: the ledger, recordings, replay, a cap, several processes at once. It
// runs it under Wine, and what the sandbox served is counted on this side, by
// hsharness serve. make wine runs it.
package wine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// where is what TestMain made.
var where struct {
	system  string // the folder of the system with Wine
	drive   string // the C: of its Windows, as it is called here
	bin     string // a folder of C: with both programs of Windows
	program string // hsharness of this machine

	clone    string // the folder of the project, which its Z: has too
	enter    string // the script that runs a program there
	scripts  string // the tests of the commands, for this machine
	commands string // a folder of Z: with what they run, for Windows
}

// windows is what go builds for.
var windows = []string{"CGO_ENABLED=0", "GOOS=windows", "GOARCH=amd64"}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	unlock, err := setUp()
	if err != nil {
		fmt.Fprintln(os.Stderr, "wine:", err)
		return 1
	}
	defer unlock()
	defer func() {
		_ = os.RemoveAll(where.bin)
		_ = os.RemoveAll(filepath.Dir(where.program))
	}()
	// Wine's server ends with its last client, and one that begins just then fails:
	// so the one that prepared is waited for, and ours stays until the end.
	server := func(args ...string) error {
		return command(nil, "./enter", append([]string{where.system, "/", "wineserver"}, args...)...)
	}
	if err := errors.Join(server("-w"), server("-p")); err != nil {
		fmt.Fprintln(os.Stderr, "wine:", err)
		return 1
	}
	code := m.Run()
	_ = errors.Join(server("-k"), server("-w")) // none is left behind
	return code
}

// setUp makes the system, which takes minutes the first time, and the programs.
// One gate at a time has the system.
func setUp() (unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	where.system = filepath.Join(cache, "hsharness", "wine")
	if err := os.MkdirAll(filepath.Dir(where.system), 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(where.system+".lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	if err := command(nil, "./prepare", where.system); err != nil {
		return nil, err
	}
	where.drive = filepath.Join(where.system, "home/wine/windows/drive_c")
	if where.bin, err = os.MkdirTemp(where.drive, "bin-"); err != nil {
		return nil, err
	}
	here, err := os.MkdirTemp("", "wine-")
	if err != nil {
		return nil, err
	}
	where.program = filepath.Join(here, "hsharness")
	if where.clone, err = filepath.Abs("../.."); err != nil {
		return nil, err
	}
	where.enter = filepath.Join(where.clone, "testdata/wine/enter")
	where.scripts, where.commands = filepath.Join(here, "scripts"), filepath.Join(here, "commands")
	// Wine's server opens what its programs do: it too has to see these folders.
	test, shell := filepath.Join(where.commands, "hsharness.exe"), filepath.Join(where.commands, "sh.exe")
	err = errors.Join(
		os.Setenv("WINE_FOLDERS", where.clone+":"+here), os.Setenv("GOTMPDIR", here), os.Setenv("TMPDIR", here),
		command(windows, "go", "build", "-trimpath", "-tags=nopgxregisterdefaulttypes", "-ldflags", "-s -w", "-o", where.bin, "../../cmd/hsharness", "./client"),
		command(windows, "go", "test", "-c", "-o", test, "../../cmd/hsharness"),
		command(append(windows, "GOWORK=off"), "go", "-C", "shell", "build", "-o", shell, "."),
		command(nil, "go", "test", "-c", "-o", where.scripts, "../../cmd/hsharness"),
		command(nil, "go", "build", "-o", where.program, "../../cmd/hsharness"))
	for name, program := range map[string]string{"classify": test, "true": shell, "touch": shell, "cat": shell, "sleep": shell, "env": shell} {
		err = errors.Join(err, os.Link(program, filepath.Join(where.commands, name+".exe")))
	}
	return func() { _ = lock.Close() }, err
}

func command(environ []string, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), environ...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// sandbox is a stand-in for the real one, on this side, that counts.
type sandbox struct {
	Sandbox struct {
		Identity string `json:"identity_url"`
		API      string `json:"api_url"`
	} `json:"sandbox"`
	Control string `json:"control_url"`
}

func newSandbox(t *testing.T) *sandbox {
	c := exec.Command(where.program, "serve", "--client", "real-id:real-license-key", "--sandbox-allowance", "100",
		"--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	ready, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		require.NoError(t, c.Process.Signal(os.Interrupt))
		_ = c.Wait()
	})
	s := &sandbox{}
	require.NoError(t, json.NewDecoder(ready).Decode(s), "%s", &stderr)
	return s
}

// served is how many units the sandbox counted.
func (s *sandbox) served(t *testing.T) int {
	t.Helper()
	resp, err := http.Get(s.Control + "/usage")
	require.NoError(t, err)
	defer resp.Body.Close()
	var usage struct{ Sandbox struct{ Served int } }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&usage))
	return usage.Sandbox.Served
}

// desk is somebody who works in a folder of the Windows.
type desk struct {
	*sandbox
	dir     string // as it is called on this side
	name    string // as it is called there
	environ []string
}

// project is what the desk's project file says.
const project = `version: 1
environments:
  sandbox:
    identity_url: "${MOCK_IDENTITY}"
    api_url: "${MOCK_API}"
    client_id: "${HSHARNESS_SANDBOX_CLIENT_ID}"
    client_secret: "${HSHARNESS_SANDBOX_CLIENT_SECRET}"
`

func newDesk(t *testing.T) *desk {
	dir, err := os.MkdirTemp(where.drive, "work-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &desk{sandbox: newSandbox(t), dir: dir, name: `C:\` + filepath.Base(dir)}
	d.environ = []string{
		"HSHARNESS_SANDBOX_CLIENT_ID=real-id", "HSHARNESS_SANDBOX_CLIENT_SECRET=real-license-key",
		"MOCK_IDENTITY=" + d.Sandbox.Identity, "MOCK_API=" + d.Sandbox.API,
		`XDG_STATE_HOME=` + d.name + `\state`, // a high-water mark of its own
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hsharness.yaml"), []byte(project), 0o644))
	return d
}

// result is what a program of the desk did.
type result struct {
	stdout, stderr string
	code           int
	err            error
}

// command is a program of Windows in the desk's folder.
func (d *desk) command(program string, args ...string) *exec.Cmd {
	c := exec.Command("./enter", slices.Concat([]string{where.system, strings.TrimPrefix(d.dir, where.system)}, d.environ, []string{"wine64", program}, args)...)
	c.WaitDelay = 5 * time.Second // Wine's own processes may keep the pipes open
	return c
}

// run runs hsharness.exe.
func (d *desk) run(args ...string) result {
	c := d.command(`C:\`+filepath.Base(where.bin)+`\hsharness.exe`, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return result{stdout.String(), stderr.String(), c.ProcessState.ExitCode(), err}
}

// client is the command for exec that asks n times.
func client(n int) []string {
	return []string{"--", `C:\` + filepath.Base(where.bin) + `\client.exe`, fmt.Sprint(n)}
}

// exec runs hsharness exec with a client that asks n times.
func (d *desk) exec(n int, args ...string) result {
	return d.run(slices.Concat([]string{"exec"}, args, client(n))...)
}

// exits asserts the exit code, and shows all there is where it is another.
func (r result) exits(t *testing.T, code int) result {
	t.Helper()
	require.NoError(t, r.err)
	require.Equal(t, code, r.code, "stdout: %s\nstderr: %s", r.stdout, r.stderr)
	return r
}

// status is what the ledger says.
type status struct{ Granted, Spent, Unknown, Held int }

// counted asserts that the ledger adds up, and that it counted what the sandbox did.
func (d *desk) counted(t *testing.T, units int) {
	t.Helper()
	d.run("quota", "verify").exits(t, 0)
	s := d.status(t, "")
	require.Equal(t, units, d.served(t), "served")
	require.Equal(t, units, s.Spent, "spent")
	require.Zero(t, s.Unknown)
	require.Zero(t, s.Held)
}
