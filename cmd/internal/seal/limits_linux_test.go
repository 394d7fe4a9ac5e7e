package seal_test

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/seal"
)

// TestCommandGetsEveryByte: what a system takes as an argument need not be text.
func TestCommandGetsEveryByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/\xfe"
	require.NoError(t, os.Mkdir(dir, 0o700))
	s := start(t, seal.Config{})
	const script = `printf '%s' "$1" "$V" "${PWD##*/}" | od -An -tx1; printf '%s' "$2" | wc -c`
	require.NoError(t, s.Start("/bin/sh", []string{"sh", "-c", script, "sh", "\xff<\x80", strings.Repeat("a", 100_000)}, []string{"PATH=" + os.Getenv("PATH"), "V=\xc3"}, dir))
	code, err := s.Wait()
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Equal(t, " ff 3c 80 c3 fe\n100000\n", s.out.String())
}

// TestRefusedCalls: what namespaces do not part is refused.
func TestRefusedCalls(t *testing.T) {
	t.Parallel()
	code, out := start(t, seal.Config{}).run(`exec python3 -c '
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def became(result): return "made" if result >= 0 else errno.errorcode[ctypes.get_errno()]
print([family for family in range(1, 46) if "made" in (became(libc.socket(family, 1, 0)), became(libc.socket(family, 2, 0)))])
print(*[became(libc.socket(family, 1, 0)) for family in (40, 17, 21, 30, 38)])
machine = os.uname().machine
add, request = (248, 249) if machine == "x86_64" else (217, 218)
calls = [(425, (8, 0)), (add, (b"user", b"a", b"b", 1, -4)), (request, (b"user", b"a", None, 0))]
if machine == "x86_64": # which alone has a second convention of 64 bits
    calls.append((0x40000000 | 41, (1, 1, 0)))
print(*{became(libc.syscall(call, *args)) for call, args in calls})
print(*[became(libc.ioctl(0, request, b"x")) for request in (0x5412, 0x541c)])
'`)
	assert.Zero(t, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	assert.Equal(t, []string{
		"[1, 2, 10, 16]", // the families that a namespace holds
		"EAFNOSUPPORT EAFNOSUPPORT EAFNOSUPPORT EAFNOSUPPORT EAFNOSUPPORT",
		"ENOSYS", // of each call
		"EPERM EPERM",
	}, lines)
}

// TestSettingsOfTheKernel are not for a sealed command, also where it is the
// administrator's: the kernel starts programs that are named there.
func TestSettingsOfTheKernel(t *testing.T) {
	t.Parallel()
	code, out := start(t, seal.Config{}).run(`
		for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hotplug /proc/sysrq-trigger /sys/kernel/uevent_helper /sys/power/state; do
			test -e $f && (: >>$f) 2>/dev/null && echo "$f can be written"
		done
		find /sys/fs/cgroup -maxdepth 2 -type d -exec test -w {} ';' -print
		unshare --user --map-root-user --mount --pid --fork sh -c 'mount -t proc proc /proc && (: >>/proc/sys/kernel/core_pattern) && echo a new one can be written' 2>/dev/null
		exit 0`)
	assert.Zero(t, code)
	assert.Empty(t, out)
}

// TestOwnNameIsKnown: it is no other host, whatever the machine's files say.
func TestOwnNameIsKnown(t *testing.T) {
	t.Parallel()
	own, err := os.Hostname()
	require.NoError(t, err)
	_, out := start(t, seal.Config{}).run("grep -cwF " + own + " /etc/hosts; awk '/^#/ || NF < 2 {next} {print $1}' /etc/hosts")
	lines := strings.Fields(out)
	require.NotEmpty(t, lines)
	assert.NotEqual(t, "0", lines[0])
	for _, address := range lines[1:] {
		assert.True(t, net.ParseIP(address).IsLoopback(), address)
	}
}

// TestForeignFolders: in a folder of another user root is told why it can write nothing.
func TestForeignFolders(t *testing.T) {
	t.Parallel()
	own := t.TempDir()
	_, foreign := seal.Foreign(own)
	assert.False(t, foreign, "one's own")
	if os.Geteuid() != 0 {
		_, foreign = seal.Foreign("/")
		assert.False(t, foreign, "who is not root knows it")
		return
	}
	require.NoError(t, os.Chown(own, 1234, 1234))
	user, foreign := seal.Foreign(own)
	assert.True(t, foreign)
	assert.Equal(t, 1234, user)
	code, _ := start(t, seal.Config{}).run("touch " + own + "/a")
	assert.NotZero(t, code, "it is so")
	require.NoError(t, os.Chmod(own, 0o777))
	_, foreign = seal.Foreign(own)
	assert.False(t, foreign, "anybody may write there")
}
