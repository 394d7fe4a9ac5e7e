package sealed

import (
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// full is a listener whose process has too many open files for a moment.
type full struct {
	net.Listener
	left int
}

func (f *full) Accept() (net.Conn, error) {
	if f.left--; f.left >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

// TestAForwardGoesOn after a time in which no connection could be accepted.
func TestAForwardGoesOn(t *testing.T) {
	t.Parallel()
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, outside.Close()) }()
	inside, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var f forwards
	f.accept(&full{inside, 2}, outside.Addr().(*net.TCPAddr).Port)
	conn, err := net.Dial("tcp", inside.Addr().String())
	require.NoError(t, err)
	require.NoError(t, outside.(*net.TCPListener).SetDeadline(time.Now().Add(10*time.Second)))
	far, err := outside.Accept()
	require.NoError(t, err)
	require.NoError(t, f.close())
	assert.NoError(t, far.Close())
	assert.NoError(t, conn.Close())
	assert.Empty(t, f.notes())
}

// TestAForwardWaitsForNobodyAtItsEnd: a server that accepts nothing would be waited for two
// minutes.
func TestAForwardWaitsForNobodyAtItsEnd(t *testing.T) {
	t.Parallel()
	server, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer func() { assert.NoError(t, unix.Close(server)) }()
	require.NoError(t, unix.Bind(server, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(server, 0))
	at, err := unix.Getsockname(server)
	require.NoError(t, err)
	port := at.(*unix.SockaddrInet4).Port
	for { // until its queue is full
		conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 200*time.Millisecond)
		if err != nil {
			break
		}
		defer func() { assert.NoError(t, conn.Close()) }()
	}
	inside, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var f forwards
	f.accept(inside, port)
	conn, err := net.Dial("tcp", inside.Addr().String())
	require.NoError(t, err)
	require.Eventually(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.conns) == 1 }, 10*time.Second, time.Millisecond)
	began := time.Now()
	require.NoError(t, f.close())
	assert.Less(t, time.Since(began), 10*time.Second)
	assert.NoError(t, conn.Close())
}
