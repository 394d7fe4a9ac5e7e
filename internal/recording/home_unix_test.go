//go:build !windows

package recording_test

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// TestRecoverBelowALinkedFolder: a project has one .hsharness by whatever name its folder is
// called, as below /tmp of a Mac.
func TestRecoverBelowALinkedFolder(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "project")
	require.NoError(t, os.Symlink(t.TempDir(), link))
	s := reopen(t, link, recording.Config{Secrets: []recording.Secret{{Name: "client_secret", Value: "verysecret-1"}}})
	a := answer(packed("verysecret-1", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }))
	a.Response.Header.Set("Content-Type", "text/plain")
	var aside *recording.QuarantineError
	require.ErrorAs(t, s.Put(t.Context(), s.Key(classify(`{}`)), a), &aside)
	typed := filepath.Join(link, ".hsharness", "quarantine", filepath.Base(filepath.Dir(aside.File)), filepath.Base(aside.File))
	assert.Equal(t, typed, aside.File, "as the project is called here")
	s = reopen(t, link, recording.Config{})
	r, err := s.Read(typed)
	require.NoError(t, err)
	assert.Equal(t, recording.Quarantine, s.Place(r))
	_, err = s.Recover(t.Context(), typed)
	require.NoError(t, err)
	assert.NoFileExists(t, typed)
}

// TestCopiesBesideALinkAnswer: a folder becomes a link, and what was paid for is still there.
func TestCopiesBesideALinkAnswer(t *testing.T) {
	t.Parallel()
	s, root := full(t, recording.Config{})
	k := s.Key(classify(`{"a":1}`))
	var failed *recording.WriteError
	require.ErrorAs(t, s.Put(t.Context(), k, answer(`"paid"`)), &failed)
	target := filepath.Join(t.TempDir(), "recordings")
	require.NoError(t, os.Mkdir(target, 0o700))
	require.NoError(t, os.RemoveAll(filepath.Join(root, "recordings")))
	require.NoError(t, os.Symlink(target, filepath.Join(root, "recordings")))
	_, err := reopen(t, root, recording.Config{}).Get(k)
	assert.NoError(t, err, "it is not bought again")
}

// TestALinkBelowALinkedFolder has one lock before and after there is what it leads to.
func TestALinkBelowALinkedFolder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(base, "deep", "x"), 0o700))
	require.NoError(t, os.Symlink("../shared", filepath.Join(base, "deep", "x", "recordings")))
	require.NoError(t, os.Symlink(filepath.Join(base, "deep", "x"), filepath.Join(base, "proj")))
	before := reopen(t, filepath.Join(base, "proj"), recording.Config{})
	k := before.Key(classify(`{}`))
	unlock, err := before.Lock(t.Context(), k)
	require.NoError(t, err)
	defer unlock()
	require.NoError(t, os.Mkdir(filepath.Join(base, "deep", "shared"), 0o700))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = reopen(t, filepath.Join(base, "proj"), recording.Config{}).Lock(ctx, k)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
