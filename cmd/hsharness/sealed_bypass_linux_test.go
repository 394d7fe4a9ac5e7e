package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hsharness/hsharness/internal/apart"
)

// ways is the least number of ways by which an attacker has to try to get out.
const ways = 1000

// raised tells whose rights a program has that is another user's.
func raised() {
	text, _ := os.ReadFile("/proc/self/status")
	if os.Geteuid() != os.Getuid() || !strings.Contains(string(text), "CapEff:\t0000000000000000") {
		fmt.Println("raised")
	}
}

// TestNothingGetsOutOfASeal: a program that is sealed and tries every way that is known
// reaches nothing outside, whoever runs it, and what it asks of the real host is
// counted.
func TestNothingGetsOutOfASeal(t *testing.T) {
	t.Parallel()
	if !apart.Afar(t, "mount -t tmpfs -o mode=755 none /run; mkdir /run/nscd") {
		return
	}
	users := map[string]uint32{"ordinary user": uint32(os.Getuid())}
	var there func(func())
	if os.Getuid() == 0 {
		there = cable(t)
		users = map[string]uint32{"root": 0, "ordinary user": 1001}
	}
	for name, user := range users {
		t.Run(name, func(t *testing.T) { attackAs(t, user, there) })
	}
}

func attackAs(t *testing.T, user uint32, there func(func())) {
	bin := programs(t, "hsharness", "breakout", "classify")
	raisable := filepath.Join(bin, "raised")
	out, err := exec.Command("cp", filepath.Join(bin, "program"), raisable).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Chmod(raisable, 0o755|os.ModeSetuid))

	s := serveSandbox(t, 100, apart.Address)
	for path, mode := range map[string]os.FileMode{s.dir: 0o777, filepath.Dir(s.dir): 0o755, s.dir + "/hsharness.yaml": 0o644} {
		require.NoError(t, os.Chmod(path, mode))
	}
	as := func(args ...string) *exec.Cmd {
		cmd := s.command(args...)
		cmd.Path, cmd.Err = filepath.Join(bin, "hsharness"), nil
		cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+s.dir)
		if os.Getuid() == 0 && user != 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
		}
		return cmd
	}
	out, err = as("quota", "init", "--granted", "100").CombinedOutput()
	require.NoError(t, err, "%s", out)

	around := surround(t, s, there)
	out, err = json.Marshal(around.outside)
	require.NoError(t, err)
	run := func(script string, args ...string) attempts {
		cmd := as(append(append([]string{"exec", "--mode", "live", "--max-spend", "10"}, args...), "--", "sh", "-c", script)...)
		cmd.Env = append(cmd.Env, "BREAKOUT="+string(out))
		cmd.ExtraFiles = around.open
		var text, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &said
		require.NoError(t, cmd.Run(), "%s", &said)
		var r attempts
		require.NoError(t, json.Unmarshal(text.Bytes(), &r), "%s\n%s", &text, &said)
		return r
	}

	// Beside the guard they are all reached: they would notice.
	around.contacts.Store(0)
	run("breakout network")
	assert.GreaterOrEqual(t, around.contacts.Load(), int64(len(around.TCP)+len(around.UDP)+len(around.Abstract)+1), "the targets do not notice what reaches them")
	require.Zero(t, s.served())

	around.contacts.Store(0)
	r := run(`breakout direct; HSHARNESS_TOKEN_URL=https://ai-sbx.avlr.sh/connect/token HSHARNESS_API_URL=https://hscode.api.sbx.avalara.com classify 3 >&2`, "--sealed")
	late, err := os.OpenFile(around.Late, os.O_RDWR, 0)
	require.NoError(t, err)
	defer late.Close()
	assert.NoError(t, unix.Flock(int(late.Fd()), unix.LOCK_EX|unix.LOCK_NB), "a process outlived the command")

	assert.Zero(t, around.contacts.Load(), "what was reached outside")
	assert.Empty(t, r.Got, "what got through")
	assert.EqualValues(t, 3, s.served(), "what was asked of the real host")
	assert.EqualValues(t, 3, s.status().Spent)
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(r.Tried)) {
		t.Logf("%5d %s", r.Tried[kind], kind)
		total += r.Tried[kind]
	}
	t.Logf("%5d ways in all, %d got out", total, len(r.Got))
	assert.GreaterOrEqual(t, total, ways)
	for _, way := range []string{"a child in a session of its own", "nested user and network", "nested user, process and mount", "a program in memory"} {
		assert.Positive(t, r.Tried[way+", TCP"], way)
	}

	// What a seal does not stop is counted apart, and is told.
	assert.True(t, r.Passed, "a program outside can pass a way out on")
	model, err := os.ReadFile("../../docs/threat-model.md")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(strings.Fields(string(model)), " "), "unix sockets in the file system")
}

// programs are names of this program, where every user may run them.
func programs(t *testing.T, names ...string) (bin string) {
	t.Helper()
	program := apart.Program(t)
	for _, name := range names {
		require.NoError(t, os.Symlink(program, filepath.Join(filepath.Dir(program), name)))
	}
	return filepath.Dir(program)
}

