package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// outside is what an attacker is to reach. All of it is the test's own, and would notice.
type outside struct {
	TCP, UDP []string // addresses
	Abstract []string // names of unix sockets
	Passer   string   // a unix socket in the file system, which passes a way out on
	Resolver string   // one that C libraries ask for names
	Net      string   // the network namespace
	PID      int      // a process
	Late     string   // a file that what outlives the command keeps locked
	Files    []string // what the descriptors of the test that were left open lead to
}

// attempts are what an attacker tried, by kind, and what got through.
type attempts struct {
	Tried  map[string]int
	Got    []string
	Passed bool // the documented way out
}

// attacker is a program that tries to get out of a seal.
type attacker struct {
	outside
	mu     sync.Mutex
	report attempts
	all    sync.WaitGroup
	slots  chan struct{}
}

// try counts an attempt; without an error it got through.
func (a *attacker) try(kind, what string, attempt func() error) {
	err := attempt()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.report.Tried[kind]++
	if err == nil {
		a.report.Got = append(a.report.Got, kind+": "+what)
	}
}

// side tries beside others.
func (a *attacker) side(kind, what string, attempt func() error) {
	a.slots <- struct{}{}
	a.all.Go(func() {
		a.try(kind, what, attempt)
		<-a.slots
	})
}

// errNothing is that of an attempt which only something outside could notice, or that
// changed nothing.
var errNothing = errors.New("nothing was reached")

// breakout is the program: breakout WAY, with what is outside in BREAKOUT.
func breakout() {
	open := leftOpen() // before anything of its own is
	a := &attacker{report: attempts{Tried: map[string]int{}}, slots: make(chan struct{}, 64)}
	if err := json.Unmarshal([]byte(os.Getenv("BREAKOUT")), &a.outside); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	way := os.Args[1]
	switch way {
	case "direct":
		a.descriptors(open)
		a.network(way)
		a.families()
		a.links(way, "")
		a.processes()
		a.kernel()
		a.files()
		a.ports()
		a.names()
		a.passed()
		for _, next := range []string{"a child in a session of its own", "nested user and network", "nested user, process and mount", "a program in memory"} {
			a.nest(next)
		}
		a.daemon()
	case "daemon":
		a.outlive()
	case "nested user and network":
		a.links(way, "1")
		a.network(way)
	case "nested user, process and mount":
		a.network(way)
		a.mounts(way)
		a.settings(way)
	default:
		a.network(way)
	}
	a.all.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(a.report)
}

// nest attacks from a process of another kind.
func (a *attacker) nest(way string) {
	program := "/proc/self/exe"
	cmd := exec.Command(program, way)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	nested := func(flags uintptr) {
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER | flags
		if os.Getuid() != 0 {
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
			return
		}
		for c := range uintptr(unix.CAP_LAST_CAP + 1) { // the administrator can't be mapped there, and needs none for its rights
			cmd.SysProcAttr.AmbientCaps = append(cmd.SysProcAttr.AmbientCaps, c)
		}
	}
	switch way {
	case "nested user and network":
		nested(unix.CLONE_NEWNET)
	case "nested user, process and mount":
		nested(unix.CLONE_NEWPID | unix.CLONE_NEWNS)
	case "a program in memory":
		fd, err := unix.MemfdCreate("breakout", 0)
		if err == nil {
			text, _ := os.ReadFile(program)
			_, _ = unix.Write(fd, text)
			cmd.Path = fmt.Sprintf("/proc/self/fd/%d", fd)
			cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(fd), "")}
			cmd.Path = "/proc/self/fd/3"
		}
	default:
		cmd.SysProcAttr.Setsid = true
	}
	cmd.Args[0] = "breakout"
	out, err := cmd.Output()
	var r attempts
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil { // then there is no such way here, which the test sees by its kinds
		fmt.Fprintln(os.Stderr, way, err)
		return
	}
	for kind, n := range r.Tried {
		a.report.Tried[kind] += n
	}
	a.report.Got = append(a.report.Got, r.Got...)
}

// farHosts are hosts that no test has: resolvers, the metadata of clouds, gateways.
var farHosts = []string{
	"8.8.8.8", "1.1.1.1", "9.9.9.9", "2001:4860:4860::8888", "169.254.169.254", "192.0.2.1", "172.17.0.1", "192.168.0.1", "10.0.0.1",
	"224.0.0.1", "255.255.255.255", "ff02::1%lo", "fe80::1%lo", "64:ff9b::808:808",
}

