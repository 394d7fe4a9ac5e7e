package seal

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestACommandOfWhichNothingIsKnownDidNotGoWell: a shim that ends without a word of its
// command.
func TestACommandOfWhichNothingIsKnownDidNotGoWell(t *testing.T) {
	t.Parallel()
	s := Seal{over: make(chan error, 1), gone: make(chan struct{})}
	s.over <- nil
	close(s.gone)
	code, err := s.Wait()
	require.ErrorIs(t, err, errGone)
	assert.Equal(t, 1, code)
}

// TestTheLastWordOfAShimIsHeard though it left a signal unread, which the system tells
// first.
func TestTheLastWordOfAShimIsHeard(t *testing.T) {
	t.Parallel()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	ours, err := newLink(pair[0])
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, ours.conn.Close()) })
	theirs, err := newLink(pair[1])
	require.NoError(t, err)
	require.NoError(t, ours.send(message{Op: opSignal, Signal: 1}))
	require.NoError(t, theirs.send(message{Op: opEnded, Status: 9}))
	require.NoError(t, theirs.conn.Close())
	m, _, err := ours.receive()
	require.NoError(t, err)
	assert.Equal(t, message{Op: opEnded, Status: 9}, m)
	_, _, err = ours.receive()
	assert.ErrorIs(t, err, io.EOF)
}
