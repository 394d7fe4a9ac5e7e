package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/reach"
)

// attacked is a gateway as a process of its own, and those who call it.
type attacked struct {
	*sandbox
	cmd    *exec.Cmd
	urls   reach.GatewayURLs
	key    string
	stderr *strings.Builder
}

// attack starts a gateway with a key.
func attack(s *sandbox, args ...string) *attacked {
	s.t.Helper()
	key, err := s.command("gateway", "keys", "add", "shop", "--cap", "100").Output()
	require.NoError(s.t, err)
	g := &attacked{sandbox: s, key: strings.TrimSpace(string(key)), stderr: &strings.Builder{}}
	g.cmd = s.command(append([]string{"gateway", "--mode", "record", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--quiet"}, args...)...)
	g.cmd.Stderr = g.stderr
	out, err := g.cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, g.cmd.Start())
	s.t.Cleanup(func() { _ = g.cmd.Process.Kill() }) // a test that failed left it
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(s.t, err, "%s", g.stderr)
	require.NoError(s.t, json.Unmarshal(line, &g.urls))
	return g
}

// token is one of the key's.
func (g *attacked) token() string {
	g.t.Helper()
	resp, err := http.PostForm(g.urls.Token, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"shop"}, "client_secret": {g.key}, "scope": {"hs-code-classification"},
	})
	require.NoError(g.t, err)
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(g.t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer.AccessToken
}

// peak is the most memory that the gateway has had, in MB.
func (g *attacked) peak() int {
	g.t.Helper()
	mb, there := peakMemory(g.cmd.Process.Pid)
	require.True(g.t, there)
	return mb
}

// peakMemory is the most that a process has had, in MB, while it is there. What the system
// tells its parent of it in the end begins with what the parent itself had.
func peakMemory(pid int) (mb int, there bool) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may be gone
	_, rest, there := strings.Cut(string(text), "VmHWM:")
	if !there {
		return 0, false
	}
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	return kb / 1000, err == nil
}

// connect opens a connection and sends a text. It ends with the test.
func (g *attacked) connect(text string) net.Conn {
	c, err := net.Dial("tcp", strings.TrimPrefix(g.urls.API, "http://"))
	if err != nil {
		g.t.Error(err)
		return nil
	}
	g.t.Cleanup(func() { _ = c.Close() })
	_, _ = io.WriteString(c, text) // it may be closed already
	return c
}

// upload is the beginning of a request, with or without a token, whose body is said
// to have that many bytes.
func upload(token string, bytes int) string {
	text := "POST /hscode/classify HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(bytes) + "\r\n"
	if token != "" {
		text += "Authorization: Bearer " + token + "\r\n"
	}
	return text + "\r\n"
}

// honest asks as a program does until it is told to stop: each question, and the
// token for it, by a connection of its own. It returns how long the slowest took.
func (g *attacked) honest(stop <-chan struct{}) (asked int, slowest time.Duration) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	for {
		begin := time.Now()
		r, err := http.NewRequest(http.MethodPost, g.urls.API+"/hscode/classify", strings.NewReader(`{"description":"cup","countryOfDestination":"US"}`))
		require.NoError(g.t, err)
		r.Header.Set("Authorization", "Bearer "+g.token())
		r.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(r)
		if assert.NoError(g.t, err) {
			assert.Equal(g.t, http.StatusOK, resp.StatusCode)
			_ = resp.Body.Close()
		}
		asked, slowest = asked+1, max(slowest, time.Since(begin))
		select {
		case <-stop:
			return asked, slowest
		default:
		}
	}
}

// Whatever callers do, a gateway stays small, and who asks as one should is answered
// in normal time.
func TestGatewayHolds(t *testing.T) {
	t.Parallel()
	const normal = 2 * time.Second // on a machine that has to run the attack too
	for name, one := range map[string]struct {
		megabytes int
		attack    func(g *attacked, token string)
	}{
		"5000 connections, slow and idle, with and without a token": {100, func(g *attacked, token string) {
			var all sync.WaitGroup
			const side = 5
			for i := range side {
				all.Go(func() {
					pace := time.NewTicker(10 * time.Millisecond) // who asks as one should needs this machine too
					defer pace.Stop()
					for j := range most(5000) / side {
						<-pace.C
						g.connect([]string{
							"", // nothing at all
							"POST /hscode/classify HTTP/1.1\r\nHost: gateway\r\nX-Slow: " + strings.Repeat("x", 12<<10),
							"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n", // and no more
							upload("", 1000) + "{",
							upload(token, 1000) + "{",
							upload(token, 100_000) + strings.Repeat(" ", 12<<10),
							"POST /connect/token HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\nclient_id=",
						}[(i+j)%7])
					}
				})
			}
			all.Wait()
		}},
		"40 uploads of 30 MB that stall, without a token": {100, func(g *attacked, _ string) { g.uploads(upload("", 30_000_000)) }},
		"40 of them to the token endpoint": {100, func(g *attacked, _ string) {
			g.uploads("POST /connect/token HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 30000000\r\n\r\n")
		}},
		"40 of them with a token": {200, func(g *attacked, token string) { g.uploads(upload(token, 30_000_000)) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := attack(newSandbox(t, 10))
			token, stop, done := g.token(), make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				asked, slowest := g.honest(stop)
				t.Logf("%d asked meanwhile, the slowest took %s", asked, slowest)
				assert.Less(t, slowest, normal*detectorsShare)
			}()
			begin := time.Now()
			one.attack(g, token)
			t.Logf("attack took %s", time.Since(begin))
			close(stop)
			<-done
			t.Logf("peak %d MB", g.peak())
			assert.Less(t, g.peak(), one.megabytes*detectorsShare, "megabytes")
		})
	}
}

// uploads sends 40 of a request at a time, and bodies as far as they are taken.
func (g *attacked) uploads(head string) {
	chunk := []byte(strings.Repeat(" ", 1<<20))
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			c := g.connect(head)
			if c == nil {
				return
			}
			_ = c.SetWriteDeadline(time.Now().Add(2 * time.Second)) // then it stalls
			for range 28 {                                          // MiB, less than was said
				if _, err := c.Write(chunk); err != nil {
					return
				}
			}
		})
	}
	all.Wait()
}

// most is n, or how many connections this process can have besides its other files.
func most(n int) int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return n
	}
	return min(n, int(limit.Cur)*3/4)
}
