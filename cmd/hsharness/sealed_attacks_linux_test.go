package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// links makes network interfaces and routes; an end of them goes to the namespace of a
// process where one is named.
func (a *attacker) links(way, peer string) {
	attribute := func(kind uint16, value ...byte) []byte {
		text := binary.LittleEndian.AppendUint16(nil, uint16(4+len(value)))
		text = append(binary.LittleEndian.AppendUint16(text, kind), value...)
		return append(text, make([]byte, (4-len(text)%4)%4)...)
	}
	const create = unix.NLM_F_CREATE | unix.NLM_F_EXCL
	for _, kind := range []string{"veth", "dummy", "tun", "bridge", "macvlan", "ipvlan", "vxlan", "gre", "sit", "wireguard", "vlan", "bond", "vcan", "ifb"} {
		info := attribute(unix.IFLA_LINKINFO|unix.NLA_F_NESTED, attribute(unix.IFLA_INFO_KIND, []byte(kind)...)...)
		message := append(make([]byte, unix.SizeofIfInfomsg), info...)
		if peer != "" { // the whole interface is to be there
			message = append(message, attribute(unix.IFLA_NET_NS_PID, binary.LittleEndian.AppendUint32(nil, 1)...)...)
		}
		a.try(way+", network interfaces", kind, func() error { return netlink(unix.RTM_NEWLINK, create, message) })
	}
	if peer != "" {
		return
	}
	for _, to := range []string{"8.8.8.8", "10.77.0.1", "0.0.0.0"} {
		ip := netip.MustParseAddr(to).As4()
		route := append([]byte{unix.AF_INET, 32, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0}, attribute(unix.RTA_DST, ip[:]...)...)
		route = append(route, attribute(unix.RTA_OIF, 1, 0, 0, 0)...)
		a.try(way+", routes", to, func() error { return netlink(unix.RTM_NEWROUTE, create, route) })
		address := append([]byte{unix.AF_INET, 24, 0, 0, 1, 0, 0, 0}, attribute(unix.IFA_LOCAL, ip[:]...)...)
		a.try(way+", addresses", to, func() error { return netlink(unix.RTM_NEWADDR, create, address) })
	}
	a.try(way+", network interfaces", "tun device", func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		request, _ := unix.NewIfreq("t0")
		request.SetUint16(unix.IFF_TUN)
		return unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	})
}

