package quotatest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// counter is the service that is paid for: it counts what it gets, as none of
// the processes can, and knows of no ledger.
type counter struct {
	*httptest.Server
	// counted is told of each unit. Nil is nobody.
	onCount func()
	// drop and free are how often, of 100, an answer is dropped after its request
	// was counted, and a request is answered 429 and not counted.
	drop, free int
	// slow is how long an answer takes at most.
	slow time.Duration

	mu      sync.Mutex
	random  *rand.Rand
	counted int64
}

// dropped is an answer that says to be dropped, for the path of a request.
const dropped = "/dropped"

func newCounter(t testing.TB, seed uint64) *counter {
	c := &counter{random: rand.New(rand.NewPCG(seed, 0))}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		return // half a request
	}
	c.mu.Lock()
	fate, pause := c.random.IntN(100), time.Duration(c.random.Int64N(int64(c.slow)+1))
	free := fate < c.free
	if !free {
		c.counted++
	}
	c.mu.Unlock()
	if free {
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if c.onCount != nil {
		c.onCount()
	}
	select {
	case <-time.After(pause):
	case <-r.Context().Done():
	}
	if fate >= 100-c.drop || r.URL.Path == dropped {
		panic(http.ErrAbortHandler)
	}
}

func (c *counter) count() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counted
}

// errFree is an answer that is known not to be counted.
var errFree = errors.New("answered 429, not counted")

// client sends each request once, as the guard does.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post sends one request, which costs a unit, and waits for its answer.
func post(to string) error {
	answer, err := client.Post(to, "text/plain", nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode == http.StatusTooManyRequests {
		err = errors.Join(err, errFree)
	}
	return errors.Join(err, answer.Body.Close())
}

// postHalf sends half of a request, and leaves the connection open for the
// process to die with.
func postHalf(to string) error {
	u, err := url.Parse(to)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n\r\nhalf", u.Host)
	return err
}
