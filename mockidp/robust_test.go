package mockidp_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

// tokenOver asks for a token by a client of its own and says how long it took.
func tokenOver(t *testing.T, srv *httptest.Server) time.Duration {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	start := time.Now()
	resp, err := client.Post(srv.URL+tokenPath, formType, strings.NewReader(good))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return time.Since(start)
}

func dial(t *testing.T, srv *httptest.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestIdleConnectionsAreNoMatter(t *testing.T) {
	_, srv := start(t, mockidp.Config{})
	tokenOver(t, srv) // makes the key
	for range 1000 {
		dial(t, srv)
	}
	assert.Less(t, tokenOver(t, srv), 10*time.Second)
}

// Slow clients send a byte of their request and then nothing: nobody waits for
// them.
func TestSlowClientsAreNoMatter(t *testing.T) {
	_, srv := start(t, mockidp.Config{})
	for i := range 100 {
		text := "P"
		if i%2 == 0 {
			text = fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\nclient", tokenPath, formType)
		}
		_, err := io.WriteString(dial(t, srv), text)
		require.NoError(t, err)
	}
	assert.Less(t, tokenOver(t, srv), 10*time.Second)
}

// Eight bodies of the largest size that is read, at once, of one parameter too
// long for a form.
func TestLargeBodiesAreNoMatter(t *testing.T) {
	_, srv := start(t, mockidp.Config{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			resp, err := http.Post(srv.URL+tokenPath, formType, io.LimitReader(endless{}, 30_000_000))
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
				_ = resp.Body.Close()
			}
		})
	}
	all.Wait()
	tokenOver(t, srv)
}

// A request that a test made itself, without a body, ended the test.
func TestRequestWithoutABody(t *testing.T) {
	idp, err := mockidp.New(mockidp.Config{})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tokenPath, nil)
	require.NoError(t, err)
	req.Header.Set("Content-Type", formType)
	w := httptest.NewRecorder()
	idp.ServeHTTP(w, req)
	assert.Equal(t, `{"error":"invalid_client"}`, w.Body.String())
}
