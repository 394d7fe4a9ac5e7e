package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// volatile is a file layer with a disk that keeps only what was flushed. What
// was written since the last flush of a file may be lost, all or any part of it.
type volatile struct {
	vfs.VFSFilename
	mu    sync.Mutex
	files map[string]*content
	// before is called before each change of a file, and each flush. Nil is nobody.
	before func()
}

// content is what a file holds.
type content struct {
	flushed []byte
	pending []change
}

// change is a write, or with nil data a change of the length.
type change struct {
	off  int64
	data []byte
}

func newVolatile(t *testing.T) (*volatile, string) {
	v := &volatile{VFSFilename: vfs.Find("").(vfs.VFSFilename), files: map[string]*content{}}
	name := fmt.Sprintf("volatile-%p", v)
	vfs.Register(name, v)
	t.Cleanup(func() { vfs.Unregister(name) })
	return v, name
}

func (v *volatile) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil || name == nil {
		return f, flags, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	base := filepath.Base(name.String())
	if v.files[base] == nil {
		there, err := os.ReadFile(name.String()) // which was written before the test
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, flags, errors.Join(err, f.Close())
		}
		v.files[base] = &content{flushed: there}
	}
	return &volatileFile{f, v, v.files[base]}, flags, nil
}

// Delete takes a file away for good, as SQLite flushes the folder then.
func (v *volatile) Delete(name string, flushFolder bool) error {
	v.tell()
	v.mu.Lock()
	delete(v.files, filepath.Base(name))
	v.mu.Unlock()
	return v.VFSFilename.Delete(name, flushFolder)
}

func (v *volatile) tell() {
	if v.before != nil {
		v.before()
	}
}

type volatileFile struct {
	vfs.File
	disk    *volatile
	content *content
}

func (f *volatileFile) SharedMemory() vfs.SharedMemory {
	if shared, ok := f.File.(vfs.FileSharedMemory); ok {
		return shared.SharedMemory()
	}
	return nil
}

func (f *volatileFile) WriteAt(p []byte, off int64) (int, error) {
	f.note(change{off, slices.Clone(p)})
	return f.File.WriteAt(p, off)
}

func (f *volatileFile) Truncate(size int64) error {
	f.note(change{off: size})
	return f.File.Truncate(size)
}

func (f *volatileFile) note(c change) {
	f.disk.tell()
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.content.pending = append(f.content.pending, c)
}

func (f *volatileFile) Sync(flags vfs.SyncFlag) error {
	f.disk.tell()
	f.disk.mu.Lock()
	for _, c := range f.content.pending {
		f.content.flushed = c.apply(f.content.flushed)
	}
	f.content.pending = nil
	f.disk.mu.Unlock()
	return f.File.Sync(flags)
}

func (c change) apply(to []byte) []byte {
	end := c.off + int64(len(c.data))
	if grow := end - int64(len(to)); grow > 0 {
		to = append(to, make([]byte, grow)...)
	}
	if c.data == nil {
		return to[:c.off]
	}
	copy(to[c.off:], c.data)
	return to
}

// cut writes what is left after a power cut now into a folder: what was flushed,
// and of the rest what keep lets through.
func (v *volatile) cut(t *testing.T, keep func(change) (change, bool)) string {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	dir := t.TempDir()
	for name, c := range v.files {
		left := slices.Clone(c.flushed)
		for _, p := range c.pending {
			if p, ok := keep(p); ok {
				left = p.apply(left)
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), left, 0o600))
	}
	return filepath.Join(dir, "ledger.db")
}

// nothing of what was not flushed is left.
func nothing(c change) (change, bool) { return c, false }

// torn keeps any part of it.
func torn(random *rand.Rand) func(change) (change, bool) {
	return func(c change) (change, bool) {
		if len(c.data) > 1 && random.IntN(3) == 0 {
			c.data = c.data[:random.IntN(len(c.data)-1)+1]
		}
		return c, random.IntN(2) == 0
	}
}

// lost cuts the power after each of many acknowledged spends, and counts those
// after which a spend is missing.
func lost(t *testing.T, synchronous string) (missing int) {
	t.Helper()
	disk, name := newVolatile(t)
	opened, err := Init(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), VFS: name}, quota.InitSpec{Granted: 100})
	require.NoError(t, err)
	s := opened.(*store)
	defer func() { assert.NoError(t, s.Close()) }()
	// Often enough for what is flushed then to be part of the test.
	require.NoError(t, s.writer.exec("PRAGMA wal_autocheckpoint=20"))
	require.NoError(t, s.writer.exec("PRAGMA synchronous="+synchronous))
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 100}, nil)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range int64(30) {
		_, err := s.Spend(t.Context(), quota.SpendSpec{ID: fmt.Sprint(n), Run: "a", Units: 1})
		require.NoError(t, err)
		for _, keep := range []func(change) (change, bool){nothing, torn(random)} {
			after, err := Open(t.Context(), Config{Path: disk.cut(t, keep)})
			if err != nil {
				t.Log(err)
				missing++ // not even the ledger is there
				continue
			}
			report, err := after.Verify(t.Context())
			require.NoError(t, err)
			assert.Empty(t, report.Problems)
			assert.LessOrEqual(t, report.Balances.Spent, n+1)
			if report.Balances.Spent < n+1 {
				missing++
			}
			require.NoError(t, after.Close())
		}
	}
	return missing
}

func TestPowerLoss(t *testing.T) {
	t.Run("row 14 an acknowledged spend survives", func(t *testing.T) { assert.Zero(t, lost(t, "FULL")) })
	t.Run("row 14 it would not with synchronous=NORMAL", func(t *testing.T) { assert.Positive(t, lost(t, "NORMAL")) })
}
