package seal

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Namespaces do not part everything that leads out. What they leave is refused call by
// call: sockets of families that are the machine's own, such as vsock, which leads from
// a virtual machine to its host; io_uring, which makes sockets without a call that could
// be looked at; keys, for which the kernel starts a program outside that may look names
// up; and text put into the terminal, which the shell there would take as typed.

// calls are the numbers of what is looked at, by the convention of one architecture.
type calls struct {
	arch       uint32
	socket     uint32
	socketcall uint32 // 0 is none
	ioctl      uint32
	ring       uint32
	requestKey uint32
	addKey     uint32
}

// conventions are those of a kernel: its own, and that of 32 bits that it may run too.
var conventions = map[string][]calls{
	"amd64": {
		{arch: unix.AUDIT_ARCH_X86_64, socket: 41, ioctl: 16, ring: 425, requestKey: 249, addKey: 248},
		{arch: unix.AUDIT_ARCH_I386, socket: 359, socketcall: 102, ioctl: 54, ring: 425, requestKey: 287, addKey: 286},
	},
	"arm64": {
		{arch: unix.AUDIT_ARCH_AARCH64, socket: 198, ioctl: 29, ring: 425, requestKey: 218, addKey: 217},
		{arch: unix.AUDIT_ARCH_ARM, socket: 281, ioctl: 54, ring: 425, requestKey: 310, addKey: 309},
	},
}

// families are those of sockets that a network namespace holds; those in the file system
// are files.
var families = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}

// typing are the requests of ioctl(2) that put text into a terminal.
var typing = []uint32{unix.TIOCSTI, unix.TIOCLINUX}

// otherABI is the bit of a call by the x32 convention.
const otherABI = 0x40000000

// Where seccomp_data has what is looked at; of an argument, its lower half.
const (
	atNumber, atArch = 0, 4
	atFirst          = 16
	atSecond         = 24
)

func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

func result(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }

// refuse answers a call with an error.
func refuse(errno unix.Errno) unix.SockFilter {
	return result(unix.SECCOMP_RET_ERRNO | uint32(errno))
}

// unless runs what follows where the value is k; else it goes on after that.
func unless(k uint32, then ...unix.SockFilter) []unix.SockFilter {
	return append([]unix.SockFilter{{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jf: uint8(len(then))}}, then...) //nolint:gosec // a dozen
}

// filter is the program that looks at the calls.
func filter(all []calls) []unix.SockFilter {
	allow := result(unix.SECCOMP_RET_ALLOW)
	var program []unix.SockFilter
	for _, c := range all {
		one := []unix.SockFilter{load(atNumber)}
		if c.arch == unix.AUDIT_ARCH_X86_64 {
			one = append(one, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: otherABI, Jf: 1}, refuse(unix.ENOSYS))
		}
		socket := []unix.SockFilter{load(atFirst)}
		for _, family := range families {
			socket = append(socket, unless(family, allow)...)
		}
		one = append(one, unless(c.socket, append(socket, refuse(unix.EAFNOSUPPORT))...)...)
		if c.socketcall != 0 { // its arguments are in memory: who has only this one is of long ago
			one = append(one, unless(c.socketcall, refuse(unix.ENOSYS))...)
		}
		terminal := []unix.SockFilter{load(atSecond)}
		for _, request := range typing {
			terminal = append(terminal, unless(request, refuse(unix.EPERM))...)
		}
		one = append(one, unless(c.ioctl, append(terminal, allow)...)...)
		for _, number := range []uint32{c.ring, c.requestKey, c.addKey} {
			one = append(one, unless(number, refuse(unix.ENOSYS))...)
		}
		program = append(append(program, load(atArch)), unless(c.arch, append(one, allow)...)...)
	}
	return append(program, refuse(unix.ENOSYS)) // no convention that is known here
}

// filterCalls has the calling thread, and what it starts, be refused those calls, for
// good. It can gain no privileges any more.
func filterCalls() error {
	all := conventions[runtime.GOARCH]
	if all == nil {
		return fmt.Errorf("the calls to refuse are not known for %s", runtime.GOARCH)
	}
	program := filter(all)
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]} //nolint:gosec // some fifty
	_, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, uintptr(unsafe.Pointer(&prog)))
	if errno == unix.EINVAL { // a kernel without that flag
		_, _, errno = syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	}
	runtime.KeepAlive(program)
	if errno != 0 {
		return errno
	}
	return nil
}