// netlink asks the kernel for something, and returns what it says.
func netlink(kind, flags int, body []byte) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	message := binary.LittleEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	message = binary.LittleEndian.AppendUint16(message, uint16(kind))
	message = binary.LittleEndian.AppendUint16(message, uint16(unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags))
	message = append(message, make([]byte, 8)...)
	if err := unix.Sendto(fd, append(message, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil || n < unix.SizeofNlMsghdr+4 {
		return errNothing
	}
	if code := -int32(binary.LittleEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return syscall.Errno(code)
	}
	return nil
}

// processes looks into process 1 and whatever else can be seen, and into its namespaces.
func (a *attacker) processes() {
	seen, _ := filepath.Glob("/proc/[0-9]*")
	own, _ := os.Readlink("/proc/self/ns/pid")
	inside := func(at string) bool { // a process of the command itself
		its, err := os.Readlink(at + "/ns/pid")
		return err == nil && its == own
	}
	for _, at := range append(seen, fmt.Sprintf("/proc/%d", a.PID)) {
		if inside(at) {
			continue
		}
		for _, name := range []string{"root/etc/hostname", "cwd/.", "mem", "environ", "maps", "fd/0", "fd/3", "fd/4", "fdinfo/3", "exe", "stack", "io", "task/1/root/.", "task/1/fd/3"} {
			a.try("files of processes", at+"/"+name, func() error { return readable(at + "/" + name) })
		}
		for _, kind := range []string{"net", "mnt", "user", "pid", "uts", "ipc", "cgroup", "time", "pid_for_children"} {
			a.try("namespaces of processes", at+"/ns/"+kind, func() error {
				fd, err := unix.Open(at+"/ns/"+kind, unix.O_RDONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					return err
				}
				defer unix.Close(fd)
				return unix.Setns(fd, 0)
			})
		}
		text, _ := os.ReadFile(at + "/cmdline")
		if len(text) > 0 && !strings.HasPrefix(string(text), "hsharness-seal") {
			a.try("processes of the outside", at, func() error { return nil }) // it is to be seen, at least
		}
	}
	if a.Net != "" {
		a.try("namespaces of processes", "its own", func() error {
			if to, _ := os.Readlink("/proc/self/ns/net"); to != a.Net {
				return errNothing
			}
			return nil
		})
	}
	for _, pid := range []int{1, a.PID} {
		if inside(fmt.Sprintf("/proc/%d", pid)) {
			continue
		}
		for _, request := range []int{unix.PTRACE_ATTACH, unix.PTRACE_SEIZE} {
			a.try("ptrace", fmt.Sprint(pid), func() error { return errnoOf(unix.SYS_PTRACE, uintptr(request), uintptr(pid), 0, 0) })
		}
		a.try("memory of processes", fmt.Sprint(pid), func() error {
			local := unix.Iovec{Base: &make([]byte, 1)[0], Len: 1}
			_, err := unix.ProcessVMReadv(pid, []unix.Iovec{local}, []unix.RemoteIovec{{Base: uintptr(0x400000), Len: 1}}, 0)
			return err
		})
		fd, err := unix.PidfdOpen(pid, 0)
		for n := range 12 {
			a.try("descriptors of processes", fmt.Sprint(pid, n), func() error {
				if err != nil {
					return err
				}
				_, err := unix.PidfdGetfd(fd, n, 0)
				return err
			})
		}
	}
	// What this ends goes on, or the rest of the attempts is not seen.
	_ = unix.Kill(1, unix.SIGKILL)
	_ = unix.Kill(1, unix.SIGSTOP)
	_ = unix.Kill(1, unix.SIGTERM)
}

// readable tells whether something can be read, or written.
func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil
	}
	_, err = f.Read(make([]byte, 1))
	return err
}

func errnoOf(call uintptr, args ...uintptr) error {
	var six [6]uintptr
	copy(six[:], args)
	if _, _, errno := syscall.Syscall6(call, six[0], six[1], six[2], six[3], six[4], six[5]); errno != 0 {
		return errno
	}
	return nil
}

// kernel asks the kernel for rings, keys and programs of another user.
func (a *attacker) kernel() {
	for entries := uintptr(1); entries <= 16; entries *= 2 {
		params := make([]byte, 256)
		a.try("io_uring", fmt.Sprint(entries), func() error {
			return errnoOf(unix.SYS_IO_URING_SETUP, entries, uintptr(unsafe.Pointer(&params[0])))
		})
	}
	for _, kind := range []string{"dns_resolver", "user", "keyring", "rxrpc", "cifs.spnego"} {
		name, info := append([]byte(kind), 0), []byte("example.com\x00")
		a.try("keys", kind, func() error {
			return errnoOf(unix.SYS_REQUEST_KEY, uintptr(unsafe.Pointer(&name[0])), uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&info[0])), 0)
		})
	}
	for _, flags := range []uintptr{unix.CLONE_NEWNET, unix.CLONE_NEWNS, unix.CLONE_NEWPID, unix.CLONE_NEWUTS, unix.CLONE_NEWIPC} {
		a.try("namespaces without a user's", fmt.Sprintf("%#x", flags), func() error { return errnoOf(unix.SYS_UNSHARE, flags) })
	}
	for _, folder := range []string{"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/lib/openssh"} {
		all, _ := os.ReadDir(folder)
		for _, one := range all {
			info, err := os.Stat(filepath.Join(folder, one.Name()))
			if err != nil || info.Mode()&(os.ModeSetuid|os.ModeSetgid) == 0 {
				continue
			}
			a.try("programs of another user", one.Name(), func() error {
				out, err := exec.Command(filepath.Join(folder, one.Name()), "-c", "id -u").Output()
				if err == nil && strings.TrimSpace(string(out)) == "0" && os.Getuid() != 0 {
					return nil
				}
				return errNothing
			})
		}
	}
	a.try("programs of another user", "the test's own", func() error {
		if out, err := exec.Command("raised").Output(); err != nil || len(out) == 0 {
			return errNothing
		}
		return nil
	})
}

