//go:build unix

package guard_test

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// victim is a process that buys one answer and dies on the way.
type victim struct {
	Dir    string // with ledger.db and recordings; handed is the answer as the client got it
	API    string
	Token  string         // the dummy one
	Key    *rsa.PublicKey // that it is signed with
	Run    string
	KillAt string
}

// victimVariable holds a victim as JSON.
const victimVariable = "GUARD_TEST_VICTIM"

func (v victim) die(at string) {
	if v.KillAt == at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
}

// dyingMeter kills its process next to a step of the ledger.
type dyingMeter struct {
	guard.Meter
	v victim
}

func (m dyingMeter) Spend(ctx context.Context, spec quota.SpendSpec) (quota.Entry, error) {
	entry, err := m.Meter.Spend(ctx, spec)
	m.v.die("spend")
	return entry, err
}

func (m dyingMeter) Settle(s quota.Settlement) error {
	m.v.die("record")
	err := m.Meter.Settle(s)
	m.v.die("settle")
	return err
}

// buyOne is the whole life of a victim that nobody kills.
func (v victim) buyOne() error {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(v.Dir, "ledger.db")})
	if err != nil {
		return err
	}
	client := quota.Client{Store: store, Loopback: true}
	run, err := client.Begin(ctx, quota.RunSpec{ID: v.Run, Max: 1, Mode: "record", Process: quota.ThisProcess()}, nil)
	if err != nil {
		return err
	}
	v.die("hold")
	purchase, err := guard.NewPurchase(guard.PurchaseConfig{
		Meter:      dyingMeter{guard.Metered(run, store), v},
		Upstream:   guard.Upstream{Identity: v.API, APIs: map[avalara.API]string{avalara.Current: v.API}},
		Credential: guard.Credential{ClientID: realID, ClientSecret: realSecret},
		NewID:      func() string { return v.Run + "-spend" },
	})
	if err != nil {
		return err
	}
	cassette, err := recording.Open(recording.Config{Dir: filepath.Join(v.Dir, "recordings")})
	if err != nil {
		return err
	}
	tenant := guard.Tenant{Issuers: []string{"https://idp.test"}, Key: func(string) *rsa.PublicKey { return v.Key }}
	g, err := guard.New(guard.Config{
		Mode: guard.Record, Tenants: map[avalara.Environment]guard.Tenant{avalara.Sandbox: tenant}, Purchase: purchase, Cassette: guard.NewCassette(cassette, 0),
	})
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, "http://api"+hints, strings.NewReader(asked))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+v.Token)
	resp, err := g.Transport(avalara.Sandbox, avalara.Current).RoundTrip(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(v.Dir, "handed"), body, 0o600); err != nil {
		return err
	}
	v.die("hand over")
	if _, err := run.End(ctx, quota.Counters{}); err != nil {
		return err
	}
	return store.Close()
}