// network asks every address by TCP and UDP, also from an address of loopback, as a
// resolver and as a web server with the name of a real host.
func (a *attacker) network(way string) {
	hosts, ports := map[string]bool{}, map[string]bool{"53": true, "80": true, "443": true, "853": true}
	for _, at := range append(a.TCP, a.UDP...) {
		host, port, _ := net.SplitHostPort(at)
		hosts[host], ports[port] = true, true
		if addr, err := netip.ParseAddr(host); err == nil && addr.Is4() {
			hosts["::ffff:"+host] = true
		}
	}
	for _, host := range farHosts {
		hosts[host] = true
	}
	for host := range hosts {
		for port := range ports {
			at := net.JoinHostPort(host, port)
			a.side(way+", TCP", at, func() error {
				return talk("tcp", at, nil, "GET / HTTP/1.1\r\nHost: hscode.api.sbx.avalara.com\r\n\r\n")
			})
			a.side(way+", UDP", at, func() error { return talk("udp", at, nil, question) })
			if way != "direct" {
				continue
			}
			a.side(way+", TCP from loopback", at, func() error {
				return talk("tcp", at, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, "\x00"+string(rune(len(question)))+question)
			})
		}
	}
	for _, name := range a.Abstract {
		for _, kind := range []string{"unix", "unixgram", "unixpacket"} {
			a.side(way+", abstract unix sockets", kind+" "+name, func() error { return talk(kind, name, nil, "hello") })
		}
	}
	a.side(way+", a resolver's socket", a.Resolver, func() error { return talk("unix", a.Resolver, nil, "hello") })
}

// question asks DNS for a name.
const question = "\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"

// talk sends something. It reached something where that is not of loopback.
func talk(network, at string, from net.Addr, text string) error {
	d := net.Dialer{Timeout: 500 * time.Millisecond, LocalAddr: from}
	c, err := d.Dial(network, at)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Write([]byte(text)); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(at)
	addr, err := netip.ParseAddr(host)
	if err == nil && (addr.Unmap().IsLoopback() || addr.IsUnspecified()) {
		return errNothing // what is inside; the test's own would notice
	}
	return nil
}

// families makes sockets of every family and type.
func (a *attacker) families() {
	held := map[int]bool{unix.AF_UNIX: true, unix.AF_INET: true, unix.AF_INET6: true, unix.AF_NETLINK: true}
	protocols := map[int][]int{unix.AF_INET: {0, 1, 2, 6, 17, 47, 132, 136, 255}, unix.AF_INET6: {0, 6, 17, 58, 132, 255}}
	for family := range 50 {
		for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_RAW, unix.SOCK_RDM, unix.SOCK_SEQPACKET, unix.SOCK_PACKET} {
			if held[family] && kind != unix.SOCK_RAW && kind != unix.SOCK_PACKET || family == unix.AF_NETLINK || family == unix.AF_UNIX {
				continue
			}
			for _, protocol := range append([]int{0}, protocols[family]...) {
				a.try("sockets of other families, and raw ones", fmt.Sprint(family, kind, protocol), func() error {
					fd, err := unix.Socket(family, kind, protocol)
					if err == nil {
						_ = unix.Close(fd)
					}
					return err
				})
			}
		}
	}
}

// leftOpen are the descriptors that somebody left open.
func leftOpen() (open []string) {
	for fd := 3; fd < 64; fd++ {
		to, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		if err == nil {
			open = append(open, to)
		}
	}
	return open
}

func (a *attacker) descriptors(open []string) {
	for _, file := range a.Files {
		a.try("descriptors that were left open", file, func() error {
			for _, to := range open {
				if to == file || strings.HasPrefix(to, "socket:") {
					return nil
				}
			}
			return errNothing
		})
	}
}

// daemon leaves a process that goes on when the command has ended.
func (a *attacker) daemon() {
	cmd := exec.Command("/proc/self/exe", "daemon")
	cmd.Args[0] = "breakout"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	cmd.ExtraFiles = []*os.File{w}
	if cmd.Start() == nil {
		_ = w.Close()
		_, _ = r.Read(make([]byte, 1)) // it has the lock
	}
}

func (a *attacker) outlive() {
	fd, err := unix.Open(a.Late, unix.O_RDWR, 0)
	if err != nil || unix.Flock(fd, unix.LOCK_EX) != nil {
		os.Exit(2)
	}
	_, _ = os.NewFile(3, "").Write([]byte{1})
	for range time.Tick(5 * time.Millisecond) {
		for _, at := range a.TCP {
			_ = talk("tcp", at, nil, "late")
		}
	}
}
