//go:build unix

package postgres_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// changes puts something in front of the sandbox's API that writes each code anew while the
// bool that it returns is set: its first digits are those of another chapter.
func (f *fleet) changes() *atomic.Bool {
	f.t.Helper()
	var changed atomic.Bool
	api := f.sandbox.Endpoints.Sandbox.API
	target, err := url.Parse(api)
	require.NoError(f.t, err)
	code := regexp.MustCompile(`("hsCode":")\d\d`)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		text, err := io.ReadAll(r.Body)
		if changed.Load() {
			text = code.ReplaceAll(text, []byte("${1}97"))
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		r.Header.Set("Content-Length", strconv.Itoa(len(text)))
		return err
	}
	server := httptest.NewServer(proxy)
	f.t.Cleanup(server.Close)
	f.projects(api, server.URL)
	return &changed
}

// projects changes the text of each machine's project file.
func (f *fleet) projects(old, with string) {
	f.t.Helper()
	for _, dir := range f.dirs {
		file := filepath.Join(dir, "hsharness.yaml")
		text, err := os.ReadFile(file)
		require.NoError(f.t, err)
		require.Contains(f.t, string(text), old)
		require.NoError(f.t, os.WriteFile(file, []byte(strings.Replace(string(text), old, with, 1)), 0o600))
	}
}

// folder is what the recordings of a machine are, by name.
func (f *fleet) folder(machine int) map[string]string {
	f.t.Helper()
	dir := filepath.Join(f.dirs[machine], "recordings")
	names, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	require.NoError(f.t, err)
	all := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(f.t, err)
		all[strings.TrimPrefix(name, dir)] = string(text)
	}
	return all
}

// states counts what is shared, by state.
func (f *fleet) states() map[string]int {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.ledger)
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, conn.Close(f.t.Context())) }()
	rows, err := conn.Query(f.t.Context(), "SELECT state, count(*) FROM hsharness.answer GROUP BY state")
	require.NoError(f.t, err)
	all := map[string]int{}
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		all[state] = n
		return nil
	})
	require.NoError(f.t, err)
	return all
}

// TestVerifyAndRefreshAreShared: what one machine verifies, accepts or refreshes, the others
// have, and none buys it again, by the sandbox's own count.
func TestVerifyAndRefreshAreShared(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3, 2)
	changed := f.changes()
	bought := func(n int) {
		t.Helper()
		assert.EqualValues(t, n, f.served(), "by the sandbox's count")
		assert.EqualValues(t, n, f.spent(), "by the ledger's count")
	}
	run := func(machine int, mode string) {
		t.Helper()
		f.exits(machine, 0, "run", "fleet.yaml", "--mode", mode, "--max-spend", "2", "--quiet")
	}
	run(0, "record")
	f.exits(1, 0, "recordings", "pull")
	bought(2)

	changed.Store(true)
	verify := func(machine int, most string) int {
		t.Helper()
		out := f.exits(machine, 1, "recordings", "verify", "--sample", most, "--max-spend", most, "--format", "json")
		return strings.Count(out, `"pending":true`)
	}
	waiting := func(machine int) (n int) {
		for _, text := range f.folder(machine) {
			n += strings.Count(text, `"state": "pending"`)
		}
		return n
	}
	assert.Equal(t, 1, verify(0, "1"), "a code is another")
	bought(3)
	assert.Equal(t, map[string]int{"answer": 2, "pending": 1}, f.states())
	assert.Equal(t, 2, verify(1, "2"), "what the first one bought is compared, and the other one is bought")
	bought(4)
	assert.Equal(t, map[string]int{"answer": 2, "pending": 2}, f.states())
	run(2, "record")
	run(2, "replay")
	bought(4)
	f.exits(0, 0, "recordings", "pull")
	for n := range f.dirs {
		assert.Equal(t, f.folder(0), f.folder(n), "machine %d has the same", n)
		assert.Equal(t, 2, waiting(n), "it answers nobody")
	}

	assert.Contains(t, f.exits(1, 0, "recordings", "accept", "--all"), "accepted: 2")
	assert.Equal(t, map[string]int{"answer": 4}, f.states())
	for n := range f.dirs {
		f.exits(n, 0, "recordings", "pull")
		assert.Equal(t, f.folder(1), f.folder(n), "machine %d has the same", n)
		assert.Zero(t, waiting(n))
	}
	bought(4)

	// All refresh the same at once: one buys.
	changed.Store(false)
	key := ""
	for name := range f.folder(0) {
		key = max(key, strings.TrimSuffix(filepath.Base(name), ".json"))
	}
	var all sync.WaitGroup
	for n := range f.dirs {
		all.Go(func() {
			out, err := f.command(n, "recordings", "refresh", key, "--max-spend", "1").CombinedOutput()
			assert.NoError(t, err, "%s", out)
		})
	}
	all.Wait()
	bought(5)
	assert.Equal(t, map[string]int{"answer": 5}, f.states())
	for n := range f.dirs {
		assert.Equal(t, f.folder(1), f.folder(n), "machine %d has the same", n)
	}
	assert.Contains(t, f.exits(2, 0, "recordings", "push"), "nothing is lacking; answers that are shared: 5")
}

// TestShareThatIsFull: once max_size is reached in the middle of a run, what has no room is
// said and stays with who bought it; others get what had room, and buy the rest.
func TestShareThatIsFull(t *testing.T) {
	t.Parallel()
	const questions = 6
	f := newFleet(t, 2, questions)
	f.projects("{ share: ledger }", "{ share: ledger, max_size: 4KB }")
	run := func(machine int) string {
		return f.exits(machine, 0, "run", "fleet.yaml", "--mode", "record", "--max-spend", strconv.Itoa(questions), "--quiet")
	}
	out := run(0)
	shared := f.states()["answer"]
	assert.Positive(t, shared)
	assert.Less(t, shared, questions)
	assert.Equal(t, questions-shared, strings.Count(out, "max_size"), out)
	assert.Contains(t, f.exits(0, 1, "recordings", "push"), "answers that were not moved: "+strconv.Itoa(questions-shared))
	run(1)
	assert.Equal(t, questions, f.files(1))
	assert.EqualValues(t, 2*questions-shared, f.served(), "what is shared is bought once")
	assert.EqualValues(t, 2*questions-shared, f.spent())
	assert.Equal(t, map[string]int{"answer": shared}, f.states())
	run(0)
	run(1)
	assert.EqualValues(t, 2*questions-shared, f.served(), "what has no room answers who bought it")
}

// TestSecretOfAnotherMachine: what one machine shares may hold what is a secret on another,
// which does not take that, and all else.
func TestSecretOfAnotherMachine(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, 3)
	f.exits(0, 0, "run", "fleet.yaml", "--mode", "record", "--max-spend", "3", "--quiet")
	project := filepath.Join(f.dirs[1], "hsharness.yaml")
	text, err := os.ReadFile(project)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(project, bytes.Replace(text, []byte("real-secret-4711"), []byte(`"pattern 1"`), 1), 0o600))
	for range 2 {
		out := f.exits(1, 1, "recordings", "pull")
		assert.Contains(t, out, "it holds client_secret")
		assert.Equal(t, 2, f.files(1))
		for _, one := range f.folder(1) {
			assert.NotContains(t, one, "pattern 1")
		}
	}
	assert.EqualValues(t, 3, f.served())
}