// files writes what the seal has set up, and undoes it.
func (a *attacker) files() {
	own := ""
	for _, folder := range []string{"/mnt", "/media", "/srv", "/opt"} {
		if _, err := os.Stat(folder + "/ca.pem"); err == nil {
			own = folder
		}
	}
	for _, path := range []string{"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ssl/certs/ca-certificates.crt", own + "/ca.pem", own + "/java.p12"} {
		for _, flags := range []int{os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND} { // none that changes a file
			a.try("files of the seal", fmt.Sprint(path, flags), func() error {
				f, err := os.OpenFile(path, flags, 0)
				if err == nil {
					_ = f.Close()
				}
				return err
			})
		}
	}
	a.try("files of the seal", "a new one", func() error {
		f, err := os.Create(own + "/hsharness-test-of-a-seal")
		if err == nil {
			_, _ = f.Close(), os.Remove(f.Name())
		}
		return err
	})
	a.mounts("direct")
	a.settings("direct")
}

// trueHosts tells whether the machine's own file is to be seen somewhere.
func trueHosts(name string) error {
	text, err := os.ReadFile(name)
	if err != nil || strings.Contains(string(text), "127.0.77.1") {
		return errNothing
	}
	return nil
}

// mounts undoes what is mounted, to see the true files below. In namespaces of its own
// an attacker may mount what it likes, as long as they are not seen there.
func (a *attacker) mounts(way string) {
	try := func(what string, attempt func() error) {
		a.try(way+", mounts", what, func() error {
			if err := attempt(); err != nil || way == "direct" {
				return err
			}
			return trueHosts("/etc/hosts")
		})
	}
	for _, point := range []string{"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc", "/proc", "/proc/sys", "/sys", "/mnt", "/media", "/srv", a.Resolver} {
		for _, flags := range []int{0, unix.MNT_DETACH, unix.MNT_FORCE, unix.UMOUNT_NOFOLLOW} {
			try(fmt.Sprint("unmount ", point, flags), func() error { return unix.Unmount(point, flags) })
		}
		try("writable "+point, func() error { return unix.Mount("", point, "", unix.MS_REMOUNT|unix.MS_BIND, "") })
		try("move "+point, func() error { return unix.Mount(point, "/tmp", "", unix.MS_MOVE, "") })
	}
	for _, folder := range []string{"/", "/etc"} { // without what is mounted below
		a.try(way+", mounts", "copy of "+folder, func() error {
			fd, err := unix.OpenTree(unix.AT_FDCWD, folder, unix.OPEN_TREE_CLONE)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return trueHosts(fmt.Sprintf("/proc/self/fd/%d/%s", fd, strings.TrimPrefix("/etc/hosts", folder)))
		})
		a.try(way+", mounts", "another place for "+folder, func() error {
			if err := unix.Mount(folder, "/tmp", "", unix.MS_BIND, ""); err != nil {
				return err
			}
			return trueHosts("/tmp/" + strings.TrimPrefix("/etc/hosts", folder))
		})
	}
	try("pivot_root", func() error { return unix.PivotRoot("/", "/tmp") })
	if way == "direct" {
		try("chroot", func() error { return unix.Chroot("/tmp") })
		try("tmpfs", func() error { return unix.Mount("none", "/tmp", "tmpfs", 0, "") })
		try("proc", func() error { return unix.Mount("proc", "/proc", "proc", 0, "") })
	}
}

