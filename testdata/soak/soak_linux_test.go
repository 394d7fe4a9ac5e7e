// Package soak_test lets two gateways on one ledger in PostgreSQL and a serve work for an
// hour, while clients come and go, the sandbox is faulty, the database is killed and the
// disk is full, and looks whether what the processes take stays as it was, and whether
// the ledger and the sandbox counted the same. make soak runs it; it needs PostgreSQL, and
// root, by sudo if need be, for a small disk of its own.
package soak_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
)

var length = flag.Duration("soak.length", time.Hour, "how long it goes on")

const (
	restarts = 12 // of the database, at even distances: each five minutes of an hour
	clients  = 200
	callers  = 20 // of the gateways
)

func TestSoak(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.serve.measure(t)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { w.clientsComeAndGo(i, stop) })
	}
	for i := range callers {
		all.Go(func() { w.callsGateway(i, stop) })
	}
	all.Go(func() { w.injects(stop) })
	w.passes()
	close(stop)
	all.Wait()
	w.rests()
	w.ends()
}

// world is all that is soaked.
type world struct {
	t        *testing.T
	dir      string // the project's folder, on a disk of its own
	state    string
	bin      string
	postgres *pgtest.Server
	sandbox  *process // a serve too, which is the sandbox, and whose count is the truth
	serve    *process
	gateways []*process
	keys     []string

	made, ended, asked, answered, bought, failed atomic.Int64
	reasons                                      sync.Map // why requests failed, to how often
}

func newWorld(t *testing.T) *world {
	t.Helper()
	require.True(t, pgtest.Installed(t), "the soak needs PostgreSQL: apt-get install postgresql")
	tree, err := filepath.Abs("../..")
	require.NoError(t, err)
	home := t.TempDir()
	w := &world{t: t, dir: filepath.Join(home, "shop"), state: filepath.Join(home, "state"), bin: filepath.Join(home, "hsharness")}
	require.NoError(t, os.Mkdir(w.dir, 0o755))
	w.root("mount", "-t", "tmpfs", "-o", "mode=777,size=200m", "none", w.dir)
	t.Cleanup(func() { w.root("umount", "--lazy", w.dir) })
	w.types(tree, "go", "build", "-o", w.bin, "./cmd/hsharness")
	w.postgres = pgtest.Private(t)
	return w
}

// start makes a sandbox, a ledger and keys, a serve, and two gateways: one that buys each
// question again, and one that records.
func (w *world) start() {
	serve := []string{"--quiet", "--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0"}
	w.serve = w.starts("serve", serve...)
	w.sandbox = w.starts("serve", append(serve, "--client", "real-id:the-real-license-key", "--state", filepath.Join(filepath.Dir(w.dir), "sandbox.json"))...)
	w.sandbox.name = "sandbox"
	urls := w.sandbox.urls["sandbox"].(map[string]any)
	project := fmt.Sprintf("version: 1\nledger: %q\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real-id, client_secret: the-real-license-key } }\n",
		w.postgres.DSN(), urls["identity_url"], urls["api_url"])
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, "hsharness.yaml"), []byte(project), 0o600))
	w.types(w.dir, w.bin, "quota", "init", "--granted", "100000000")
	for i := range callers {
		key := w.types(w.dir, w.bin, "gateway", "keys", "add", fmt.Sprintf("key-%d", i), "--cap", "10000000")
		w.keys = append(w.keys, strings.TrimSpace(key))
	}
	for _, mode := range []string{"live", "record"} {
		p := w.starts("gateway", "--quiet", "--mode", mode, "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0")
		p.name += " in mode " + mode
		w.gateways = append(w.gateways, p)
	}
}

// passes is the time: the database is killed and started again, the disk is full twice,
// for a minute of an hour, and all processes are measured.
func (w *world) passes() {
	begun := time.Now()
	tick := time.NewTicker(max(*length/600, 500*time.Millisecond))
	defer tick.Stop()
	fills := []time.Duration{*length * 3 / 10, *length * 6 / 10}
	killed := 0
	var full time.Time
	for now := range tick.C {
		since := now.Sub(begun)
		switch {
		case since > *length:
			return
		case killed < restarts-1 && since > *length/restarts*time.Duration(killed+1):
			w.postgres.Kill()
			w.postgres.Restart()
			killed++
		case !full.IsZero() && now.Sub(full) > *length/60:
			require.NoError(w.t, os.Remove(filepath.Join(w.dir, "filler")))
			full = time.Time{}
		case len(fills) > 0 && since > fills[0]:
			w.fills()
			full, fills = now, fills[1:]
		}
		for _, p := range w.processes() {
			p.measure(w.t)
		}
	}
}

// fills leaves no byte of the disk.
func (w *world) fills() {
	f, err := os.Create(filepath.Join(w.dir, "filler"))
	require.NoError(w.t, err)
	block := make([]byte, 64<<10)
	for len(block) > 0 {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	_ = f.Close() // what is full may say so again
}

func (w *world) processes() []*process { return append([]*process{w.serve, w.sandbox}, w.gateways...) }

// rests waits until all connections of a serve are closed that nobody uses. How many
// files it has before depends on how many clients there are at a time, and so on how fast
// the machine is; what its clients had is gone with them.
func (w *world) rests() {
	w.serve.measure(w.t)
	begun, now := w.serve.taken[0].files, 0
	caller.CloseIdleConnections()
	assert.Eventually(w.t, func() bool {
		w.serve.measure(w.t)
		now = w.serve.taken[len(w.serve.taken)-1].files
		return now <= begun+30
	}, time.Minute, time.Second, "serve: files")
	w.t.Logf("serve: %d files before its clients, %d after them", begun, now)
}

// ends stops the gateways, and compares.
func (w *world) ends() {
	for _, p := range w.gateways {
		assert.Zero(w.t, p.stop(w.t), "%s", p.stderr)
	}
	var status struct{ Spent, Unknown, Held int64 }
	w.reads(w.types(w.dir, w.bin, "quota", "status", "--format", "json"), &status)
	var usage struct{ Sandbox struct{ Served int64 } }
	w.get(w.sandbox.control()+"/usage", &usage)
	w.t.Logf("clients made %d, ended %d; asked %d, answered %d, bought %d; failed %d: %s", w.made.Load(), w.ended.Load(), w.asked.Load(), w.answered.Load(), w.bought.Load(), w.failed.Load(), w.why())
	w.t.Logf("served %d, spent %d, of it unknown %d, held %d", usage.Sandbox.Served, status.Spent, status.Unknown, status.Held)
	assert.Equal(w.t, usage.Sandbox.Served, status.Spent, "what the sandbox counted is what the ledger has as spent")
	assert.Positive(w.t, status.Spent)
	assert.Zero(w.t, status.Held)
	w.types(w.dir, w.bin, "quota", "verify")
	assert.Equal(w.t, w.made.Load(), w.ended.Load(), "clients")
	assert.Greater(w.t, w.answered.Load(), w.asked.Load()/2, "most are answered")
	for _, p := range w.processes() {
		p.flat(w.t)
	}
	for _, p := range []*process{w.serve, w.sandbox} {
		assert.Equal(w.t, 128+int(syscall.SIGTERM), p.stop(w.t), "%s", p.stderr)
	}
}
