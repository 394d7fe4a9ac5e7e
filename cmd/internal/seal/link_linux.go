package seal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// message is one of the link between a seal's caller and its shim. Which members
// count depends on Op.
type message struct {
	Op string `json:"op"`
	// ID is that of a question and of its answer.
	ID int `json:"id,omitempty"`
	// Network and Address are those of a listener.
	Network string `json:"network,omitempty"`
	Address string `json:"address,omitempty"`
	// Signal is one to pass on.
	Signal int `json:"signal,omitempty"`
	// Status is how the command ended, as wait(2) has it.
	Status int `json:"status,omitempty"`
	// Step and Errno are what failed, and why; Text where there is no number.
	Step  string `json:"step,omitempty"`
	Errno int    `json:"errno,omitempty"`
	Text  string `json:"text,omitempty"`
}

// The caller says set up, listen, run and signal. The shim says ready, done and ended.
const (
	opSetUp  = "set up"
	opListen = "listen"
	opRun    = "run"
	opSignal = "signal"
	opReady  = "ready"
	opDone   = "done"
	opEnded  = "ended"
)

// maxMessage is more than any message has: what may be long goes through a file.
const maxMessage = 16 << 10

// link is one end. Sending may be done concurrently.
type link struct {
	conn *net.UnixConn
	mu   sync.Mutex
}

// newLink makes a link of a socket's descriptor, which is its own from then on.
func newLink(fd int) (*link, error) {
	file := os.NewFile(uintptr(fd), "seal")
	conn, err := net.FileConn(file)
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = errors.Join(closeErr, conn.Close())
	}
	if err != nil {
		return nil, err
	}
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errors.New("the seal's link is no socket of this machine"), conn.Close())
	}
	return &link{conn: unixConn}, nil
}

// send sends a message, with copies of files.
func (l *link) send(m message, files ...int) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(text) > maxMessage {
		return fmt.Errorf("a message of %d bytes is too long for the seal's link", len(text))
	}
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _, err = l.conn.WriteMsgUnix(text, rights, nil)
	return err
}

// receive waits for a message. Whoever gets files has to close them. The error is
// [io.EOF] where the other end is gone.
func (l *link) receive() (m message, files []int, err error) {
	text, rights := make([]byte, maxMessage), make([]byte, 256)
	n, rn, flags, _, err := l.conn.ReadMsgUnix(text, rights)
	if errors.Is(err, unix.ECONNRESET) {
		// The other end is gone, and left something unread, such as a signal to a command that
		// had ended. That is told once, and before the last that it said.
		n, rn, flags, _, err = l.conn.ReadMsgUnix(text, rights)
	}
	if err != nil {
		return m, nil, err
	}
	all, err := unix.ParseSocketControlMessage(rights[:rn])
	for i := range all {
		more, rightsErr := unix.ParseUnixRights(&all[i])
		files, err = append(files, more...), errors.Join(err, rightsErr)
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		err = errors.Join(err, errors.New("a message of the seal's link was cut"))
	}
	if err == nil {
		err = json.Unmarshal(text[:n], &m)
	}
	if err != nil {
		return m, nil, errors.Join(err, closeFiles(files))
	}
	return m, files, nil
}

// sendLong sends a message with a value, and with data, that may be of any length.
func (l *link) sendLong(m message, value any, data ...[]byte) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("seal", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), "seal")
	defer func() { _ = file.Close() }() // it is in memory
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	for _, part := range append([][]byte{head, text}, data...) {
		if _, err := file.Write(part); err != nil {
			return err
		}
	}
	return l.send(m, fd)
}

// readLong reads that value, and returns the data as one.
func readLong(files []int, value any) (data []byte, err error) {
	if len(files) != 1 {
		return nil, errors.Join(fmt.Errorf("%d files came with a message of the seal's link, want 1", len(files)), closeFiles(files))
	}
	file := os.NewFile(uintptr(files[0]), "seal")
	defer func() { _ = file.Close() }() // it is in memory
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	all := make([]byte, info.Size())
	if _, err := file.ReadAt(all, 0); err != nil {
		return nil, err
	}
	const head = 8
	if len(all) < head || binary.LittleEndian.Uint64(all) > uint64(len(all)-head) {
		return nil, errors.New("a long message of the seal's link was cut")
	}
	end := head + binary.LittleEndian.Uint64(all)
	return all[end:], json.Unmarshal(all[head:end], value)
}

func closeFiles(files []int) (err error) {
	for _, fd := range files {
		err = errors.Join(err, unix.Close(fd))
	}
	return err
}

// failed is the message that something did not work.
func failed(op, step string, err error) message {
	m := message{Op: op, Step: step, Text: err.Error()}
	var errno unix.Errno
	if errors.As(err, &errno) {
		m.Errno = int(errno)
	}
	return m
}

// err is what failed, nil if nothing did.
func (m message) err() error {
	switch {
	case m.Text == "":
		return nil
	case m.Errno != 0:
		return &systemError{m.Text, unix.Errno(m.Errno)}
	}
	return errors.New(m.Text)
}

// systemError is an error of the system that came over the link.
type systemError struct {
	text  string
	errno unix.Errno
}

func (e *systemError) Error() string { return e.text }

func (e *systemError) Unwrap() error { return e.errno }