// settings sets what the kernel does outside.
func (a *attacker) settings(way string) {
	if way != "direct" {
		_ = unix.Mount("proc", "/proc", "proc", 0, "")
		_ = unix.Mount("sysfs", "/sys", "sysfs", 0, "")
	}
	for _, path := range []string{
		"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug", "/proc/sys/kernel/poweroff_cmd", "/proc/sys/kernel/sysrq",
		"/proc/sys/fs/binfmt_misc/register", "/proc/sysrq-trigger", "/proc/kcore", "/proc/irq/default_smp_affinity", "/sys/kernel/uevent_helper", "/sys/power/state",
		"/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/memory/tasks", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/vsock",
	} {
		a.try(way+", settings of the kernel", path, func() error {
			fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
			if err == nil {
				_ = unix.Close(fd)
				if path == "/dev/vsock" {
					err = errNothing // it tells a number; its sockets are what leads out
				}
			}
			return err
		})
	}
}

// ports takes those of the guard, in every way that a port can be shared.
func (a *attacker) ports() {
	for _, at := range []string{"127.0.77.1:443", "0.0.0.0:443", "127.0.0.1:53", "0.0.0.0:53"} {
		addr := netip.MustParseAddrPort(at)
		for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM} {
			if kind == unix.SOCK_DGRAM && addr.Port() == 443 {
				continue // nobody is there
			}
			for options := range 8 {
				a.try("ports of the guard", fmt.Sprint(at, kind, options), func() error {
					fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
					if err != nil {
						return err
					}
					defer unix.Close(fd)
					for bit, option := range []int{unix.SO_REUSEADDR, unix.SO_REUSEPORT, unix.SO_BROADCAST} {
						_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, options>>bit&1)
					}
					if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}); err != nil {
						return err
					}
					if kind == unix.SOCK_STREAM {
						return unix.Listen(fd, 1)
					}
					return nil
				})
			}
		}
	}
}

// names asks the guard's own servers for hosts that are not the service's.
func (a *attacker) names() {
	roots := x509.NewCertPool()
	text, _ := os.ReadFile(os.Getenv("NODE_EXTRA_CA_CERTS"))
	roots.AppendCertsFromPEM(text)
	for _, name := range []string{"example.com", "www.google.com", "pypi.org", "avalara.com.example.com", "notavalara.com", "github.com", "127.0.77.1", "localhost", "*.com", ""} {
		a.side("certificates for other names", name, func() error {
			c, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Second}, "tcp", "127.0.77.1:443", &tls.Config{RootCAs: roots, ServerName: name, InsecureSkipVerify: name == ""}) //nolint:gosec // nothing is sent
			if err != nil {
				return err
			}
			defer c.Close()
			if name == "" && c.ConnectionState().PeerCertificates[0].VerifyHostname("example.com") != nil {
				return errNothing
			}
			return nil
		})
		for _, network := range []string{"udp", "tcp"} {
			if name == "" || name == "localhost" || strings.HasPrefix(name, "*") || strings.HasPrefix(name, "127.") {
				continue
			}
			a.side("names of other hosts", network+" "+name, func() error { return ask(network, name) })
		}
	}
}

// ask asks the seal's resolver.
func ask(network, name string) error {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	text, err := m.Pack()
	if err != nil {
		return err
	}
	c, err := net.DialTimeout(network, "127.0.0.1:53", time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	head := 0
	if network == "tcp" {
		text, head = append(binary.BigEndian.AppendUint16(nil, uint16(len(text))), text...), 2
	}
	_, _ = c.Write(text)
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	answer := make([]byte, 1500)
	n, err := c.Read(answer)
	if err != nil || m.Unpack(answer[head:n]) != nil || len(m.Answers) == 0 {
		return errNothing
	}
	return nil
}

// passed goes the way out that a seal does not close: a program outside that passes on
// what it has, over a socket in the file system.
func (a *attacker) passed() {
	c, err := net.Dial("unix", a.Passer)
	if err != nil {
		return
	}
	defer c.Close()
	rights := make([]byte, 64)
	_, n, _, _, err := c.(*net.UnixConn).ReadMsgUnix(make([]byte, 1), rights)
	if err != nil {
		return
	}
	messages, _ := unix.ParseSocketControlMessage(rights[:n])
	for i := range messages {
		fds, _ := unix.ParseUnixRights(&messages[i])
		for _, fd := range fds {
			_, err := unix.Write(fd, []byte("passed"))
			a.report.Passed = err == nil
		}
	}
}
