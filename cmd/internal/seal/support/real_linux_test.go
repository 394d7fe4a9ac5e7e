package support_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hsharness/hsharness/cmd/internal/seal/support"
	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/internal/hint"
)

// envStage is what a process of this program does, and envLevel how deep it is.
const (
	envStage = "SUPPORT_STAGE"
	envLevel = "SUPPORT_LEVEL"
)

// sealed are the namespaces of a seal.
const sealed = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWNS

func TestMain(m *testing.M) {
	if stage := os.Getenv(envStage); stage != "" {
		os.Exit(stages[stage]())
	}
	os.Exit(m.Run())
}

// stages are what processes of this test do. One that says why no seal is made prints it.
var stages = map[string]func() int{
	"plain":    func() int { return say(probe()) },
	"probe":    mountProc,
	"seccomp":  func() int { return say(first(filter(false), probe)) },
	"nomount":  func() int { return say(first(filter(true), probe)) },
	"users":    func() int { return say(first(write("/proc/sys/user/max_user_namespaces", "0"), probe)) },
	"networks": func() int { return say(first(write("/proc/sys/user/max_net_namespaces", "0"), probe)) },
	"chroot":   func() int { return say(first(chroot(), probe)) },
	"masked":   func() int { return say(first(unix.Mount("/dev/null", "/proc/uptime", "", unix.MS_BIND, ""), probe)) },
	"nested":   nest,
	"bound":    bind,
}

// probe makes a seal's namespaces as the guard does, and a /proc in them.
func probe() error {
	cmd := again("probe", sealed, os.Geteuid())
	cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN} // which who is not root loses by exec
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return support.Explain(support.Namespaces, err)
	}
	errno, err := strconv.Atoi(string(out))
	if err != nil {
		return fmt.Errorf("%s: %w", exit, err)
	}
	return support.Explain(support.Mounts, syscall.Errno(errno))
}

// mountProc is what a seal does first, and prints the number of what it was told.
func mountProc() int {
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err == nil {
		err = unix.Mount("proc", "/proc", "proc", 0, "")
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		fmt.Print(int(errno))
		return 1
	}
	return 0
}

// nest makes user namespaces in user namespaces until the kernel makes no more.
func nest() int {
	level, _ := strconv.Atoi(os.Getenv(envLevel))
	cmd := again("nested", unix.CLONE_NEWUSER, os.Geteuid())
	cmd.Env = append(cmd.Env, fmt.Sprint(envLevel, "=", level+1))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return say(support.Explain(support.Namespaces, err))
	}
	return 0
}

// again is this program in another stage and in namespaces, as a user of the caller.
func again(stage string, namespaces uintptr, uid int) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), envStage+"="+stage)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	if namespaces&unix.CLONE_NEWUSER != 0 && uid >= 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getegid(), Size: 1}}
	}
	return cmd
}

func first(err error, then func() error) error {
	if err != nil {
		return fmt.Errorf("the test could not be set up: %w", err)
	}
	return then()
}

func write(file, text string) error { return os.WriteFile(file, []byte(text), 0) }

// chroot changes to a folder that has /proc and /dev, and nothing else.
func chroot() error {
	dir := os.Getenv("SUPPORT_DIR")
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	for _, name := range []string{"proc", "dev"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
		if err := unix.Mount("/"+name, filepath.Join(dir, name), "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return err
		}
	}
	return errors.Join(unix.Chroot(dir), unix.Chdir("/"))
}

// bind makes the folder a mount, and has a child change to it.
func bind() int {
	dir := os.Getenv("SUPPORT_DIR")
	if err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount(dir, dir, "", unix.MS_BIND, "")); err != nil {
		return say(err)
	}
	cmd := again("chroot", 0, 0)
	cmd.Stdout = os.Stdout
	if cmd.Run() != nil {
		return 1
	}
	return 0
}

