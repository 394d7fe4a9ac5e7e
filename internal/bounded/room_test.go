package bounded_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/bounded"
)

// lingering is a connection whose writes arrive, and return when they may.
type lingering struct {
	net.Conn
	arrived chan struct{}
	goOn    chan struct{}
}

func (l *lingering) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	l.arrived <- struct{}{}
	<-l.goOn
	return n, err
}

// Who has read its answer makes room before one that had no time yet for its first
// request, also while the server has not noticed that the answer is written. Where it
// does not notice for long, the fresh one makes room.
func TestAnsweredMakesRoomBeforeAFreshOne(t *testing.T) {
	t.Parallel()
	for name, notices := range map[string]bool{"soon": true, "late": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				servers := bounded.Servers{Gate: bounded.NewGate(bounded.Limits{Connections: 2})}
				l := &pipes{conns: make(chan net.Conn)}
				servers.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") }))
				defer func() { assert.NoError(t, servers.Close()) }()
				fresh, first := net.Pipe()
				l.conns <- first
				answered, second := net.Pipe()
				slow := &lingering{second, make(chan struct{}), make(chan struct{})}
				l.conns <- slow
				_, err := io.WriteString(answered, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				require.NoError(t, err)
				answer := bufio.NewReader(answered)
				resp, err := http.ReadResponse(answer, nil)
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				assert.Equal(t, "done", string(text))
				<-slow.arrived // and no further

				next, third := net.Pipe()
				l.conns <- third
				synctest.Wait()
				closed := func(c net.Conn) bool {
					_ = c.SetReadDeadline(time.Now().Add(time.Nanosecond)) // it fails where it is closed
					_, err := c.Read(make([]byte, 1))
					return err == io.EOF //nolint:errorlint // of a pipe
				}
				assert.False(t, closed(fresh), "it had no time yet")
				if !notices {
					<-time.After(200 * time.Millisecond)
					synctest.Wait()
				}
				assert.Equal(t, !notices, closed(fresh))
				close(slow.goOn)
				synctest.Wait()
				assert.Equal(t, notices, closed(answered))
				_, err = io.WriteString(next, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				require.NoError(t, err)
				_, err = http.ReadResponse(bufio.NewReader(next), nil)
				require.NoError(t, err)
				for _, c := range []net.Conn{fresh, answered, next} {
					assert.NoError(t, c.Close())
				}
			})
		})
	}
}
