package collect_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/collect"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
)

var began = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// scene is a folder of recordings with what was bought, and one of long ago.
type scene struct {
	t   *testing.T
	dir string
	cfg collect.Config
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir()}
	s.cfg = collect.Config{Bill: filepath.Join(s.dir, "bill.json"), To: filepath.Join(s.dir, "to", "bought"), Store: s.open("recordings")}
	s.cfg.Staged = s.open("to/bought")
	s.records("old", began.Add(-time.Hour))
	return s
}

func (s *scene) open(dir string) *recording.Store {
	store, err := recording.Open(recording.Config{Dir: filepath.Join(s.dir, dir)})
	require.NoError(s.t, err)
	return store
}

// records writes an answer down and returns its file below the folder.
func (s *scene) records(what string, at time.Time) string {
	s.t.Helper()
	store := s.open("recordings")
	k := store.Key(recording.Request{
		Environment: "sandbox", API: "current", Operation: "POST /hscode/classify", Method: http.MethodPost, Path: "/hscode/classify",
		Body: []byte(`{"description":"` + what + `"}`),
	})
	require.NoError(s.t, store.Put(context.Background(), k, recording.Take{
		RecordedAt: at, Cost: 1, Entry: what, Response: recording.Message{Status: 200, Body: []byte(`{"hsCode":"6109"}`)},
	}))
	files := store.Written().Shared
	require.Len(s.t, files, 1, "a store tells what it wrote")
	below, err := filepath.Rel(store.Dir(), files[0])
	require.NoError(s.t, err)
	return below
}

func (s *scene) bills(b report.Bill) {
	s.t.Helper()
	text, err := json.Marshal(b)
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(s.cfg.Bill, append([]byte(`{"file":"a scenario"}`+"\n"), text...), 0o600))
}

func (s *scene) does() (collect.Result, error) {
	s.t.Helper()
	r, err := collect.Do(s.cfg)
	require.NoError(s.t, err)
	for _, file := range r.Collected {
		_, err := s.open("to/bought").Read(file)
		assert.NoError(s.t, err)
	}
	return r, r.Err()
}

func TestByTheBill(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	one, two := s.records("one", began), s.records("two", began)
	b := report.Bill{Spent: 2, Recordings: &report.Recordings{Dir: filepath.Join(s.dir, "recordings"), Written: []string{filepath.ToSlash(one)}}}
	s.bills(b)
	r, err := s.does()
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.ToSlash(filepath.Join(s.cfg.To, one))}, r.Collected, "the bill says what, not the time")

	// One that is gone is left, and keeps nothing else from being gathered.
	b.Recordings.Written = []string{"post-hscode-classify/0123456789ab.json", filepath.ToSlash(two)}
	s.bills(b)
	r, err = s.does()
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.Len(t, r.Left, 1)
	assert.Equal(t, []string{filepath.ToSlash(filepath.Join(s.cfg.To, two))}, r.Collected)

	// What was spent and is nowhere is told; what never came can't be kept.
	s.bills(report.Bill{Spent: 2, Unknown: 1, Recordings: &report.Recordings{}})
	_, err = s.does()
	assert.ErrorContains(t, err, "units spent: 2, unknown of them: 1")
	s.bills(report.Bill{Spent: 2, Unknown: 2, Recordings: &report.Recordings{}})
	_, err = s.does()
	assert.NoError(t, err)
	s.bills(report.Bill{Mode: "replay"})
	_, err = s.does()
	assert.NoError(t, err)
}

func TestWhatIsElsewhere(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	one := s.records("one", began)
	private := filepath.Join(s.dir, ".hsharness")
	move := func(below, place string) string {
		to := filepath.Join(private, place, below)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o700))
		require.NoError(t, os.Rename(filepath.Join(s.dir, "recordings", below), to))
		return to
	}
	copied, quarantined := move(one, "emergency"), move(s.records("two", began), "quarantine")
	s.bills(report.Bill{Spent: 2, Recordings: &report.Recordings{Copies: []string{copied}, Quarantined: []string{quarantined}}})
	for range 2 { // by the bill, then by the time
		r, err := s.does()
		assert.ErrorContains(t, err, "recordings that hold a secret: 1")
		assert.Equal(t, []string{filepath.ToSlash(filepath.Join(s.cfg.To, one))}, r.Collected)
		assert.Equal(t, []string{quarantined}, r.Secret)
		require.NoError(t, os.RemoveAll(s.cfg.Bill))
		s.cfg.Since = began
	}
}

// TestNothingIsWrittenElsewhere, whatever is in a file that is given as a bill.
func TestNothingIsWrittenElsewhere(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	kept := filepath.Join(s.dir, "to", "kept.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(kept), 0o755))
	require.NoError(t, os.WriteFile(kept, []byte("kept"), 0o600))
	from := filepath.Join(s.dir, "kept.json")
	require.NoError(t, os.WriteFile(from, []byte("other"), 0o600))
	s.bills(report.Bill{Run: "r1", Spent: 1, Recordings: &report.Recordings{
		Dir: filepath.Join(s.dir, "recordings"), Written: []string{"../kept.json"}, Copies: []string{"../kept.json"},
	}})
	r, err := s.does()
	require.ErrorContains(t, err, "stays where it is")
	assert.Empty(t, r.Collected)
	assert.Equal(t, []string{from, "../kept.json"}, r.Left)
	text, err := os.ReadFile(kept)
	require.NoError(t, err)
	assert.Equal(t, "kept", string(text))
}

func TestWithoutABill(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	one := s.records("one", began)
	for name, text := range map[string]string{"none": "", "empty": "", "half": `{"run":"x","mode":"rec`, "another object": `{"file":"x"}`} {
		require.NoError(t, os.RemoveAll(s.cfg.Bill))
		if name != "none" {
			require.NoError(t, os.WriteFile(s.cfg.Bill, []byte(text), 0o600))
		}
		s.cfg.Since = time.Time{}
		_, err := collect.Do(s.cfg)
		require.ErrorContains(t, err, "what was bought is not known", name)
		s.cfg.Since = began
		r, err := s.does()
		require.NoError(t, err, name)
		assert.Equal(t, []string{filepath.ToSlash(filepath.Join(s.cfg.To, one))}, r.Collected, name)
	}
}

func TestNoSecretIsCollected(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	one, two := s.records("one", began), s.records("two", began)
	file := filepath.Join(s.dir, "recordings", one)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(text[:len(text)-2], []byte(`,"x":"real-license-key-1"}`)...), 0o600))
	s.cfg.Secrets = []recording.Secret{{Name: "client_secret", Value: "real-license-key-1"}}
	s.bills(report.Bill{Spent: 2, Recordings: &report.Recordings{Dir: filepath.Join(s.dir, "recordings"), Written: []string{filepath.ToSlash(one), filepath.ToSlash(two)}}})
	r, err := s.does()
	assert.ErrorContains(t, err, "recordings that hold a secret: 1")
	assert.Equal(t, []string{filepath.ToSlash(filepath.Join(s.cfg.To, two))}, r.Collected)
	require.Len(t, r.Secret, 1)
	assert.NotContains(t, r.Secret[0], "real-license-key-1")
	assert.NoFileExists(t, filepath.Join(s.cfg.To, one))
	assert.FileExists(t, file)
}

func TestABillHasToBeNamed(t *testing.T) {
	t.Parallel()
	_, err := collect.Bill("")
	assert.EqualError(t, err, "of which run? Give --bill FILE")
}
