package bounded_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/bounded"
)

// What the system takes of an answer that nobody reads is little: else it goes on by the
// megabyte, and a caller who reads half of one a second is taken for one who stalls.
func TestLittleOfALargeAnswerIsInFlight(t *testing.T) {
	t.Parallel()
	s := serve(t, bounded.Limits{Memory: 8 << 20})
	const ask = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n"
	unread := s.connect(ask)
	s.works()
	status, text := s.connect(ask).answer() // once the first has been cut off
	assert.Equal(t, http.StatusOK, status)
	assert.Len(t, text, 8<<20)
	taken, err := io.Copy(io.Discard, unread.in)
	require.NoError(t, err)
	assert.Less(t, taken, int64(1<<20))
}

// Who reads slowly but steadily gets the whole answer, while others wait for the room.
func TestSteadyReaderGetsTheWholeAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const long = 1 << 20
		var made atomic.Int32
		servers := bounded.Servers{Gate: bounded.NewGate(bounded.Limits{Memory: long, AnswerTime: 10 * time.Minute})}
		l := &pipes{conns: make(chan net.Conn)}
		servers.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if assert.NoError(t, bounded.Answer(r.Context(), long)) {
				made.Add(1)
				_, _ = w.Write(make([]byte, long))
			}
		}))
		defer func() { assert.NoError(t, servers.Close()) }()
		ask := func() net.Conn {
			c, theirs := net.Pipe()
			l.conns <- theirs
			_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			return c
		}
		slow := ask()
		synctest.Wait()
		waiting := ask()
		synctest.Wait()
		resp, err := http.ReadResponse(bufio.NewReader(slow), nil)
		require.NoError(t, err)
		began := time.Now()
		for read := 0; read < long; read += 16 << 10 {
			<-time.After(400 * time.Millisecond)
			_, err := io.CopyN(io.Discard, resp.Body, 16<<10)
			require.NoError(t, err, "after %d bytes", read)
			assert.True(t, made.Load() == 1 || read > long-64<<10, "the other waits")
		}
		assert.Greater(t, time.Since(began), 25*time.Second)
		resp, err = http.ReadResponse(bufio.NewReader(waiting), nil)
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		assert.EqualValues(t, long, n)
		assert.NoError(t, slow.Close())
		assert.NoError(t, waiting.Close())
	})
}

// pipes is a listener whose connections are in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
