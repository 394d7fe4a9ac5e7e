package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/internal/holder"
	"github.com/hsharness/hsharness/quota"
)

// elsewhere is the project once more, in a folder and with a state of its own, on
// a ledger of that path.
func (s *sandbox) elsewhere(ledger string) *sandbox {
	s.t.Helper()
	other := &sandbox{t: s.t, server: s.server, dir: s.t.TempDir(), key: s.key}
	text, err := os.ReadFile(filepath.Join(s.dir, "hsharness.yaml"))
	require.NoError(s.t, err)
	text = append(text, fmt.Sprintf("ledger: %q\n", "sqlite:"+ledger)...)
	require.NoError(s.t, os.WriteFile(filepath.Join(other.dir, "hsharness.yaml"), text, 0o600))
	return other
}

// One ledger file under two names never pays for more than was granted, however
// many processes come by either: what the sandbox counts decides.
func TestOneLedgerUnderTwoNames(t *testing.T) {
	t.Parallel()
	for name, mount := range map[string]bool{"a hard link": false, "a file mounted into a container": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const granted = 10
			s := newSandbox(t, 2*granted)
			one := filepath.Join(t.TempDir(), "ledger.db")
			two := filepath.Join(t.TempDir(), "other.db")
			first, second := s.elsewhere(one), s.elsewhere(two)
			out, err := first.command("quota", "init", "--granted", fmt.Sprint(granted)).CombinedOutput()
			require.NoError(t, err, "%s", out)
			place := apart.Place{}
			if mount {
				place = apart.Place{Unshare: []string{"--mount"}, First: fmt.Sprintf("touch '%s'; mount --bind '%s' '%s'", two, one, two)}
				if !place.Possible(t) {
					return
				}
			} else {
				require.NoError(t, os.Link(one, two))
			}
			var all sync.WaitGroup
			for range 3 {
				for _, p := range []*sandbox{first, second} {
					all.Go(func() {
						cmd := p.command("exec", "--quiet", "--mode", "live", "--max-spend", "5", "--", "classify", "5")
						if p == second && mount {
							inside := place.Command(t, "hsharness", cmd.Args[1:]...)
							inside.Dir, inside.Env = cmd.Dir, cmd.Env
							cmd = inside
						}
						out, err := cmd.CombinedOutput()
						var exit *exec.ExitError
						if err != nil && assert.ErrorAs(t, err, &exit, "%s", out) {
							assert.Contains(t, []int{exitLedger, exitBlocked}, exit.ExitCode(), "%s", out)
						}
						if p == second || !mount {
							assert.Error(t, err, "%s", out)
							assert.Regexp(t, "has 2 names|is mounted by itself", string(out))
						}
					})
				}
			}
			all.Wait()
			served := s.served()
			assert.LessOrEqual(t, served, int64(granted), "granted, and not twice")
			if mount {
				assert.Equal(t, int64(granted), served, "where the file is at home it serves")
			} else {
				assert.Zero(t, served)
				require.NoError(t, os.Remove(two))
			}
			first.verify()
			assert.Equal(t, served, first.status().Spent)
		})
	}
}

