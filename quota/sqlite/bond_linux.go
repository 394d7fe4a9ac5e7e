package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hsharness/hsharness/quota"
)

// A bond lets no two processes use one file under two names, or two files under
// one: SQLite's journal and index go by the name, and the spends of one process
// would not be those of the other. Each holds, for as long as it has the ledger
// open, a shared lock on a byte of the file that stands for its name, and one on a
// byte of the gate that stands for the file, and nobody may hold another byte.
// This finds what a look at the file can't: that it was renamed, or replaced,
// under a process that goes on.
type bond struct{ f *os.File }

// bondBase is where the bytes of bonds begin, far beyond those that SQLite locks.
const bondBase = 1 << 62

// tie holds the bond of the ledger at path, or refuses.
func (g *gate) tie(path string) (*bond, error) {
	folder, err := see(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|noFollow, 0)
	if err != nil {
		return nil, cantWrite(path, err)
	}
	b := &bond{f}
	free, err := hold(f, byteOf(folder, filepath.Base(path)))
	if err == nil && !free {
		err = fmt.Errorf("%w: a process that goes on uses the same file under another name: end it, and give the file its name back", quota.ErrUnsafePlace)
	}
	var file sight
	if err == nil {
		file, err = see(path)
	}
	if err == nil {
		g.bound = byteOf(file, "")
		err = g.rebind()
	}
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// rebind holds the gate's side of the bond.
func (g *gate) rebind() error {
	if g.bound == 0 {
		return nil
	}
	free, err := hold(g.f, g.bound)
	if err == nil && !free {
		err = fmt.Errorf("%w: a process that goes on uses another file, which had this name before: end it, and try again", quota.ErrUnsafePlace)
	}
	return err
}

// hold locks a byte and tells whether nobody holds another one. Of two who come at
// once, one at least sees the other. A process that was just killed may have been
// starting another, which has its locks until it has begun.
func hold(f *os.File, at int64) (free bool, err error) {
	for range 20 {
		if free, err = tryHold(f, at); free || err != nil {
			return free, err
		}
		<-time.After(10 * time.Millisecond)
	}
	return false, nil
}

func tryHold(f *os.File, at int64) (bool, error) {
	mine := unix.Flock_t{Type: unix.F_RDLCK, Start: at, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &mine); err != nil {
		return false, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	for _, rest := range []unix.Flock_t{
		{Type: unix.F_WRLCK, Start: bondBase, Len: at - bondBase},
		{Type: unix.F_WRLCK, Start: at + 1}, // to the end
	} {
		if rest.Len == 0 && rest.Start == bondBase {
			continue // nothing is before it
		}
		if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &rest); err != nil {
			return false, fmt.Errorf("look for the locks of %s: %w", f.Name(), err)
		}
		if rest.Type != unix.F_UNLCK {
			return false, nil
		}
	}
	return true, nil
}

func (b *bond) close() error {
	if b == nil {
		return nil
	}
	return errors.Join(release(b.f), b.f.Close())
}

// release lets the bytes of f go. To close it is not enough while a process is
// being started, which has the file too until it has begun.
func release(f *os.File) error {
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_UNLCK, Start: bondBase})
}

// byteOf is the byte that stands for a file, or for a name in a folder.
func byteOf(s sight, name string) int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", s.device, s.inode, name))
	return bondBase + int64(binary.BigEndian.Uint64(sum[:8])>>2)
}
