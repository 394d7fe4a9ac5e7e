package seal

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// shimName is the first argument by which a process knows that it is a shim.
const shimName = "hsharness-seal"

// linkFile is the descriptor of a shim's end of the link.
const linkFile = 3

// IsShim tells whether this process is one. Then it has to call [Shim] and nothing
// else.
func IsShim() bool { return len(os.Args) == 1 && os.Args[0] == shimName && os.Getpid() == 1 }

// others are the signals that would end or stop a process that does not know them.
var others = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE, unix.SIGALRM, unix.SIGTERM, unix.SIGTSTP,
	unix.SIGTTIN, unix.SIGTTOU, unix.SIGXCPU, unix.SIGXFSZ, unix.SIGVTALRM, unix.SIGPROF, unix.SIGIO, unix.SIGPWR,
}

// shim is process 1 of a seal.
type shim struct {
	link    *link
	command int // its process, 0 before it was started
}

// Shim does what its caller says, until the command or the caller ends. It returns an
// exit code.
func Shim() int {
	runtime.LockOSThread() // whatever has effect on a thread alone is of this one, which starts the command
	if err := keepFiles(); err != nil {
		return 2
	}
	// What a terminal sends is for the command. Ignoring it would have the command ignore
	// it too, and what is ignored already, as nohup has it, stays so.
	signal.Notify(make(chan os.Signal, 1), slices.DeleteFunc(others, signal.Ignored)...)
	l, err := newLink(linkFile)
	if err != nil {
		return 2
	}
	s := &shim{link: l}
	incoming := make(chan packet)
	go s.read(incoming)
	ended := make(chan syscall.WaitStatus, 1)
	for {
		select {
		case in, ok := <-incoming:
			if !ok { // the caller is gone
				return 1
			}
			if !s.do(in, ended) {
				return 2
			}
		case status := <-ended:
			_ = s.link.send(message{Op: opEnded, Status: int(status)}) // a caller that is gone needs none
			return 0
		}
	}
}

// keepFiles keeps the link from the command, and files that some caller of the caller
// left open: they may lead outside.
func keepFiles() error {
	open, err := os.ReadDir("/proc/self/fd")
	for _, one := range open {
		if fd, err := strconv.Atoi(one.Name()); err == nil && fd >= linkFile {
			unix.CloseOnExec(fd)
		}
	}
	return err
}

// packet is a message with its files.
type packet struct {
	message
	files []int
}

func (s *shim) read(to chan<- packet) {
	defer close(to)
	for {
		m, files, err := s.link.receive()
		if err != nil {
			return
		}
		to <- packet{m, files}
	}
}

// do does one thing; false ends the shim.
func (s *shim) do(in packet, ended chan<- syscall.WaitStatus) bool {
	switch in.Op {
	case opSetUp:
		var all inside
		step := StepMounts
		data, err := readLong(in.files, &all)
		if err == nil {
			step, err = all.setUp(data)
		}
		if err != nil {
			_ = s.link.send(failed(opReady, step, err))
			return false
		}
		return s.link.send(message{Op: opReady}) == nil
	case opListen:
		file, err := open(in.Network, in.Address)
		if err != nil {
			answer := failed(opDone, "", err)
			answer.ID = in.ID
			return s.link.send(answer) == nil
		}
		err = s.link.send(message{Op: opDone, ID: in.ID}, int(file.Fd()))
		return err == nil && file.Close() == nil
	case opRun:
		var c command
		_, err := readLong(in.files, &c)
		if err == nil {
			s.command, err = c.start(ended)
		}
		if err != nil {
			answer := failed(opDone, "", err)
			answer.ID = in.ID
			_ = s.link.send(answer)
			return false
		}
		return s.link.send(message{Op: opDone, ID: in.ID}) == nil
	case opSignal:
		if s.command != 0 {
			_ = unix.Kill(s.command, unix.Signal(in.Signal)) // it may have ended
		}
	}
	return true
}

// open opens a listener, or a socket for datagrams, as a file to be passed on.
func open(network, address string) (*os.File, error) {
	var socket interface {
		File() (*os.File, error)
		Close() error
	}
	switch network {
	case "tcp":
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, err
		}
		socket = l.(*net.TCPListener)
	case "udp":
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return nil, err
		}
		socket = c.(*net.UDPConn)
	default:
		return nil, fmt.Errorf("no network %q", network)
	}
	file, err := socket.File()
	if closeErr := socket.Close(); err == nil && closeErr != nil {
		return nil, closeErr
	}
	return file, err
}
