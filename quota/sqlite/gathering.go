package sqlite

import "github.com/ncruces/go-sqlite3/vfs"

// gathering is a file layer that hands a transaction's pages to the -wal in one write.
// The engine makes two of each page, its header and itself, and ten or so for a spend;
// then it flushes the file, because synchronous is FULL ([conn.checkSettings]), and only
// then it tells other connections, through the index, that there are new pages. Until
// the flush nobody else looks at them, so until then they can wait here.
//
// What waits must never be written later than that: another process may have put its
// own pages there. So a transaction keeps its pages in the engine's memory until it
// commits ([store.start] turns cache_spill off), a write that failed drops what waits, and
// so does closing.
type gathering struct{ vfs.VFSFilename }

// gatheringOver makes the layer over the one of that name known to the engine, and
// returns its name.
func gatheringOver(name string) string {
	under, ok := vfs.Find(name).(vfs.VFSFilename)
	if !ok {
		return name
	}
	over := "hsharness-gathering-" + name
	vfs.Register(over, gathering{under})
	return over
}

// OpenFilename implements [vfs.VFSFilename].
func (g gathering) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := g.VFSFilename.OpenFilename(name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		f = &gatheringFile{File: f}
	}
	return f, flags, err
}

// mostGathered is how many bytes may wait. A spend has some 20,000.
const mostGathered = 256 << 10

// gatheringFile is a -wal. It is used by one connection, which is not used
// concurrently.
type gatheringFile struct {
	vfs.File
	at      int64 // where what waits begins
	waiting []byte
}

// WriteAt implements [vfs.File].
func (f *gatheringFile) WriteAt(p []byte, off int64) (int, error) {
	if off != f.at+int64(len(f.waiting)) || len(f.waiting)+len(p) > mostGathered {
		if err := f.write(); err != nil {
			return 0, err
		}
		f.at = off
	}
	f.waiting = append(f.waiting, p...)
	return len(p), nil
}

// write writes what waits, once.
func (f *gatheringFile) write() error {
	if len(f.waiting) == 0 {
		return nil
	}
	p := f.waiting
	f.waiting = p[:0]
	_, err := f.File.WriteAt(p, f.at)
	f.at += int64(len(p))
	return err
}

// ReadAt implements [vfs.File].
func (f *gatheringFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.write(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Size implements [vfs.File].
func (f *gatheringFile) Size() (int64, error) {
	if err := f.write(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// Truncate implements [vfs.File].
func (f *gatheringFile) Truncate(size int64) error {
	if err := f.write(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync implements [vfs.File].
func (f *gatheringFile) Sync(flags vfs.SyncFlag) error {
	if err := f.write(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}