// filter has the kernel refuse namespaces to this process, or mounts instead, as the
// profiles of containers do. It jumps to the refusal at the end.
func filter(mounts bool) error {
	const refusal = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	equal := func(nr uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: nr}
	}
	answer := func(a uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: a} }
	program := []unix.SockFilter{
		load(0), // the call's number
		equal(unix.SYS_CLONE3, 0, 1), answer(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)),
		equal(unix.SYS_UNSHARE, 1, 0), equal(unix.SYS_CLONE, 0, 2),
		load(16), // the flags
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jt: 1, K: unix.CLONE_NEWUSER | unix.CLONE_NEWNS},
		answer(unix.SECCOMP_RET_ALLOW), answer(refusal),
	}
	if mounts {
		program = []unix.SockFilter{load(0), equal(unix.SYS_MOUNT, 1, 0), answer(unix.SECCOMP_RET_ALLOW), answer(refusal)}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	all := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&all)))
	if errno != 0 {
		return errno
	}
	return nil
}

// said is what a stage prints.
type said struct {
	Cause        support.Cause
	Step         string
	Text, Advice string
}

func say(err error) int {
	got := said{Text: fmt.Sprint(err), Advice: hint.For(err)}
	var e *support.Error
	if errors.As(err, &e) {
		got.Cause, got.Step = e.Cause, e.Step
	}
	if json.NewEncoder(os.Stdout).Encode(got) != nil {
		return 1
	}
	return 0
}

// TestReal has a kernel refuse a seal for each cause that a process can be put into, and
// asks why.
func TestReal(t *testing.T) {
	t.Parallel()
	place := apart.Place{Unshare: []string{"--mount", "--net"}}
	if os.Getuid() != 0 {
		place.Unshare = append(place.Unshare, "--user", "--map-current-user", "--keep-caps")
	}
	if !place.Possible(t) {
		return
	}
	for _, c := range []struct {
		stage  string
		inside uintptr // the namespaces that are around it
		cause  support.Cause
		step   string
		what   string
		mend   string
	}{
		{"plain", 0, "", "", "<nil>", ""},
		{"plain", unix.CLONE_NEWUSER, "", "", "<nil>", ""},
		{"seccomp", 0, support.Seccomp, support.Namespaces, "forbids namespaces", ""},
		{"nomount", 0, support.Seccomp, support.Mounts, "forbids mounts", ""},
		{"users", unix.CLONE_NEWUSER, support.Limit, support.Namespaces, "user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=15000"},
		{"networks", unix.CLONE_NEWUSER, support.Limit, support.Namespaces, "user.max_net_namespaces is 0", "sysctl -w user.max_net_namespaces=15000"},
		{"nested", unix.CLONE_NEWUSER, support.Limit, support.Namespaces, "nested 32 deep", "outside of the namespaces"},
		{"chroot", unix.CLONE_NEWUSER | unix.CLONE_NEWNS, support.Chroot, support.Namespaces, "in a chroot", "outside of the chroot"},
		{"bound", unix.CLONE_NEWUSER | unix.CLONE_NEWNS, support.Chroot, support.Namespaces, "in a chroot", "outside of the chroot"},
		{"masked", unix.CLONE_NEWUSER | unix.CLONE_NEWNS, support.MaskedProc, support.Mounts, "parts of /proc are covered", ""},
	} {
		t.Run(fmt.Sprintf("%s in %x", c.stage, c.inside), func(t *testing.T) {
			t.Parallel()
			cmd := again(c.stage, c.inside, 0)
			cmd.Env = append(cmd.Env, "SUPPORT_DIR="+t.TempDir())
			var out, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &stderr
			require.NoError(t, cmd.Run(), stderr.String())
			var got said
			require.NoError(t, json.Unmarshal(out.Bytes(), &got), "%s%s", &out, &stderr)
			assert.Equal(t, c.cause, got.Cause, got.Text)
			assert.Equal(t, c.step, got.Step, got.Text)
			assert.Contains(t, got.Text, c.what)
			assert.Contains(t, got.Advice, c.mend)
		})
	}
	t.Run("a user without a number", func(t *testing.T) {
		t.Parallel()
		cmd := again("plain", unix.CLONE_NEWUSER, -1)
		out, err := cmd.Output()
		require.NoError(t, err)
		var got said
		require.NoError(t, json.Unmarshal(out, &got), string(out))
		assert.Equal(t, support.Unmapped, got.Cause, got.Text)
	})
}
