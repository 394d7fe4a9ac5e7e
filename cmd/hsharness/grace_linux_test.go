package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
)

// ends tells a process to end, and how long it took, in which it must not be late.
func ends(t *testing.T, cmd *exec.Cmd, grace time.Duration) (code int) {
	t.Helper()
	begin := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	err := cmd.Wait()
	assert.Less(t, time.Since(begin), grace+3*time.Second)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

// hanging is an API that answers nothing, and tells of each request.
func (s *sandbox) hanging() <-chan struct{} {
	s.t.Helper()
	asked, release := make(chan struct{}, 10), make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	s.t.Cleanup(func() { close(release); api.Close() })
	s.replace(s.server.Endpoints.Sandbox.API, api.URL)
	return asked
}

// replace changes the project file.
func (s *sandbox) replace(what, by string) {
	s.t.Helper()
	name := filepath.Join(s.dir, "hsharness.yaml")
	text, err := os.ReadFile(name)
	require.NoError(s.t, err)
	require.Contains(s.t, string(text), what)
	require.NoError(s.t, os.WriteFile(name, []byte(strings.Replace(string(text), what, by, 1)), 0o600))
}

// ask sends a question to the gateway in the background, however it is answered.
func (g *attacked) ask() {
	body := `{"description":"cup","countryOfDestination":"US"}`
	g.connect(upload(g.token(), len(body)) + body)
}

// A gateway that is told to stop ends in time, whatever stalls, and what was paid
// for counts.
func TestGatewayEndsWithinItsGrace(t *testing.T) {
	t.Parallel()
	const grace = time.Second
	for name, stall := range map[string]func(s *sandbox, start func() *attacked) (exit int, g *attacked){
		"bodies, headers and connections": func(_ *sandbox, start func() *attacked) (int, *attacked) {
			g := start()
			token := g.token()
			for range 20 {
				g.connect("")
				g.connect("POST /hscode")
				g.connect(upload(token, 1000) + "{")
				g.connect(upload("", 1000) + "{")
			}
			return 0, g
		},
		"answers that nobody reads": func(_ *sandbox, start func() *attacked) (int, *attacked) {
			g := start()
			c := g.connect("").(*net.TCPConn)
			require.NoError(g.t, c.SetReadBuffer(4096))
			require.NoError(g.t, c.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
			_, err := io.WriteString(c, strings.Repeat("GET / HTTP/1.1\r\nHost: gateway\r\n\r\n", 200_000))
			require.ErrorIs(g.t, err, os.ErrDeadlineExceeded, "it stalls")
			return 0, g
		},
		"a sandbox that does not answer": func(s *sandbox, start func() *attacked) (int, *attacked) {
			asked := s.hanging()
			g := start()
			g.ask()
			<-asked
			return 0, g
		},
		"a ledger in a file that somebody holds": func(s *sandbox, start func() *attacked) (int, *attacked) {
			g := start()
			g.ask() // from here on it holds an allotment
			require.Eventually(s.t, func() bool { return s.served() == 1 }, 5*time.Second, 5*time.Millisecond)
			db, err := sqlite3.Open(filepath.Join(s.dir, ".hsharness", "ledger.db"))
			require.NoError(s.t, err)
			s.t.Cleanup(func() { assert.NoError(s.t, db.Close()) })
			require.NoError(s.t, db.Exec("PRAGMA busy_timeout=5000; BEGIN IMMEDIATE"))
			s.t.Cleanup(func() { assert.NoError(s.t, db.Exec("ROLLBACK")) })
			return exitLedger, g
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, 10)
			want, g := stall(s, func() *attacked { return attack(s, "--grace", grace.String()) })
			assert.Equal(t, want, ends(t, g.cmd, grace), "%s", g.stderr)
			if strings.Contains(name, "sandbox") {
				status := s.status()
				assert.EqualValues(t, 1, status.Spent, "it was sent, and counts")
				assert.EqualValues(t, 1, status.Unknown)
				assert.Empty(t, status.ActiveRuns)
				assert.Contains(t, g.stderr.String(), "1 requests that were sent and not answered: their units count")
			}
		})
	}
}

