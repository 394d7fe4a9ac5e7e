package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSealedCommandEndsAsAnyOther: codes, signals, input, limits and folders are for a
// sealed command what they are for one of exec alone.
func TestSealedCommandEndsAsAnyOther(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 1)
	for script, want := range map[string]string{
		`$X sh -c 'exit 3'; echo $?`:                                          "3\n",
		`$X no-such-program 2>/dev/null; echo $?`:                             "2\n",
		`$X /etc/passwd; echo $?`:                                             "hsharness: fork/exec /etc/passwd: permission denied\n2\n",
		`$X sh -c 'exit 127'; $X sh -c 'kill -SEGV $$'; echo $?`:              "139\n",
		`$X sh -c 'kill -9 $$'; echo $?`:                                      "137\n",
		`echo in | $X cat; $X cat </dev/null; $X cat <&- 2>/dev/null; :`:      "in\n",
		`head -c 3000000 /dev/zero | $X wc -c`:                                "3000000\n",
		`$X yes | head -1`:                                                    "y\n",
		`umask 027; $X sh -c umask; umask 0777; $X sh -c umask`:               "0027\n0777\n",
		`ulimit -Sn 100; $X sh -c 'ulimit -n'; nice -n 5 $X nice`:             "100\n5\n",
		`$X sh -c 'echo ${#1}' sh "$(head -c 120000 /dev/zero | tr '\0' a)"`:  "120000\n",
		`nohup $X sh -c 'kill -HUP $$; echo alive' 2>/dev/null`:               "alive\n",
		`$X sh -c 'trap "" TERM; kill $$; echo alive'`:                        "alive\n",
		`TMPDIR=/no/such $X sh -c 'echo $TMPDIR'`:                             "/no/such\n",
		`mkdir gone; cd gone; rmdir ../gone; $Y sh -c 'echo ran' 2>/dev/null`: "ran\n",
	} {
		for _, flag := range []string{"", "--sealed"} {
			cmd := s.command()
			cmd.Path, cmd.Args, cmd.Dir = "/bin/bash", []string{"bash", "-c", script}, t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "hsharness.yaml"), []byte("version: 1\n"), 0o600))
			cmd.Env = append(cmd.Env, "X=hsharness exec --quiet "+flag+" --", "Y=hsharness exec --quiet "+flag+" --config "+filepath.Join(cmd.Dir, "hsharness.yaml")+" --")
			out, err := cmd.CombinedOutput()
			assert.Equal(t, want, string(out), "%s %s: %v", flag, script, err)
		}
	}
}

// TestSignalsReachASealedCommand: those to hsharness alone, and those to its whole group.
func TestSignalsReachASealedCommand(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 1)
	// Whoever runs the tests may have them ignore a hangup, as nohup does: what they start
	// would ignore it too, and has to have signals as a terminal's programs do.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	t.Cleanup(func() { signal.Stop(caught) })
	for _, sent := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		for _, group := range []bool{false, true} {
			for script, want := range map[string]int{
				"echo ready; exec sleep 30": 128 + int(sent),
				`trap "exit 9" TERM INT HUP QUIT; echo ready; sleep 30 <&- >&- 2>&- & wait`: 9,
			} {
				for _, flag := range []string{"--sealed=yes", "--verbose=false"} {
					cmd := s.command("exec", "--quiet", flag, "--", "sh", "-c", script)
					cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
					out, err := cmd.StdoutPipe()
					require.NoError(t, err)
					var said bytes.Buffer
					cmd.Stderr = &said
					require.NoError(t, cmd.Start())
					_, err = out.Read(make([]byte, 6))
					require.NoError(t, err, "%s", &said)
					to := cmd.Process.Pid
					if group {
						to = -to
					}
					begun := time.Now()
					require.NoError(t, syscall.Kill(to, sent))
					err = cmd.Wait()
					var exit *exec.ExitError
					if assert.True(t, errors.As(err, &exit), "%s %s to its group %t: %s: %v: %s", flag, sent, group, script, err, &said) {
						assert.Equal(t, want, exit.ExitCode(), "%s %s to its group %t: %s: %s", flag, sent, group, script, &said)
					}
					assert.Less(t, time.Since(begun), 15*time.Second)
					_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what exec alone leaves
				}
			}
		}
	}
}
