package seal

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// TestFilter runs the program as the kernel does, also for conventions that this machine
// has not.
func TestFilter(t *testing.T) {
	t.Parallel()
	const allow = unix.SECCOMP_RET_ALLOW
	errno := func(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }
	type row struct {
		arch, number  uint32
		first, second uint64
		want          uint32
	}
	rows := map[string][]row{
		"amd64": {
			{unix.AUDIT_ARCH_X86_64, 41, unix.AF_UNIX, 0, allow}, {unix.AUDIT_ARCH_X86_64, 41, unix.AF_INET6, 1, allow},
			{unix.AUDIT_ARCH_X86_64, 41, unix.AF_VSOCK, 1, errno(unix.EAFNOSUPPORT)}, {unix.AUDIT_ARCH_X86_64, 41, unix.AF_VSOCK | 1<<32, 1, errno(unix.EAFNOSUPPORT)},
			{unix.AUDIT_ARCH_X86_64, 16, 0, unix.TIOCSTI, errno(unix.EPERM)}, {unix.AUDIT_ARCH_X86_64, 16, 0, unix.TIOCSTI | 1<<40, errno(unix.EPERM)},
			{unix.AUDIT_ARCH_X86_64, 16, 0, unix.TCGETS, allow}, {unix.AUDIT_ARCH_X86_64, 0, 0, 0, allow},
			{unix.AUDIT_ARCH_X86_64, 425, 1, 0, errno(unix.ENOSYS)}, {unix.AUDIT_ARCH_X86_64, otherABI | 41, unix.AF_INET, 1, errno(unix.ENOSYS)},
			{unix.AUDIT_ARCH_I386, 359, unix.AF_VSOCK, 1, errno(unix.EAFNOSUPPORT)}, {unix.AUDIT_ARCH_I386, 359, unix.AF_INET, 1, allow},
			{unix.AUDIT_ARCH_I386, 102, 1, 0, errno(unix.ENOSYS)}, {unix.AUDIT_ARCH_I386, 41, unix.AF_VSOCK, 0, allow},
			{unix.AUDIT_ARCH_AARCH64, 0, 0, 0, errno(unix.ENOSYS)},
		},
		"arm64": {
			{unix.AUDIT_ARCH_AARCH64, 198, unix.AF_INET, 0, allow}, {unix.AUDIT_ARCH_AARCH64, 198, unix.AF_VSOCK, 0, errno(unix.EAFNOSUPPORT)},
			{unix.AUDIT_ARCH_ARM, 281, unix.AF_VSOCK, 0, errno(unix.EAFNOSUPPORT)}, {unix.AUDIT_ARCH_X86_64, 0, 0, 0, errno(unix.ENOSYS)},
		},
	}
	require.Len(t, conventions, len(rows))
	for kernel, all := range rows {
		var program []bpf.Instruction
		for _, one := range filter(conventions[kernel]) {
			program = append(program, bpf.RawInstruction{Op: one.Code, Jt: one.Jt, Jf: one.Jf, K: one.K}.Disassemble())
		}
		vm, err := bpf.NewVM(program)
		require.NoError(t, err)
		for _, r := range all {
			// The kernel's loads are of its own byte order, those of this machine of the network's.
			var data []byte
			for _, word := range []uint32{r.number, r.arch, 0, 0, uint32(r.first), uint32(r.first >> 32), uint32(r.second), uint32(r.second >> 32)} {
				data = binary.BigEndian.AppendUint32(data, word)
			}
			got, err := vm.Run(data)
			require.NoError(t, err)
			assert.EqualValues(t, r.want, got, "%s: %+v", kernel, r)
		}
	}
}