// A database that is gone is noticed by those who ask whether the gateway is ready,
// and one that is silent keeps nobody from ending: the sandbox is on loopback here.
func TestGatewayWithoutItsDatabase(t *testing.T) {
	t.Parallel()
	if !pgtest.Installed(t) {
		return
	}
	const grace = time.Second
	s := newSandbox(t, 10)
	wire := newWire(t, pgtest.Private(t).DSN())
	s.replace("version: 1\n", fmt.Sprintf("version: 1\nledger: %q\n", wire.dsn))
	out, err := s.command("quota", "init", "--granted", "10").CombinedOutput()
	require.NoError(t, err, "%s", out)
	g := attack(s, "--grace", grace.String())
	ready := func() (int, string) {
		resp, err := http.Get(g.urls.Operations + "/readyz")
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(text)
	}
	status, text := ready()
	require.Equal(t, http.StatusOK, status, text)
	g.ask() // from here on it holds an allotment
	require.Eventually(t, func() bool { return s.served() == 1 }, 5*time.Second, 5*time.Millisecond)

	wire.down.Store(true)
	wire.hangUp()
	status, text = ready()
	assert.Equal(t, http.StatusServiceUnavailable, status, text)
	wire.down.Store(false)
	require.Eventually(t, func() bool { status, _ := ready(); return status == http.StatusOK }, 5*time.Second, 20*time.Millisecond)

	wire.silent.Store(true)
	assert.Equal(t, exitLedger, ends(t, g.cmd, grace), "%s", g.stderr)
	assert.Contains(t, g.stderr.String(), "free again within half a minute")
}

// wire is between a client and a database, which may seem to be down, or silent.
type wire struct {
	dsn          string
	down, silent atomic.Bool
	conns        sync.Map
}

// hangUp ends all connections.
func (w *wire) hangUp() {
	w.conns.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
}

func newWire(t *testing.T, dsn string) *wire {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	at := u.Query()
	to := filepath.Join(at.Get("host"), ".s.PGSQL.5432") // a socket, whose file has the default port in its name
	host, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	at.Set("host", host)
	at.Set("port", port)
	u.RawQuery = at.Encode()
	w := &wire{dsn: u.String()}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		w.hangUp()
		all.Wait()
	})
	pass := func(dst, src net.Conn) {
		buf := make([]byte, 32<<10)
		for {
			n, err := src.Read(buf)
			if err != nil {
				_ = dst.Close()
				return
			}
			if !w.silent.Load() {
				_, _ = dst.Write(buf[:n])
			}
		}
	}
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", to)
			if err != nil || w.down.Load() {
				_ = in.Close()
				if err == nil {
					_ = out.Close()
				}
				continue
			}
			w.conns.Store(in, nil)
			w.conns.Store(out, nil)
			all.Go(func() { pass(out, in) })
			all.Go(func() { pass(in, out) })
		}
	})
	return w
}

// A serve ends in time too, and so does an exec whose command has ended while what
// it bought is not answered.
func TestServeAndExecEndWithinTheirGrace(t *testing.T) {
	t.Parallel()
	const grace = time.Second
	t.Run("serve", func(t *testing.T) {
		t.Parallel()
		ready := filepath.Join(t.TempDir(), "ready.json")
		s := &sandbox{t: t, dir: t.TempDir()}
		cmd := s.command("serve", "--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0", "--quiet", "--ready-file", ready, "--grace", grace.String())
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		var text []byte
		require.Eventually(t, func() (ok bool) { text, _ = os.ReadFile(ready); return len(text) > 0 }, 10*time.Second, 5*time.Millisecond)
		for _, part := range strings.Split(string(text), `"`) {
			if u, err := url.Parse(part); err == nil && u.Scheme == "http" && u.Path == "" {
				c, err := net.Dial("tcp", u.Host)
				require.NoError(t, err)
				t.Cleanup(func() { _ = c.Close() })
				_, err = io.WriteString(c, strings.Replace(upload("", 1000), "/hscode/classify", "/clients", 1)+"{")
				require.NoError(t, err)
			}
		}
		assert.Equal(t, 128+int(syscall.SIGTERM), ends(t, cmd, grace))
	})
	for name, words := range map[string][]string{"a": {"quota", "status"}, "doctor's": {"doctor"}} {
		t.Run(name+" project file that is still written", func(t *testing.T) {
			t.Parallel()
			s := &sandbox{t: t, dir: t.TempDir()}
			cmd := s.command(append(words, "--config", "/dev/fd/3")...)
			read, write, err := os.Pipe()
			require.NoError(t, err)
			t.Cleanup(func() { _ = write.Close() })
			cmd.ExtraFiles = []*os.File{read}
			require.NoError(t, cmd.Start())
			require.NoError(t, read.Close())
			late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
			t.Cleanup(func() { late.Stop() })
			_, err = io.WriteString(write, strings.Repeat("# a line\n", 100_000)) // more than a pipe holds
			require.NoError(t, err)
			assert.Equal(t, 128+int(syscall.SIGTERM), ends(t, cmd, grace))
		})
	}
	t.Run("exec", func(t *testing.T) {
		t.Parallel()
		s := newSandbox(t, 10)
		asked := s.hanging()
		cmd := s.command("exec", "--mode", "record", "--max-spend", "5", "--grace", grace.String(), "--bill", "bill.json", "--", "classify")
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		<-asked
		assert.Equal(t, exitUpstream, ends(t, cmd, grace), "it is not known what the sandbox would have answered")
		status := s.status()
		assert.EqualValues(t, 1, status.Spent)
		assert.EqualValues(t, 1, status.Unknown)
		assert.Empty(t, status.ActiveRuns)
		s.verify()
	})
}
