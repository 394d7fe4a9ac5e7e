package seal

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Seal is a place for one command. It is safe for concurrent use.
type Seal struct {
	link   *link
	shim   *os.Process
	folder string
	// terminal is that of who runs the command, nil where there is none.
	terminal *terminal

	mu      sync.Mutex
	last    int
	answers map[int]chan packet
	gone    chan struct{} // closed when the link is
	ended   chan syscall.WaitStatus
	over    chan error // how the shim ended
}

// privileges are what a shim needs, in its own namespaces.
var privileges = []uintptr{unix.CAP_SETUID, unix.CAP_SETGID, unix.CAP_SETPCAP, unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE}

// Start makes a seal. Its error is what [Config.Explain] makes of a [*StepError], and
// nothing is left of it.
func Start(cfg Config) (*Seal, error) {
	s, err := start(cfg)
	var step *StepError
	if errors.As(err, &step) && cfg.Explain != nil {
		err = cfg.Explain(step.Step, step.Err)
	}
	return s, err
}

func start(cfg Config) (*Seal, error) {
	folder, err := emptyFolder()
	if err != nil {
		return nil, &StepError{StepMounts, err}
	}
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	theirs := os.NewFile(uintptr(ends[1]), "seal")
	l, err := newLink(ends[0])
	if err != nil {
		return nil, errors.Join(err, theirs.Close())
	}
	s := &Seal{link: l, folder: folder, answers: map[int]chan packet{}, gone: make(chan struct{}), ended: make(chan syscall.WaitStatus, 1), over: make(chan error, 1)}
	err = s.fork(cfg, theirs)
	if err = errors.Join(err, theirs.Close()); err != nil {
		return nil, errors.Join(&StepError{StepNamespaces, err}, l.conn.Close())
	}
	in := inside{UID: os.Geteuid(), GID: os.Getegid(), Folder: folder, Hidden: resolvers}
	var data [][]byte
	for path, text := range cfg.settings() {
		data = append(data, in.add(path, false, text))
	}
	if cfg.Files != nil { // while the shim begins
		for name, one := range cfg.Files(folder) {
			data = append(data, in.add(name, !filepath.IsAbs(name), one))
		}
	}
	if err := l.sendLong(message{Op: opSetUp}, in, data...); err != nil {
		return nil, errors.Join(&StepError{StepNamespaces, err}, s.Close())
	}
	ready, _, err := l.receive() // with no file
	if err == nil {
		err = ready.err()
	}
	if err != nil {
		if ready.Step == "" {
			ready.Step = StepNamespaces
		}
		return nil, errors.Join(&StepError{ready.Step, err}, s.Close())
	}
	go s.listen()
	return s, nil
}

// fork starts the shim, on a thread that lasts as long as it does: the shim gets its
// signal when the thread that started it ends.
func (s *Seal) fork(cfg Config, link *os.File) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		cmd := exec.Command("/proc/self/exe")
		cmd.Args, cmd.Env, cmd.ExtraFiles = []string{shimName}, []string{}, []*os.File{link}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = cfg.Stdin, cfg.Stdout, cfg.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWNS,
			Pdeathsig:   syscall.SIGKILL,
			AmbientCaps: privileges,
		}
		err := cmd.Start()
		if err == nil {
			s.shim = cmd.Process
		}
		started <- err
		if err == nil {
			s.over <- cmd.Wait()
		}
	}()
	return <-started
}

// listen hands each answer to who waits for it.
func (s *Seal) listen() {
	defer close(s.gone)
	for {
		m, files, err := s.link.receive()
		if err != nil {
			return
		}
		if m.Op == opEnded {
			s.ended <- syscall.WaitStatus(m.Status)
			continue
		}
		s.mu.Lock()
		to := s.answers[m.ID]
		delete(s.answers, m.ID)
		s.mu.Unlock()
		if to == nil {
			_ = closeFiles(files)
			continue
		}
		to <- packet{m, files}
	}
}

// errGone says that there is no seal any more.
var errGone = errors.New("the seal has ended")

// ask has the shim do something, and waits for its answer.
func (s *Seal) ask(send func(id int) error) (packet, error) {
	answer := make(chan packet, 1)
	s.mu.Lock()
	s.last++
	id := s.last
	s.answers[id] = answer
	s.mu.Unlock()
	if err := send(id); err != nil {
		return packet{}, errors.Join(errGone, err)
	}
	select {
	case p := <-answer:
		return p, p.err()
	case <-s.gone:
	}
	select { // the last that it said
	case p := <-answer:
		return p, p.err()
	default:
		return packet{}, errGone
	}
}

// Folder is where the files of [Config.Own] are, for the command.
func (s *Seal) Folder() string { return s.folder }

// Listen opens a listener inside, on TCP.
func (s *Seal) Listen(address string) (net.Listener, error) {
	file, err := s.open("tcp", address)
	if err != nil {
		return nil, err
	}
	l, err := net.FileListener(file)
	return l, errors.Join(err, file.Close())
}

// ListenPacket opens a socket for datagrams inside.
func (s *Seal) ListenPacket(address string) (net.PacketConn, error) {
	file, err := s.open("udp", address)
	if err != nil {
		return nil, err
	}
	c, err := net.FilePacketConn(file)
	return c, errors.Join(err, file.Close())
}

func (s *Seal) open(network, address string) (*os.File, error) {
	p, err := s.ask(func(id int) error {
		return s.link.send(message{Op: opListen, ID: id, Network: network, Address: address})
	})
	if err != nil {
		return nil, err
	}
	if len(p.files) != 1 {
		return nil, errors.Join(fmt.Errorf("the seal gave %d sockets for %s", len(p.files), address), closeFiles(p.files))
	}
	return os.NewFile(uintptr(p.files[0]), address), nil
}

// Start starts the command, once.
func (s *Seal) Start(path string, args, env []string, dir string) error {
	s.terminal = foreground()
	_, err := s.ask(func(id int) error {
		return s.link.sendLong(message{Op: opRun, ID: id}, newCommand(path, args, env, dir))
	})
	return err
}

// Signal passes a signal on to the command.
func (s *Seal) Signal(signal os.Signal) error {
	number, ok := signal.(syscall.Signal)
	if !ok {
		return fmt.Errorf("%s is no signal of this system", signal)
	}
	return s.link.send(message{Op: opSignal, Signal: int(number)})
}

// Wait waits until the command has ended, and with it every process that it left. The
// code is its exit code, or 128+n when signal n ended it or the seal, and never 0 with an
// error.
func (s *Seal) Wait() (code int, err error) {
	status, err := s.wait()
	s.terminal.takeBack()
	switch {
	case err != nil: // nobody knows how it ended
		return 1, err
	case status.Signaled():
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

func (s *Seal) wait() (syscall.WaitStatus, error) {
	err := <-s.over
	s.over <- nil // for Close
	<-s.gone
	select {
	case status := <-s.ended:
		return status, nil
	default:
	}
	var exited *exec.ExitError
	if errors.As(err, &exited) { // somebody ended the seal, and the command with it
		if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return status, nil
		}
	}
	return 0, errors.Join(errGone, err)
}

// Close ends the seal, and everything that is in it. It may be called more than once.
func (s *Seal) Close() error {
	err := s.link.conn.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	_ = s.shim.Kill() // it may have ended
	over := <-s.over  // for Wait too
	s.over <- over
	return err
}

// Probe makes a seal and ends it, to see whether that can be done here.
func Probe() error {
	s, err := Start(Config{})
	if err != nil {
		return err
	}
	return s.Close()
}