// around is what is around a seal, and counts what reaches it.
type around struct {
	outside
	contacts atomic.Int64
	open     []*os.File // as somebody may have left them open
}

func surround(t *testing.T, s *sandbox, there func(func())) *around {
	a := &around{}
	a.PID = os.Getpid()
	var err error
	a.Net, err = os.Readlink("/proc/thread-self/ns/net")
	require.NoError(t, err)
	hosts := []string{"127.0.0.1", apart.Address, "::1"}
	if there != nil {
		hosts = append(hosts, "10.78.0.1", "fe80::77%"+near)
		a.tcp(t, "10.78.0.2:0", there)
	}
	here := func(do func()) { do() }
	for _, host := range hosts {
		a.tcp(t, net.JoinHostPort(host, "0"), here)
		c, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
		require.NoError(t, err)
		a.UDP = append(a.UDP, c.LocalAddr().String())
		a.packets(t, c)
	}
	for _, kind := range []string{"unix", "unixpacket"} {
		name := fmt.Sprintf("@hsharness-%s-%d-%s", kind, os.Getpid(), filepath.Base(s.dir))
		l, err := net.Listen(kind, name)
		require.NoError(t, err)
		a.Abstract = append(a.Abstract, name)
		a.accept(t, l, nil)
	}
	c, err := net.ListenPacket("unixgram", "@hsharness-gram-"+fmt.Sprint(os.Getpid())+filepath.Base(s.dir))
	require.NoError(t, err)
	a.Abstract = append(a.Abstract, c.LocalAddr().String())
	a.packets(t, c)

	a.Resolver = "/run/nscd/socket"
	_ = os.Remove(a.Resolver) // that of the user before
	a.socket(t, a.Resolver, nil)

	mine, theirs, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = mine.Close(), theirs.Close() })
	a.Passer = filepath.Join(s.dir, "passer")
	a.socket(t, a.Passer, theirs)

	a.Late = filepath.Join(s.dir, "late")
	require.NoError(t, os.WriteFile(a.Late, nil, 0o666))
	require.NoError(t, os.Chmod(a.Late, 0o666))

	for _, at := range a.TCP[:3] {
		conn, err := net.Dial("tcp", at)
		require.NoError(t, err)
		file, err := conn.(*net.TCPConn).File()
		require.NoError(t, err)
		a.open = append(a.open, file)
	}
	for _, path := range []string{"/", s.dir, "/proc/self/ns"} {
		file, err := os.Open(path)
		require.NoError(t, err)
		a.open = append(a.open, file)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	a.open = append(a.open, os.NewFile(uintptr(pair[0]), ""), os.NewFile(uintptr(pair[1]), ""), theirs)
	for _, file := range a.open {
		to, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
		require.NoError(t, err)
		a.Files = append(a.Files, to)
	}
	return a
}

func (a *around) tcp(t *testing.T, at string, where func(func())) {
	where(func() {
		l, err := net.Listen("tcp", at)
		if assert.NoError(t, err) {
			a.TCP = append(a.TCP, l.Addr().String())
			a.accept(t, l, nil)
		}
	})
}

// socket is one in the file system, that everybody may use.
func (a *around) socket(t *testing.T, path string, pass *os.File) {
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o777))
	a.accept(t, l, pass)
}

// accept counts connections. One that passes something on counts none.
func (a *around) accept(t *testing.T, l net.Listener, pass *os.File) {
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if pass == nil {
				a.contacts.Add(1)
			} else {
				_, _, _ = c.(*net.UnixConn).WriteMsgUnix([]byte{0}, unix.UnixRights(int(pass.Fd())), nil)
			}
			_ = c.Close()
		}
	}()
}

func (a *around) packets(t *testing.T, c net.PacketConn) {
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		for {
			if _, _, err := c.ReadFrom(make([]byte, 100)); err != nil {
				return
			}
			a.contacts.Add(1)
		}
	}()
}

// near is the end here of a cable to another network.
const near = "hs-near"

// cable makes a network beside this one, reached over a cable, where things are then done.
func cable(t *testing.T) (there func(do func())) {
	t.Helper()
	sh := func(script string) error {
		out, err := exec.Command("sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; set -e; "+script).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	jobs, done, thread := make(chan func()), make(chan error), make(chan int)
	go func() {
		runtime.LockOSThread() // and the thread ends with it
		err := unix.Unshare(unix.CLONE_NEWNET)
		thread <- unix.Gettid()
		done <- err
		for job := range jobs {
			job()
			done <- nil
		}
	}()
	t.Cleanup(func() { close(jobs) })
	at := <-thread
	require.NoError(t, <-done)
	require.NoError(t, sh(fmt.Sprintf("ip link add %s type veth peer name hs-far netns %d; ip addr add 10.78.0.1/24 dev %[1]s; ip -6 addr add fe80::77/64 dev %[1]s nodad; ip link set %[1]s up", near, at)))
	jobs <- func() { assert.NoError(t, sh("ip addr add 10.78.0.2/24 dev hs-far; ip link set hs-far up")) }
	assert.NoError(t, <-done)
	return func(do func()) {
		jobs <- do
		assert.NoError(t, <-done)
	}
}
