package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hookSecret stands in the URL of the receiver. It is to be nowhere.
const hookSecret = "T0123-s3cret-path"

// receiver is a server that counts what it is told: its count is the truth.
type receiver struct {
	server *httptest.Server
	mu     sync.Mutex
	ids    map[string][]string // by notice
	before func()              // a message is answered
}

func newReceiver(t *testing.T, s *sandbox, marks string) *receiver {
	t.Helper()
	r := &receiver{ids: map[string][]string{}}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var m struct{ ID, Notice, Rule, Text string }
		if q.URL.Path != "/"+hookSecret || json.NewDecoder(q.Body).Decode(&m) != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		r.mu.Lock()
		r.ids[m.Notice] = append(r.ids[m.Notice], m.ID)
		r.mu.Unlock()
		if r.before != nil {
			r.before()
		}
	}))
	t.Cleanup(r.server.Close)
	file, err := os.OpenFile(filepath.Join(s.dir, "hsharness.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = fmt.Fprintf(file, "notify: [ { at: [%s], url: \"${HOOK}\" } ]\n", marks)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return r
}

// counts is how often each notice came.
func (r *receiver) counts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := map[string]int{}
	for notice, ids := range r.ids {
		n[notice] = len(ids)
	}
	return n
}

// telling is a command that knows where the receiver is.
func (s *sandbox) telling(r *receiver, args ...string) *exec.Cmd {
	cmd := s.command(args...)
	cmd.Env = append(cmd.Env, "HOOK=http://"+r.server.Listener.Addr().String()+"/"+hookSecret)
	return cmd
}

// unseen says that no file of the project and no output has the receiver's secret.
func (s *sandbox) unseen(outputs ...[]byte) {
	s.t.Helper()
	for _, out := range outputs {
		assert.NotContains(s.t, string(out), hookSecret)
	}
	files := 0
	require.NoError(s.t, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files++
		assert.NotContains(s.t, string(data), hookSecret, path)
		return err
	}))
	assert.Greater(s.t, files, 2)
}

// TestProcessesThatRaceTellEachMarkOnce: eight of them pass three marks together.
func TestProcessesThatRaceTellEachMarkOnce(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 80)
	r := newReceiver(t, s, "25%, 50%, 95%, exhausted, blocked")
	r.server.Start()
	var all sync.WaitGroup
	outputs := make([][]byte, 8)
	for i := range outputs {
		all.Go(func() {
			out, err := s.telling(r, "exec", "--mode", "live", "--max-spend", "10", "--", "classify", "10").CombinedOutput()
			assert.NoError(t, err, "%s", out)
			outputs[i] = out
		})
	}
	all.Wait()
	assert.Equal(t, map[string]int{"25%": 1, "50%": 1, "95%": 1, "exhausted": 1}, r.counts())
	for range 2 {
		out, err := s.telling(r, "exec", "--mode", "live", "--max-spend", "1", "--", "classify").CombinedOutput()
		assert.Error(t, err)
		outputs = append(outputs, out)
	}
	assert.Equal(t, map[string]int{"25%": 1, "50%": 1, "95%": 1, "exhausted": 1, "blocked": 1}, r.counts())
	out, err := s.telling(r, "quota", "grant", "81").CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = s.telling(r, "exec", "--mode", "live", "--max-spend", "1", "--", "classify").CombinedOutput()
	assert.Error(t, err, "%s", out) // the sandbox has no more
	assert.Equal(t, map[string]int{"25%": 1, "50%": 2, "95%": 1, "exhausted": 2, "blocked": 1}, r.counts(), "the grant brought the share under 50 %")
	s.unseen(append(outputs, out)...)
	s.verify()
}

