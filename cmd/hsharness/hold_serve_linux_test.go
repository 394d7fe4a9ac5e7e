package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/services"
)

// besieged is a serve as a process of its own.
type besieged struct {
	attacked
	at services.Endpoints
}

func besiege(t *testing.T) *besieged {
	t.Helper()
	b := &besieged{attacked: attacked{sandbox: &sandbox{t: t}, stderr: &strings.Builder{}}}
	b.cmd = exec.Command("hsharness", "serve", "--quiet", "--any-client", "--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0")
	b.cmd.Dir, b.cmd.Env, b.cmd.Stderr = t.TempDir(), append(os.Environ(), "CI="), b.stderr
	out, err := b.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, b.cmd.Start())
	t.Cleanup(func() { _ = b.cmd.Process.Kill(); _ = b.cmd.Wait() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err, "%s", b.stderr)
	require.NoError(t, json.Unmarshal(line, &b.at))
	return b
}

// posts sends a body, whatever comes of it.
func (b *besieged) posts(url, media, body string) {
	b.t.Helper()
	resp, err := http.Post(url, media, strings.NewReader(body))
	require.NoError(b.t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(b.t, resp.Body.Close())
}

// unread asks for something at the control endpoint n times at once, and does not read
// the answers.
func (b *besieged) unread(path string, n int) {
	b.t.Helper()
	for range n {
		c, err := net.Dial("tcp", strings.TrimPrefix(b.at.ControlURL, "http://"))
		require.NoError(b.t, err)
		b.t.Cleanup(func() { _ = c.Close() })
		require.NoError(b.t, c.(*net.TCPConn).SetReadBuffer(4096))
		_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path)
		require.NoError(b.t, err)
	}
	resp, err := http.Get(b.at.ControlURL + path) // when it is answered, so were the others
	require.NoError(b.t, err)
	_, _ = io.Copy(io.Discard, resp.Body) // on a slow machine its turn may come when its time is over
	require.NoError(b.t, resp.Body.Close())
}

// Whatever callers make a serve keep, it stays small: each of these took gigabytes.
func TestServeHolds(t *testing.T) {
	t.Parallel()
	const form, object = "application/x-www-form-urlencoded", "application/json"
	for name, attack := range map[string]func(b *besieged){
		"forms of 28 MB, which the journal has a part of": func(b *besieged) {
			var body strings.Builder
			for i := range 7 {
				fmt.Fprintf(&body, "a%d=%s&", i, strings.Repeat("x", 4<<20-10))
			}
			for range 25 / detectorsPace {
				b.posts(b.at.Sandbox.Token, form, body.String())
			}
		},
		"a full journal that nobody reads": func(b *besieged) {
			text := strings.Repeat("z", 3900)
			for range 500 {
				b.posts(b.at.Sandbox.Token+"?"+text, form, "q="+text)
			}
			b.unread("/requests", 300/detectorsPace)
		},
		"faults that nobody reads": func(b *besieged) {
			for range 4 {
				b.posts(b.at.ControlURL+"/faults", object, `{"on":"register","status":500,"body":"`+strings.Repeat("<", 900_000)+`"}`)
			}
			b.unread("/faults", 200/detectorsPace)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := besiege(t)
			attack(b)
			t.Logf("peak %d MB", b.peak())
			assert.Less(t, b.peak(), 400*max(1, detectorsShare/2), "megabytes")
		})
	}
}
