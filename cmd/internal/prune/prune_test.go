package prune_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/prune"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
)

const day = 24 * time.Hour

type folder struct {
	t     *testing.T
	store *recording.Store
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
	require.NoError(t, err)
	return &folder{t, store}
}

// records writes an answer of some age down, and returns its file.
func (f *folder) records(what string, age time.Duration) string {
	f.t.Helper()
	k := f.store.Key(recording.Request{
		Environment: "sandbox", API: "current", Operation: what, Method: http.MethodPost, Path: "/" + what, Body: []byte(`{}`),
	})
	require.NoError(f.t, f.store.Put(f.t.Context(), k, recording.Take{RecordedAt: time.Now().Add(-age), Cost: 2, Response: recording.Message{Status: 200, Body: []byte(`{}`)}}))
	r, err := f.store.Get(k)
	require.NoError(f.t, err)
	return r.File
}

func (f *folder) all() []*recording.Recording {
	f.t.Helper()
	all, err := f.store.List()
	require.NoError(f.t, err)
	return all
}

func (f *folder) prunes(yes bool, least time.Duration, chosen func(*recording.Recording) bool) prune.Result {
	f.t.Helper()
	r, err := prune.Do(f.t.Context(), &project.Project{}, f.store, slices.Values(f.all()), yes, least, chosen)
	require.NoError(f.t, err)
	return r
}

func each(*recording.Recording) bool { return true }

func TestAge(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	old, young := f.records("old", 190*day), f.records("young", 3*day)

	r := f.prunes(false, 100*day, each)
	require.Len(t, r.Recordings, 1)
	assert.Equal(t, 2, r.Cost)
	assert.False(t, r.Removed)
	assert.FileExists(t, old, "nothing is removed without --yes")

	assert.Empty(t, f.prunes(true, 300*day, each).Recordings)
	assert.FileExists(t, old)

	r = f.prunes(true, 100*day, each)
	assert.True(t, r.Removed)
	require.Len(t, r.Recordings, 1)
	assert.NoFileExists(t, old)
	assert.NoDirExists(t, filepath.Dir(old), "that was its last")
	assert.FileExists(t, young)
}

func TestChosen(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	used, unused := f.records("used", day), f.records("unused", day)
	r := f.prunes(true, 0, func(r *recording.Recording) bool { return r.File == unused })
	assert.Len(t, r.Recordings, 1)
	assert.FileExists(t, used)
	assert.NoFileExists(t, unused)
}

// An answer that somebody bought since is kept.
func TestBoughtMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	file := f.records("shirt", 190*day)
	read := f.all()
	f.records("shirt", 0)
	_, err := prune.Do(t.Context(), &project.Project{}, f.store, slices.Values(read), true, 0, each)
	assert.Contains(t, hint.Text(err), "was recorded again meanwhile; look again: hsharness recordings prune")
	assert.FileExists(t, file)

	// Somebody else may have removed it.
	other := f.records("hat", 190*day)
	read = f.all()
	require.NoError(t, os.Remove(file))
	r, err := prune.Do(t.Context(), &project.Project{}, f.store, slices.Values(read), true, 0, each)
	require.NoError(t, err)
	require.Len(t, r.Recordings, 1)
	assert.Equal(t, 2, r.Cost)
	assert.NoFileExists(t, other)
}

// What was removed before something failed is said.
func TestRemovedBeforeAnError(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.records("hat", 190*day)
	f.records("shirt", 190*day)
	read := f.all()
	f.records("shirt", 0)
	r, err := prune.Do(t.Context(), &project.Project{}, f.store, slices.Values(read), true, 0, each)
	require.Error(t, err)
	require.Len(t, r.Recordings, 1)
	assert.Equal(t, 2, r.Cost)
	assert.True(t, r.Removed)
}

func TestPrint(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.records("old", 190*day)
	some, none := f.prunes(false, 0, each), f.prunes(false, 300*day, each)
	removed := some
	removed.Removed = true
	for _, row := range []struct {
		result     prune.Result
		what, want string
	}{
		{some, "old", "old recordings: 1, units they cost: 2; remove them: repeat with --yes\n"},
		{some, "unused", "unused recordings: 1, units they cost: 2; remove them: repeat with --yes\n"},
		{removed, "old", "removed recordings: 1, units they cost: 2\n"},
		{none, "old", "nothing is that old\n"},
		{none, "unused", "every recording is used\n"},
	} {
		var b strings.Builder
		require.NoError(t, row.result.Print(&b, row.what, false, false))
		assert.True(t, strings.HasSuffix(b.String(), row.want), "%s: %s", row.what, b.String())
	}
	var b strings.Builder
	require.NoError(t, some.Print(&b, "old", false, true))
	assert.Regexp(t, `^[0-9a-f]{12}  190d  .*\.json\n$`, b.String(), "quiet, it is the files alone")
}