// TestKillingWhoTells: commands are killed at random moments, and others go on. Each mark
// is told; twice at most by who was killed between the answer of the hook and the note
// that it came, and then it is the same notice.
func TestKillingWhoTells(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 100)
	r := newReceiver(t, s, "4%, 8%, 12%, 16%")
	r.server.Start()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	// One that nobody kills says how long it takes on this machine, beside other tests: most
	// of the others live until they have told, and some do not.
	begun := time.Now()
	out, err := s.telling(r, "exec", "--quiet", "--mode", "live", "--max-spend", "1", "--", "classify", "1").CombinedOutput()
	require.NoError(t, err, "%s", out)
	window := max(600*time.Millisecond, 3*time.Since(begun))
	killed := 0
	for s.status().Spent < 16 {
		cmd := s.telling(r, "exec", "--quiet", "--mode", "live", "--max-spend", "4", "--", "classify", "4")
		require.NoError(t, cmd.Start())
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait() // killed, or ended by itself; both are fine
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(time.Duration(random.Int64N(int64(window)))):
			if cmd.Process.Kill() == nil {
				killed++
			}
			<-ended
		}
	}
	// The leases of the dead have passed.
	db, err := sqlite3.Open(filepath.Join(s.dir, ".hsharness", "ledger.db"))
	require.NoError(t, err)
	require.NoError(t, db.Exec("UPDATE notice SET claimed_until = 0, next = 0"))
	require.NoError(t, db.Close())
	out, err = s.telling(r, "notify").CombinedOutput()
	require.NoError(t, err, "%s", out)
	again := 0
	r.mu.Lock()
	for notice, ids := range r.ids {
		for _, id := range ids {
			assert.Equal(t, ids[0], id, "%s came twice, and not as the same notice", notice)
		}
		again += len(ids) - 1
	}
	r.mu.Unlock()
	assert.Len(t, r.counts(), 4)
	assert.LessOrEqual(t, again, killed)
	t.Logf("%d killed, %d notices came twice", killed, again)
	s.unseen(out)
	s.verify()
}

// TestRequestsDoNotWaitForAHook: the hook answers its first message once all requests of
// the run were served, and not before.
func TestRequestsDoNotWaitForAHook(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 100)
	out, err := s.command("exec", "--mode", "live", "--max-spend", "5", "--", "classify", "5").CombinedOutput()
	require.NoError(t, err, "%s", out)
	r := newReceiver(t, s, "5%, 8%")
	arrived := filepath.Join(s.dir, "arrived")
	var once sync.Once
	r.before = func() {
		once.Do(func() {
			assert.NoError(t, os.WriteFile(arrived, nil, 0o600))
			assert.Eventually(t, func() bool { return s.served() == 8 }, 20*time.Second, 5*time.Millisecond, "the requests wait for the hook")
		})
	}
	r.server.Start()
	out, err = s.telling(r, "exec", "--mode", "live", "--max-spend", "5", "--", "sh", "-c",
		"until [ -e "+arrived+" ]; do sleep 0.01; done; exec classify 3").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, map[string]int{"5%": 1, "8%": 1}, r.counts())
}

// TestNobodyElseSendsWhatIsBeingSent: another command looks while the hook has not
// answered yet.
func TestNobodyElseSendsWhatIsBeingSent(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	r := newReceiver(t, s, "50%")
	var once sync.Once
	r.before = func() {
		once.Do(func() {
			out, err := s.telling(r, "notify").CombinedOutput()
			assert.Error(t, err)
			assert.Contains(t, string(out), "0 delivered, 1 not")
		})
	}
	r.server.Start()
	out, err := s.telling(r, "exec", "--mode", "live", "--max-spend", "5", "--", "classify", "5").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, map[string]int{"50%": 1}, r.counts())
}

// TestAHookThatIsDown fails no run, is told of later by another command, and shows what
// waits for it.
func TestAHookThatIsDown(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	r := newReceiver(t, s, "50%")
	// An address of its own: a free port of 127.0.0.1 is another test's a moment later.
	own, err := net.Listen("tcp", "127.0.77.9:0")
	require.NoError(t, err)
	require.NoError(t, r.server.Listener.Close())
	r.server.Listener = own
	address := own.Addr().String()
	require.NoError(t, own.Close()) // until it is started
	first, err := s.telling(r, "exec", "--mode", "live", "--max-spend", "5", "--", "classify", "5").CombinedOutput()
	require.NoError(t, err, "%s", first)
	warnings := fmt.Sprint(s.status().Warnings)
	assert.Contains(t, warnings, "the notice of 50% was not delivered in ")
	assert.Contains(t, warnings, "("+address+" can't be reached)")
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	r.server.Listener = listener
	r.server.Start()
	third, err := s.telling(r, "notify", "--format", "json").CombinedOutput()
	require.NoError(t, err, "%s", third)
	assert.JSONEq(t, `{"delivered":1,"undelivered":[]}`, string(third))
	assert.Equal(t, map[string]int{"50%": 1}, r.counts())
	assert.NotContains(t, fmt.Sprint(s.status().Warnings), "notice")
	s.unseen(first, third, []byte(warnings))
}

