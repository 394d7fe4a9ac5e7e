package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// disk is the operating system's file layer, failing on demand.
type disk struct {
	vfs.VFSFilename
	failWrite, failSync atomic.Pointer[error]
	// wrote is called after each write to the -wal file. Nil is nobody.
	wrote func()
	// step is called before each write and each flush of any file. Nil is nobody.
	step func()
	// syncs counts flushes of the -wal file, failed ones too.
	syncs atomic.Int64
}

func newDisk(t *testing.T) (*disk, string) {
	d := &disk{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	name := "fault-" + strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	vfs.Register(name, d)
	t.Cleanup(func() { vfs.Unregister(name) })
	return d, name
}

func (d *disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &diskFile{f, d, flags&vfs.OPEN_WAL != 0}, flags, nil
}

// diskFile fails writes and flushes of the -wal file.
type diskFile struct {
	vfs.File
	disk *disk
	wal  bool
}

func (f *diskFile) SharedMemory() vfs.SharedMemory {
	if shared, ok := f.File.(vfs.FileSharedMemory); ok {
		return shared.SharedMemory()
	}
	return nil
}

func (f *diskFile) PersistWAL() bool { return f.File.(vfs.FilePersistWAL).PersistWAL() }

func (f *diskFile) SetPersistWAL(keep bool) { f.File.(vfs.FilePersistWAL).SetPersistWAL(keep) }

func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	if f.disk.step != nil {
		f.disk.step()
	}
	if err := f.disk.failWrite.Load(); err != nil && f.wal {
		return 0, *err
	}
	n, err := f.File.WriteAt(p, off)
	if f.wal && f.disk.wrote != nil {
		f.disk.wrote()
	}
	return n, err
}

func (f *diskFile) Sync(flags vfs.SyncFlag) error {
	if f.disk.step != nil {
		f.disk.step()
	}
	if f.wal {
		f.disk.syncs.Add(1)
		if err := f.disk.failSync.Load(); err != nil {
			return *err
		}
	}
	return f.File.Sync(flags)
}

func TestDiskFails(t *testing.T) {
	var eio, full error = sqlite3.IOERR_FSYNC, sqlite3.FULL
	for name, fail := range map[string]func(*disk){
		"row 15 the flush fails":  func(d *disk) { d.failSync.Store(&eio) },
		"row 15 the write fails":  func(d *disk) { d.failWrite.Store(&eio) },
		"row 15 the disk is full": func(d *disk) { d.failWrite.Store(&full) },
	} {
		t.Run(name, func(t *testing.T) {
			d, vfsName := newDisk(t)
			config := sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), VFS: vfsName}
			s, err := sqlite.Init(t.Context(), config, quota.InitSpec{Granted: 50})
			require.NoError(t, err)
			_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
			require.NoError(t, err)
			_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "good", Run: "a", Units: 1})
			require.NoError(t, err)

			fail(d)
			_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "bad", Run: "a", Units: 1})
			require.ErrorIs(t, err, quota.ErrPoisoned, "nothing may be sent")

			// The disk works again, but what is on it is unknown: no second try.
			d.failSync.Store(nil)
			d.failWrite.Store(nil)
			flushes := d.syncs.Load()
			_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "bad", Run: "a", Units: 1})
			require.ErrorIs(t, err, quota.ErrPoisoned)
			require.ErrorIs(t, s.Settle(t.Context(), quota.Settlement{Spend: "good", Outcome: quota.Answered}), quota.ErrPoisoned)
			_, err = s.End(t.Context(), "a", quota.Counters{})
			require.ErrorIs(t, err, quota.ErrPoisoned)
			_, err = s.Info(t.Context())
			require.ErrorIs(t, err, quota.ErrPoisoned, "a server whose ledger takes nothing more is not ready")
			require.NoError(t, s.Close())
			assert.Equal(t, flushes, d.syncs.Load(), "flushed a second time")

			// Another process finds what was acknowledged, and it adds up.
			s, err = sqlite.Open(t.Context(), config)
			require.NoError(t, err)
			report, err := s.Verify(context.Background())
			require.NoError(t, err)
			assert.Empty(t, report.Problems)
			assert.GreaterOrEqual(t, report.Balances.Spent, int64(1))
			require.NoError(t, s.Close())
		})
	}
}

// Every change is flushed before its call returns.
func TestEveryChangeIsFlushed(t *testing.T) {
	d, vfsName := newDisk(t)
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), VFS: vfsName}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	ctx := t.Context()
	for _, change := range []struct {
		name string
		call func() error
	}{
		{"begin", func() error { _, err := s.Begin(ctx, quota.RunSpec{ID: "a", Max: 10}, nil); return err }},
		{"spend", func() error { _, err := s.Spend(ctx, quota.SpendSpec{ID: "s", Run: "a", Units: 1}); return err }},
		{"exhaust", func() error { _, err := s.Exhaust(ctx, quota.ExhaustSpec{Run: "a"}); return err }},
		{"end", func() error { _, err := s.End(ctx, "a", quota.Counters{}); return err }},
		{"grant", func() error { _, err := s.Grant(ctx, quota.GrantSpec{ID: "g", Units: 1}); return err }},
		{"reconcile", func() error {
			_, err := s.Reconcile(ctx, quota.ReconcileSpec{ID: "r", Observed: 9, Note: "n"})
			return err
		}},
	} {
		before := d.syncs.Load()
		require.NoError(t, change.call(), change.name)
		assert.Greater(t, d.syncs.Load(), before, change.name)
	}
	require.NoError(t, s.Close())
}

// A spend that settles the one before costs one write of the -wal and one flush.
func TestSpendIsOneWrite(t *testing.T) {
	d, vfsName := newDisk(t)
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), VFS: vfsName}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.NoError(t, err)
	writes := 0
	d.wrote = func() { writes++ }
	flushes := d.syncs.Load()
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "2", Run: "a", Units: 1}, quota.Settlement{Spend: "1", Outcome: quota.Answered})
	require.NoError(t, err)
	assert.Equal(t, 1, writes)
	assert.Equal(t, flushes+1, d.syncs.Load())
	d.wrote = nil
	require.NoError(t, s.Close())
}
