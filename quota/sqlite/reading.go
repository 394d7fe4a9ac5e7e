package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/hsharness/hsharness/quota"
)

// readingVFS is the file layer of who only reads.
const readingVFS = "hsharness-reading"

// register makes it known to the engine.
var register = sync.OnceFunc(func() { vfs.Register(readingVFS, reading{vfs.Find("").(vfs.VFSFilename)}) })

// reading opens the -wal to be read: the engine's own file layer opens it to be
// written even for a connection that only reads, which not everybody may.
type reading struct{ vfs.VFSFilename }

// OpenFilename implements [vfs.VFSFilename].
func (r reading) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if flags&vfs.OPEN_WAL != 0 {
		flags = flags&^(vfs.OPEN_READWRITE|vfs.OPEN_CREATE) | vfs.OPEN_READONLY
	}
	return r.VFSFilename.OpenFilename(name, flags)
}

// openToRead opens one connection, and takes no lock that a writer would wait for
// or that a stopped one could keep.
func (s *store) openToRead(ctx context.Context) (err error) {
	if _, err := sniff(s.path); err != nil {
		return err
	}
	if s.reader, err = s.connectToRead(ctx); err != nil {
		return err
	}
	return s.reader.known(ctx)
}

// connectToRead opens a connection that only reads.
func (s *store) connectToRead(ctx context.Context) (*conn, error) {
	if !s.config.ReadOnly {
		return connect(ctx, s.config, s.path, false)
	}
	for _, side := range []string{walSuffix, shmSuffix} {
		seen, err := see(s.path + side)
		if err == nil {
			err = single(s.path+side, seen)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	query := url.Values{"mode": {"ro"}}
	sleeping := asleep(s.path)
	if sleeping {
		query.Set("immutable", "1")
	} else {
		register()
		query.Set("vfs", readingVFS)
	}
	c, err := dial(ctx, uri(s.path, query))
	if err == nil {
		err = c.busy(min(busyTimeout, s.config.wait()))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err), c.close())
	}
	if sleeping {
		c.asleep = s.path
	}
	return c, nil
}

// sleeps refuses what was read without any lock while somebody came to write.
func (c *conn) sleeps() error {
	if c.asleep != "" && !asleep(c.asleep) {
		return fmt.Errorf("%w: somebody opened %s while it was read: try again", quota.ErrBusy, c.asleep)
	}
	return nil
}

// asleep tells that nobody has the ledger open and that all of it is in its file,
// as after a clean end with an earlier version, or in a copy: then there is no
// index, and who may not write can't make one.
func asleep(path string) bool {
	if _, err := os.Lstat(path + shmSuffix); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	wal, err := os.Lstat(path + walSuffix)
	return errors.Is(err, fs.ErrNotExist) || err == nil && wal.Size() == 0
}