// TestAHookThatHangs keeps no other from being told, in the short time that a command has.
func TestAHookThatHangs(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	r := newReceiver(t, s, "50%")
	hangs, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts what comes
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, hangs.Close()) })
	file := filepath.Join(s.dir, "hsharness.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	text = []byte(strings.Replace(string(text), "notify: [ {", "notify: [ { at: [50%], url: \"http://"+hangs.Addr().String()+"/\" }, {", 1))
	require.NoError(t, os.WriteFile(file, text, 0o600))
	r.server.Start()
	out, err := s.telling(r, "exec", "--mode", "live", "--max-spend", "5", "--", "classify", "5").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, map[string]int{"50%": 1}, r.counts())
}

// TestNotifyTest tries hooks out and leaves the ledger as it is.
func TestNotifyTest(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	r := newReceiver(t, s, "50%, blocked")
	r.server.Start()
	before := s.status()
	out, err := s.telling(r, "notify", "--test", "--at", "blocked", "--format", "json").CombinedOutput()
	require.NoError(t, err, "%s", out)
	host := r.server.Listener.Addr().String()
	assert.JSONEq(t, `[{"hook":"notify[0].url","template":"json","host":"`+host+`","ok":true,"error":""}]`, string(out))
	assert.Equal(t, map[string]int{"blocked": 1}, r.counts())
	text, err := s.telling(r, "notify", "--test").CombinedOutput()
	require.NoError(t, err, "%s", text)
	assert.Equal(t, "notify[0].url json   "+host+"  told\n", string(text))
	assert.Equal(t, before, s.status())
	s.unseen(out, text)

	for args, code := range map[string]int{"--at=85%": 2, "--test --at=0%": 2} {
		assert.Equal(t, code, exitOfCommand(s.telling(r, append([]string{"notify"}, strings.Fields(args)...)...)), args)
	}
	assert.Equal(t, 2, exitOfCommand(s.command("notify", "--test")), "HOOK is not set")
	found, _ := s.command("doctor").CombinedOutput()
	assert.Regexp(t, `warning +notify +HOOK is not set, and notify\[0\]\.url is made of it`, string(found))
	found, _ = s.telling(r, "doctor").CombinedOutput()
	assert.Regexp(t, "ok +notify +json at "+host, string(found))
	s.unseen(found)
	for url, code := range map[string]int{"http://hooks.example/x": 2, "https://identity.avalara.com/x": 6, "http://" + host + "/elsewhere": 5} {
		cmd := s.command("notify", "--test")
		cmd.Env = append(cmd.Env, "HOOK="+url)
		assert.Equal(t, code, exitOfCommand(cmd), url)
	}
}

// exitOfCommand runs a command and says how it ended.
func exitOfCommand(cmd *exec.Cmd) int {
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode()
}

func TestTheCommandDoesNotGetAHook(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	r := newReceiver(t, s, "50%")
	r.server.Start()
	out, err := s.telling(r, "exec", "--", "env").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "HSHARNESS_API_URL=")
	assert.NotContains(t, string(out), "HOOK=")
	s.unseen(out)
}

// TestNoticesPageAsWritten types docs/notices.md, before anything was spent.
func TestNoticesPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/notices.md")
	require.Len(t, p.yaml, 1)
	r := newReader(t)
	var told atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	t.Cleanup(hook.Close)
	r.configure(strings.TrimPrefix(p.yaml[0], "version: 1\n"))
	code, out := r.types("hsharness quota init --granted 400")
	require.Zero(t, code, out)
	r.exports = "export HOOK=" + hook.URL + "\n"
	for _, line := range p.typed {
		code, out := r.types(line)
		require.Zero(t, code, "%s\n%s", line, out)
	}
	assert.EqualValues(t, 2, told.Load(), "two tests; no mark is passed")
}