// runVictim is what a process of this test does instead of the tests.
func runVictim() bool {
	text := os.Getenv(victimVariable)
	if text == "" {
		return false
	}
	var v victim
	err := json.Unmarshal([]byte(text), &v)
	if err == nil {
		err = v.buyOne()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// TestKilledAfterEachStep kills the process that buys an answer after each step
// of the order hold, spend, send, read, record, settle, hand over. Whatever was
// served is counted. No client ever had an answer that is not on disk, and an
// answer on disk is never bought again.
func TestKilledAfterEachStep(t *testing.T) {
	for _, step := range []struct {
		at       string
		served   int64 // by the sandbox, of the victim
		spent    int64 // by the ledger, once the victim is known to be dead
		recorded bool
	}{
		{"hold", 0, 0, false},
		{"spend", 0, 1, false},
		{"send", 1, 1, false},
		{"read", 1, 1, false},
		{"record", 1, 1, true},
		{"settle", 1, 1, true},
		{"hand over", 1, 1, true},
		{"", 1, 1, true},
	} {
		t.Run("after "+step.at, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var served atomic.Int64
			var pid atomic.Int64
			var bought atomic.Value // the address that the victim's purchase came from
			held := make(chan *os.File, 1)
			kill := func() { assert.NoError(t, syscall.Kill(int(pid.Load()), syscall.SIGKILL)) }
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == avalara.PathToken {
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, `{"access_token":"real","token_type":"Bearer","expires_in":3600}`)
					return
				}
				if served.Add(1); served.Load() == 1 {
					bought.Store(r.RemoteAddr)
					switch step.at {
					case "send":
						kill()
						return
					case "read":
						held <- holdRecording(t, dir)
					}
				}
				text(200, answer)(w, r)
			}))
			if step.at == "read" {
				// The answer has been read when its connection is closed: each
				// has one of its own. It can't be written down, because this
				// test holds its file since the request arrived.
				server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
					if state == http.StateClosed && conn.RemoteAddr().String() == bought.Load() {
						kill()
					}
				}
			}
			server.Start()
			defer server.Close()
			ctx := t.Context()
			store, err := sqlite.Init(ctx, sqlite.Config{Path: filepath.Join(dir, "ledger.db")}, quota.InitSpec{Granted: 10})
			require.NoError(t, err)
			defer func() { require.NoError(t, store.Close()) }()

			v := victim{Dir: dir, API: server.URL, Token: dummyToken(t, avalara.ScopeHSCode, time.Now()), Key: &signingKey().PublicKey, Run: "victim", KillAt: step.at}
			cmd := v.start(t)
			pid.Store(int64(cmd.Process.Pid))
			err = cmd.Wait()
			if step.at == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, "signal: killed")
			}

			assert.Equal(t, step.served, served.Load())
			status, err := store.Status(ctx)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, status.Spent+status.Held, served.Load(), "counted before anybody knows of the death")
			onDisk := len(files(t, filepath.Join(dir, "recordings"))) > 0
			assert.Equal(t, step.recorded, onDisk)
			if handed, err := os.ReadFile(filepath.Join(dir, "handed")); err == nil {
				assert.Equal(t, answer, string(handed))
				assert.True(t, onDisk, "a client had an answer that is not on disk")
			}

			// The next process finds the death, and the answer if it is there.
			next := v
			next.Run, next.KillAt = "next", ""
			if step.at == "read" {
				require.NoError(t, (<-held).Close())
			}
			require.NoError(t, next.start(t).Wait())
			again := int64(1)
			if step.recorded {
				again = 0
			}
			assert.Equal(t, step.served+again, served.Load(), "what is on disk is not bought again")
			status, err = store.Status(ctx)
			require.NoError(t, err)
			assert.Equal(t, step.spent+again, status.Spent)
			assert.Zero(t, status.Held)
			handed, err := os.ReadFile(filepath.Join(dir, "handed"))
			require.NoError(t, err)
			assert.Equal(t, answer, string(handed))
			report, err := store.Verify(ctx)
			require.NoError(t, err)
			assert.Empty(t, report.Problems)
		})
	}
}

func (v victim) start(t *testing.T) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victimVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	return cmd
}

// holdRecording keeps everybody from writing the recording of the request that
// a victim makes, until the file is closed.
func holdRecording(t *testing.T, dir string) *os.File {
	t.Helper()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(dir, "recordings")})
	assert.NoError(t, err)
	key := store.Key(recording.Request{
		Environment: "sandbox", API: "current", Method: http.MethodPost, Path: hints, Body: []byte(asked),
	})
	f, err := os.OpenFile(filepath.Join(dir, ".hsharness", "recordings.lock"), os.O_RDWR, 0o600)
	assert.NoError(t, err)
	// Package recording locks the byte that the lock's name stands for.
	sum := sha256.Sum256([]byte("write-" + key.Sum[:12]))
	at := int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
	assert.NoError(t, syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: at, Len: 1}))
	return f
}
