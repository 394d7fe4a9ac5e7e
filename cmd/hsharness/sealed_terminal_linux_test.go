package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// typist is somebody at a terminal.
type typist struct {
	t       *testing.T
	keys    *os.File
	session int
	mu      sync.Mutex
	seen    bytes.Buffer
	from    int // what was waited for ends there
}

// atTerminal runs a script of bash at a terminal of its own.
func atTerminal(t *testing.T, cmd *exec.Cmd) *typist {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	raw, err := keys.SyscallConn()
	require.NoError(t, err)
	var number int
	require.NoError(t, raw.Control(func(fd uintptr) {
		err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		if err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
		if err == nil {
			err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 77})
		}
	}))
	require.NoError(t, err)
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	_ = screen.Close()
	y := &typist{t: t, keys: keys, session: cmd.Process.Pid}
	go func() {
		block := make([]byte, 4096)
		for {
			n, err := keys.Read(block)
			y.mu.Lock()
			y.seen.Write(block[:n])
			y.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		_ = keys.Close()
	})
	return y
}

// after waits for a text and types another.
func (y *typist) after(text, keys string) {
	y.t.Helper()
	found := func() bool {
		y.mu.Lock()
		defer y.mu.Unlock()
		at := strings.Index(y.seen.String()[y.from:], text)
		if at >= 0 {
			y.from += at + len(text)
		}
		return at >= 0
	}
	if !assert.Eventually(y.t, found, 20*time.Second, 2*time.Millisecond) {
		y.t.Fatalf("no %q in %q", text, y.seen.String())
	}
	_, err := y.keys.WriteString(keys)
	require.NoError(y.t, err)
}

// stopped waits until every process of that name at the terminal stands still. A shell that
// says so knows of its own children alone, and a reader further down that has not run since
// takes a key of what is typed next.
func (y *typist) stopped(name string) {
	y.t.Helper()
	require.Eventually(y.t, func() bool {
		all, err := filepath.Glob("/proc/[0-9]*/stat")
		assert.NoError(y.t, err)
		states := ""
		for _, one := range all {
			stat, _ := os.ReadFile(one) // it may have ended
			before, rest, _ := strings.Cut(string(stat), ") ")
			_, is, _ := strings.Cut(before, " (")
			fields := strings.Fields(rest) // state, parent, group, session
			if is == name && len(fields) > 3 && fields[3] == strconv.Itoa(y.session) {
				states += fields[0]
			}
		}
		return states != "" && strings.Trim(states, "T") == ""
	}, 20*time.Second, 2*time.Millisecond, name)
}

// TestTerminalOfASeal: keys, jobs and the size of a terminal are for a sealed command
// what they are for another one, and the shell around gets the terminal back.
func TestTerminalOfASeal(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 1)
	for _, flag := range []string{"", "--sealed"} {
		t.Run("exec"+flag, func(t *testing.T) {
			t.Parallel()
			cmd := s.command()
			cmd.Path, cmd.Args = "/bin/bash", []string{"bash", "--norc", "--noprofile", "-i"}
			cmd.Env = append(cmd.Env, "PS1=outer> ", "TERM=dumb", "X=hsharness exec --quiet "+flag+" --", "INPUTRC=/dev/null")
			y := atTerminal(t, cmd)
			y.after("outer> ", "$X sh -c 'stty size; tty | cut -c1-9'\n")
			y.after("33 77", "")
			y.after("/dev/pts/", "")
			y.after("outer> ", "$X sh -c 'trap \"echo inter''rupted; exit 7\" INT; echo rea''dy; sleep 30 & wait'; echo code $?\n")
			y.after("ready", "\x03")
			y.after("interrupted", "")
			y.after("code 7", "")
			y.after("outer> ", "$X sh -c 'echo rea''dy; exec sleep 30'; echo code $?\n")
			y.after("ready", "\x03")
			y.after("code 130", "")
			y.after("outer> ", "$X sh -c 'echo rea''dy; read x; echo got $x; exit 5'\n")
			y.after("ready", "\x1a") // the whole of it stops, and goes on
			y.after("Stopped", "")
			y.stopped("sh")
			y.after("outer> ", "fg\n")
			y.after("exit 5'", "line\n")
			y.after("got line", "")
			y.after("outer> ", "echo code $?\n")
			y.after("code 5", "")
			// A shell inside has jobs of its own, and the terminal is the outer one's again.
			y.after("outer> ", "bash -c \"$X env PS1='inner> ' bash --norc --noprofile -i; echo co''de \\$?; read x; echo got \\$x\"\n")
			y.after("inner> ", "sh -c 'echo o''ne; read x; echo t''wo; exec sleep 50'\n")
			y.after("\none", "\x1a")
			y.after("Stopped", "")
			y.stopped("sh")
			y.after("inner> ", "fg\n")
			y.after("exec sleep 50'", "line\n")
			y.after("\ntwo", "\x03")
			y.after("inner> ", "exit 3\n")
			y.after("code 3", "last\n")
			y.after("got last", "")
			y.after("outer> ", "exit\n")
		})
	}
}