// keepGate is a process that is stopped while it has the gate of a ledger.
func keepGate() {
	gate, err := os.OpenFile(os.Args[1], os.O_RDWR, 0)
	if err == nil {
		err = syscall.Flock(int(gate.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	holder.Sign(gate, 16, "")
	fmt.Println("kept")
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	<-time.After(time.Hour) // this thread may go on before the others are stopped, and would end the process
	runtime.KeepAlive(gate) // who collects it, closes it, and lets the gate go
}

// While a process is stopped in the gate, every command ends: those that only read
// as if nothing was, the others with code 7 and who it is.
func TestCommandsBesideAStoppedProcess(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "scenarios"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "scenarios", "one.yaml"), []byte("version: 1\nname: one\nsteps: [ { token: {} } ]\n"), 0o644))
	stopped := exec.Command("keepgate", filepath.Join(s.dir, ".hsharness", "ledger.db.lock"))
	out, err := stopped.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, stopped.Start())
	t.Cleanup(func() {
		require.NoError(t, stopped.Process.Kill())
		_ = stopped.Wait() // it was killed
	})
	var said string
	_, err = fmt.Fscan(out, &said)
	require.NoError(t, err)
	who := fmt.Sprintf("process %d (keepgate) of ", stopped.Process.Pid)
	var all sync.WaitGroup
	for _, row := range []struct {
		args string
		code int
	}{
		{"quota status", exitOK}, {"quota history", exitOK}, {"quota runs", exitOK}, {"quota verify", exitOK},
		{"quota export", exitOK}, {"report", exitOK}, {"plan", exitOK},
		{"doctor", exitLedger}, {"quota grant 1", exitLedger}, {"quota end none", exitLedger},
		{"exec --mode live --max-spend 1 -- touch started", exitLedger},
	} {
		all.Go(func() {
			began := time.Now()
			cmd := s.command(strings.Fields(row.args)...)
			out, _ := cmd.CombinedOutput() // its code is looked at
			assert.Equal(t, row.code, cmd.ProcessState.ExitCode(), "%s: %s", row.args, out)
			assert.Less(t, time.Since(began), 30*time.Second, row.args)
			if row.code == exitLedger {
				assert.Contains(t, string(out), who, row.args)
				assert.NotContains(t, string(out), "context deadline exceeded", row.args)
			}
		})
	}
	all.Wait()
	assert.NoFileExists(t, filepath.Join(s.dir, "started"))
}

// In a folder of a group each of the group spends from one ledger, and who may only
// read sees its state.
func TestGroupSharesAProject(t *testing.T) {
	t.Parallel()
	const ann, bob, team = 1001, 1002, 2001
	if !(apart.Place{User: ann, Group: team}).Possible(t) {
		return
	}
	s := newSandbox(t, 20)
	dir := filepath.Join(apart.Folder(t), "project")
	require.NoError(t, os.Mkdir(dir, 0o750))
	require.NoError(t, os.Chown(dir, ann, team))
	require.NoError(t, os.Chmod(dir, 0o770|os.ModeSetgid))
	text, err := os.ReadFile(filepath.Join(s.dir, "hsharness.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hsharness.yaml"), text, 0o644))
	bin := filepath.Join(apart.Folder(t), "hsharness")
	real, err := exec.LookPath("hsharness")
	require.NoError(t, err)
	require.NoError(t, exec.Command("cp", real, bin).Run())
	as := func(user int, umask string, args ...string) (string, int) {
		cmd := apart.Place{User: user, Group: team, Umask: umask}.Command(t, bin, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "REAL_SECRET="+realSecret, "CI=", "XDG_STATE_HOME=/nonexistent", "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return out.String(), cmd.ProcessState.ExitCode()
	}
	for _, umask := range []string{"007", "022"} {
		out, code := as(ann, umask, "quota", "init", "--granted", "10", "--ledger", "sqlite:"+umask+"/ledger.db")
		require.Zero(t, code, out)
		out, code = as(bob, "022", "quota", "status", "--ledger", "sqlite:"+umask+"/ledger.db")
		assert.Zero(t, code, out)
		assert.Contains(t, out, "left             10")
		out, code = as(bob, "022", "exec", "--mode", "live", "--max-spend", "1", "--ledger", "sqlite:"+umask+"/ledger.db", "--", "true")
		if umask == "007" {
			assert.Zero(t, code, out)
		} else {
			assert.Equal(t, exitLedger, code, out)
			assert.Contains(t, out, quota.ErrUnsafePlace.Error())
			assert.Contains(t, out, "chmod g+w")
		}
		out, code = as(ann, "077", "exec", "--mode", "live", "--max-spend", "1", "--ledger", "sqlite:"+umask+"/ledger.db", "--", "true")
		assert.Zero(t, code, out)
	}
}
