package sqlite

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// slate is a file in memory, and counts what is done to it.
type slate struct {
	vfs.File
	data          []byte
	writes, syncs int
	fail          error // of the next write
}

func (s *slate) WriteAt(p []byte, off int64) (int, error) {
	s.writes++
	if err := s.fail; err != nil {
		s.fail = nil
		return 0, err
	}
	s.data = change{off, p}.apply(s.data)
	return len(p), nil
}

func (s *slate) ReadAt(p []byte, off int64) (int, error) {
	return copy(p, s.data[min(off, int64(len(s.data))):]), nil
}

func (s *slate) Size() (int64, error)    { return int64(len(s.data)), nil }
func (s *slate) Sync(vfs.SyncFlag) error { s.syncs++; return nil }

func (s *slate) Truncate(size int64) error {
	s.data = s.data[:min(size, int64(len(s.data)))]
	return nil
}

// Whoever reads, measures, cuts or flushes finds all that was written.
func TestGatheredIsWhatWasWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	under, plain := &slate{}, &slate{}
	f := &gatheringFile{File: under}
	for range 5_000 {
		off := random.Int64N(mostGathered * 2)
		if random.IntN(4) > 0 {
			off = f.at + int64(len(f.waiting)) // goes on
		}
		p := make([]byte, random.IntN(mostGathered/8)+1)
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		switch random.IntN(12) {
		case 0:
			size := random.Int64N(int64(len(plain.data)) + 1)
			require.NoError(t, errors.Join(f.Truncate(size), plain.Truncate(size)))
		case 1:
			got, want := make([]byte, len(p)), make([]byte, len(p))
			_, err1 := f.ReadAt(got, off)
			_, err2 := plain.ReadAt(want, off)
			require.NoError(t, errors.Join(err1, err2))
			require.Equal(t, want, got)
		case 2:
			got, err1 := f.Size()
			want, err2 := plain.Size()
			require.NoError(t, errors.Join(err1, err2))
			require.Equal(t, want, got)
		case 3:
			require.NoError(t, f.Sync(0))
			require.Equal(t, plain.data, under.data)
		default:
			if off > mostGathered*4 {
				off = 0
			}
			_, err1 := f.WriteAt(p, off)
			_, err2 := plain.WriteAt(p, off)
			require.NoError(t, errors.Join(err1, err2))
		}
		require.LessOrEqual(t, len(f.waiting), mostGathered)
	}
	require.NoError(t, f.Sync(0))
	assert.Equal(t, plain.data, under.data)
	assert.Less(t, under.writes, plain.writes)
}

// What could not be written is never written later, when others may have written
// there.
func TestGatheredIsWrittenOnceOrNever(t *testing.T) {
	full := errors.New("full")
	under := &slate{fail: full}
	f := &gatheringFile{File: under}
	_, err := f.WriteAt([]byte("lost"), 0)
	require.NoError(t, err)
	require.ErrorIs(t, f.Sync(0), full)
	assert.Zero(t, under.syncs, "flushed what was not written")
	require.NoError(t, f.Sync(0))
	assert.Empty(t, under.data)
	assert.Equal(t, 1, under.writes)
}

// Between two transactions nothing waits, so that none is written in the time of
// another process.
func TestNothingWaitsBetweenTransactions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	made, err := Init(t.Context(), Config{Path: path}, quota.InitSpec{Granted: 5})
	require.NoError(t, err)
	require.NoError(t, made.Close())
	opened, err := Open(t.Context(), Config{Path: path})
	require.NoError(t, err)
	s := opened.(*store)
	defer func() { assert.NoError(t, s.Close()) }()
	spill, err := s.writer.number("PRAGMA cache_spill")
	require.NoError(t, err)
	assert.Zero(t, spill, "pages are written before the commit, and may wait then")
}

// Close ends the goroutine that writes: the bubble waits for all of them.
func TestCloseEndsTheWriter(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := Init(t.Context(), Config{Path: filepath.Join(dir, "ledger.db")}, quota.InitSpec{Granted: 5})
		require.NoError(t, err)
		_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 1}, nil)
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}
