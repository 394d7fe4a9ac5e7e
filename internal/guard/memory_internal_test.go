package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/files"
)

// Long answers of the sandbox, of all requests under way, have a memory together. One for
// which there is none is paid for all the same: it is taken off the sandbox, and waits for
// as long as it takes.
func TestLongAnswersShareAMemory(t *testing.T) {
	t.Parallel()
	longAnswers(t, true)
}

// Where there is no disk for it either, the sandbox waits: as long as the attempt may take.
func TestLongAnswersWithoutADisk(t *testing.T) {
	for _, name := range []string{"TMPDIR", "TMP"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "none"))
	}
	longAnswers(t, false)
}

func longAnswers(t *testing.T, disk bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		const long = 200_000
		sent := strings.Repeat("0123456789", long/10)
		held, goOn, drained := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
		servers := bounded.Servers{Gate: bounded.NewGate(bounded.Limits{Memory: long})}
		l := dialled{make(chan net.Conn), &sync.Once{}}
		servers.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text := sent
			if r.URL.Path == "/short" {
				text = "short"
			}
			whole := (&exchange{r: r}).apart()
			attempt, cancel := context.WithTimeout(whole, time.Minute)
			defer cancel()
			in := &ending{strings.NewReader(text), func() {
				if r.URL.Path == "/late" {
					drained <- struct{}{}
				}
			}}
			began := time.Now()
			body, arrived, err := readAnswer(attempt, whole, &http.Response{StatusCode: 200, ContentLength: -1, Body: io.NopCloser(in)})
			if err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			if disk {
				assert.LessOrEqual(t, arrived.Sub(began), 2*time.Second, "waiting for memory is none of it")
			}
			if r.URL.Path == "/held" {
				close(held)
				<-goOn
			}
			_, _ = w.Write(body)
		}))
		t.Cleanup(func() { assert.NoError(t, servers.Close()) })
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: l.dial}}
		ask := func(path string) string {
			resp, err := client.Get("http://x" + path)
			if !assert.NoError(t, err) {
				return ""
			}
			defer func() { _ = resp.Body.Close() }()
			text, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			return string(text)
		}
		first, second := make(chan string, 1), make(chan string, 1)
		go func() { first <- ask("/held") }()
		<-held
		go func() { second <- ask("/late") }()
		wait := 45 * time.Second // longer than memory is waited for at a time, and less than the attempt
		if disk {
			<-drained
			wait = 5 * time.Minute
		}
		assert.Equal(t, "short", ask("/short"), "an ordinary one waits for nothing")
		<-time.After(wait)
		assert.Empty(t, second, "there is no memory yet")
		close(goOn)
		assert.Equal(t, sent, <-first)
		assert.Equal(t, sent, <-second)
		assert.Equal(t, sent, ask("/other"))
	})
}

// What waits for memory is given up when nobody waits for it any more, and one that is
// too long is none, wherever it waits.
func TestLateAnswersEnd(t *testing.T) {
	t.Parallel()
	_, _, err := late(t.Context(), t.Context(), maxAnswer, make([]byte, 1<<20), io.LimitReader(zeros{}, maxAnswer))
	require.ErrorIs(t, err, errTooLong)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = late(t.Context(), gone, maxAnswer, nil, strings.NewReader("x"))
	require.ErrorIs(t, err, context.Canceled)
	body, _, err := late(t.Context(), t.Context(), maxAnswer, []byte("ab"), strings.NewReader("cd"))
	require.NoError(t, err)
	assert.Equal(t, "abcd", string(body))
}

// A disk that is full before all of an answer is in the file loses nothing of it.
func TestLateAnswersOutliveAFullDisk(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "spool")
	require.NoError(t, os.WriteFile(name, []byte("cd"), 0o600))
	full := func() *spool {
		f, err := os.Open(name) // and not to write to it
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, f.Close()) })
		return &spool{file: &files.Temporary{File: f}, size: 2}
	}
	rest := func() io.Reader { return io.MultiReader(strings.NewReader("ef"), strings.NewReader("gh")) }
	body, _, err := full().read(t.Context(), t.Context(), 8, []byte("ab"), rest())
	require.NoError(t, err)
	assert.Equal(t, "abcdefgh", string(body))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = full().read(gone, t.Context(), 8, nil, rest())
	require.ErrorIs(t, err, context.Canceled, "nobody waits for longer than the attempt")
	require.ErrorAs(t, err, new(*os.PathError), "why it is lost")
	_, _, err = full().read(t.Context(), t.Context(), maxAnswer, nil, io.LimitReader(zeros{}, maxAnswer))
	require.ErrorIs(t, err, errTooLong)
	short := full()
	short.size++
	_, _, err = short.read(t.Context(), t.Context(), 8, []byte("ab"), rest())
	require.ErrorIs(t, err, io.EOF, "less than was written is no answer")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// ending tells when all of it was read.
type ending struct {
	io.Reader
	end func()
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		e.end()
	}
	return n, err
}

// dialled is a listener whose connections are in memory.
type dialled struct {
	conns  chan net.Conn
	closed *sync.Once
}

func (d dialled) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	d.conns <- theirs
	return ours, nil
}

func (d dialled) Accept() (net.Conn, error) {
	c, ok := <-d.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (d dialled) Close() error {
	d.closed.Do(func() { close(d.conns) })
	return nil
}

func (dialled) Addr() net.Addr { return &net.TCPAddr{} }

// A service whose tokens live a moment gives one for each request: what is looked for in
// answers are the latest, and the account's secret.
func TestGivenTokensHaveALimit(t *testing.T) {
	t.Parallel()
	asked := 0
	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprintf("the-token-Number-%06d", asked), "expires_in": 1, "token_type": "Bearer"})
	}))
	t.Cleanup(identity.Close)
	now := time.Now()
	credential := Credential{ClientID: "id", ClientSecret: "the-real-license-key"}
	s := &tokenSource{
		identity: identity.URL, credential: credential, client: identity.Client(), now: func() time.Time { now = now.Add(time.Hour); return now },
		tokens: map[string]realToken{}, resent: map[string]bool{}, mayAsk: func(context.Context) error { return nil }, own: secretFinder(credential),
	}
	for range 50 {
		_, err := s.token(t.Context(), t.Context(), "scope")
		require.NoError(t, err)
	}
	assert.Len(t, s.latest, maxGiven)
	found := func(text string) bool { return s.finder().Has([]byte(text)) }
	assert.True(t, found("a the-token-Number-000050 b"))
	assert.True(t, found("a the-token-number-000050 b"))
	assert.True(t, found("a the-real-license-key b"))
	assert.False(t, found("a the-token-Number-000001 b"))
}
