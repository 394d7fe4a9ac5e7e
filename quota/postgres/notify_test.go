//go:build unix

package postgres_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// channels are hooks, and what came to each: the ids by channel and mark. Their count is
// the truth.
type channels struct {
	*httptest.Server
	mu    sync.Mutex
	ids   map[string][]string
	first func() // before the first message is answered
}

// before has something done before the first message is answered.
func (c *channels) before(first func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first = first
}

func newChannels(t *testing.T, f *fleet, marks string) *channels {
	t.Helper()
	c := &channels{ids: map[string][]string{}, first: func() {}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ ID, Notice string }
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&m))
		c.mu.Lock()
		c.ids[r.URL.Path+" "+m.Notice] = append(c.ids[r.URL.Path+" "+m.Notice], m.ID)
		first := c.first
		c.first = func() {}
		c.mu.Unlock()
		first()
	}))
	t.Cleanup(c.Close)
	for _, dir := range f.dirs {
		file, err := os.OpenFile(filepath.Join(dir, "hsharness.yaml"), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = file.WriteString("notify: [ { at: [" + marks + "], url: \"${HOOK}\" } ]\n")
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	return c
}

func (c *channels) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[string]int{}
	for what, ids := range c.ids {
		n[what] = len(ids)
	}
	return n
}

// telling is a command of a machine that tells a channel.
func (f *fleet) telling(c *channels, channel string, machine int, args ...string) *exec.Cmd {
	cmd := f.command(machine, args...)
	cmd.Env = append(cmd.Env, "HOOK="+c.URL+channel)
	return cmd
}

// TestMachinesTellEachMarkOnce: eight machines of two teams, whose project files say the
// same variable and mean two channels, pass the marks of one ledger together. Each channel
// is told each mark once.
func TestMachinesTellEachMarkOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, fleetProcesses, 3)
	c := newChannels(t, f, "50%, 100%, exhausted")
	out, err := f.command(0, "quota", "reconcile", "--observed", "99976", "--note", "portal").CombinedOutput()
	require.NoError(t, err, "%s", out)
	var all sync.WaitGroup
	for n := range fleetProcesses {
		all.Go(func() {
			out, err := f.telling(c, []string{"/a", "/b"}[n%2], n, "run", "fleet.yaml", "--mode", "live", "--max-spend", "3", "--quiet").CombinedOutput()
			assert.NoError(t, err, "%s", out)
		})
	}
	all.Wait()
	for n, channel := range []string{"/a", "/b"} { // whatever ended within its last look
		out, err := f.telling(c, channel, n, "notify").CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	each := map[string]int{"/a 50%": 1, "/a 100%": 1, "/a exhausted": 1, "/b 50%": 1, "/b 100%": 1, "/b exhausted": 1}
	assert.Equal(t, each, c.counts())
	// A channel that is named later is told what is passed, once; another spelling is none.
	for _, channel := range []string{"/later", "/later", "/a#team", "/b"} {
		out, err := f.telling(c, channel, 0, "notify").CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	for _, mark := range []string{"50%", "100%", "exhausted"} {
		each["/later "+mark] = 1
	}
	assert.Equal(t, each, c.counts())
	assert.EqualValues(t, 24, f.served())
	assert.EqualValues(t, 100_000, f.spent())
}

// TestWhoIsStoppedWhileItTells is stopped between the hook's answer and the ledger's note of
// it, for longer than its claim lives: another tells the same notice again, as the pages
// say, and who goes on tells nothing more.
func TestWhoIsStoppedWhileItTells(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, 1)
	c := newChannels(t, f, "50%")
	out, err := f.command(0, "quota", "reconcile", "--observed", "60000", "--note", "portal").CombinedOutput()
	require.NoError(t, err, "%s", out)
	first := f.telling(c, "/a", 0, "notify")
	started, stopped := make(chan struct{}), make(chan struct{})
	c.before(func() {
		<-started
		assert.NoError(t, first.Process.Signal(syscall.SIGSTOP))
		var status syscall.WaitStatus // a busy machine lets it go on for a moment after the signal
		_, err := syscall.Wait4(first.Process.Pid, &status, syscall.WUNTRACED, nil)
		assert.NoError(t, err)
		assert.True(t, status.Stopped())
		close(stopped)
	})
	require.NoError(t, first.Start())
	close(started)
	<-stopped
	f.execute("UPDATE hsharness.notice SET claimed_until = clock_timestamp() - interval '1 second'")
	out, err = f.telling(c, "/a", 1, "notify").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, first.Process.Signal(syscall.SIGCONT))
	require.NoError(t, first.Wait())
	out, err = f.telling(c, "/a", 1, "notify").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "0 delivered, 0 not")
	require.Len(t, c.ids["/a 50%"], 2)
	assert.Equal(t, c.ids["/a 50%"][0], c.ids["/a 50%"][1], "it is the same notice")
}
