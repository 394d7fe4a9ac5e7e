package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// filesystem is networkFS. A test puts another in its place, since no machine has
// them all.
var filesystem = networkFS

// open checks the place and opens gate and connections, but reads nothing yet.
func open(ctx context.Context, config Config, creating bool) (*store, error) {
	name, err := filepath.Abs(config.Path)
	if err != nil || config.Path == "" {
		return nil, fmt.Errorf("open ledger %q: a path is needed", config.Path)
	}
	began := time.Now()
	s := &store{config: config, name: name, path: name}
	file, err := s.stand(creating)
	switch {
	case errors.Is(err, errMissing):
		return nil, fmt.Errorf("%w at %s", quota.ErrNoLedger, s.path)
	case err != nil:
	case config.ReadOnly:
		err = s.openToRead(ctx)
	default:
		err = s.openToWrite(ctx, file, creating)
	}
	var told *quota.NoAnswerError
	if err != nil && errors.Is(err, ctx.Err()) && !errors.As(err, &told) {
		err = s.noAnswer(ctx, began)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", s.path, s.explain(err)), s.Close())
	}
	return s, nil
}

// errMissing is that there is no file.
var errMissing = errors.New("there is no file")

// stand finds the file, or makes it, and refuses a place where it can't be kept.
func (s *store) stand(creating bool) (file os.FileInfo, err error) {
	if s.path, file, err = find(s.name); err != nil {
		return nil, err
	}
	if file == nil && !creating {
		return nil, errMissing
	}
	if name, err := filesystem(existing(filepath.Dir(s.path))); err != nil {
		return nil, fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err)
	} else if name != "" {
		return nil, fmt.Errorf("%w: it is on %s: use a local disk, or a postgres:// ledger for several machines", quota.ErrUnsafePlace, name)
	}
	if file == nil {
		if err := os.MkdirAll(filepath.Dir(s.path), folderMode); err != nil {
			return nil, fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err)
		}
		if s.path, file, err = find(s.name); err != nil { // behind the links that led to the folder
			return nil, err
		}
	}
	if file == nil {
		if file, err = createFile(s.path); err != nil {
			return nil, fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err)
		}
	}
	seen, err := see(s.path)
	if err == nil {
		err = single(s.path, seen)
	}
	return file, err
}

// openToWrite opens gate and connections.
func (s *store) openToWrite(ctx context.Context, file os.FileInfo, creating bool) error {
	ours, err := sniff(s.path)
	if err != nil {
		return err
	}
	if s.gate, err = openGate(s.path+lockSuffix, file, s.config.wait()); err != nil {
		return err
	}
	err = s.gated(ctx, func() (err error) {
		// Before the engine looks at it: it would take the journal of another file.
		if s.bond, err = s.gate.tie(s.path); err != nil {
			return err
		}
		if ours {
			if err := errors.Join(leftBehind(s.path), s.makeBeside(file)); err != nil {
				return err
			}
		}
		config := s.config
		config.VFS = gatheringOver(config.VFS)
		if s.writer, err = connect(ctx, config, s.path, creating); err != nil {
			return err
		}
		if !creating {
			if err := s.writer.known(ctx); err != nil {
				return err
			}
		}
		if err := s.writer.setUp(); err != nil {
			return err
		}
		if err := s.makeBeside(file); err != nil { // which the engine may have made itself
			return err
		}
		if err := s.look(); err != nil || creating {
			return err
		}
		return s.writer.migrate()
	})
	if err == nil {
		s.reader, err = connect(ctx, s.config, s.path, false)
	}
	if err == nil {
		err = s.reader.exec("PRAGMA query_only=ON")
	}
	return err
}

// makeBeside sees to the files of the engine.
func (s *store) makeBeside(file os.FileInfo) error {
	for _, suffix := range []string{walSuffix, shmSuffix} {
		if err := makeBeside(s.path+suffix, file); err != nil {
			return cantWrite(s.path+"*", err)
		}
	}
	return nil
}

// sniff reads the header of the file, https://www.sqlite.org/fileformat.html, so
// that nothing is put beside the file of another program. It tells a ledger that
// is sure to be one from a file of which only its journal may know.
func sniff(path string) (ours bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return false, fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err)
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	header := make([]byte, 72)
	n, err := io.ReadFull(f, header)
	switch {
	case errors.Is(err, io.EOF): // it is empty
		return false, nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, err
	case len(bytes.Trim(header[:n], "\x00")) == 0: // room was made for its first page, by a process that was killed then
		return false, nil
	case !bytes.HasPrefix(header[:n], []byte("SQLite format 3\x00")):
		return false, fmt.Errorf("%w: it is no SQLite file", quota.ErrNotLedger)
	}
	id, inWAL := binary.BigEndian.Uint32(header[68:]), header[18] == 2
	if n == len(header) && id != applicationID && !inWAL {
		return false, errOther
	}
	return id == applicationID, nil
}

// errOther is a database that is no ledger.
var errOther = fmt.Errorf("%w: it is the SQLite file of another program", quota.ErrNotLedger)

// leftBehind looks, where a ledger has no journal of its own, for one whose ledger
// is gone: the file was given another name, and what was written last is still
// there.
func leftBehind(path string) error {
	if info, err := os.Lstat(path + walSuffix); err == nil && info.Size() > 0 {
		return nil
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // its folder may be entered and not be listed
	}
	there := map[string]bool{}
	for _, n := range names {
		there[n.Name()] = true
	}
	for _, n := range names {
		old, ok := strings.CutSuffix(n.Name(), walSuffix)
		if !ok || there[old] || !there[old+lockSuffix] {
			continue
		}
		if info, err := n.Info(); err == nil && info.Size() > 0 {
			old = filepath.Join(filepath.Dir(path), old)
			return fmt.Errorf("%w: it has no journal, and that of %s, which is gone, is not empty. If this file was called so, what was spent last is in there: give it that name back. If not, remove %s-wal",
				quota.ErrWentBack, old, old)
		}
	}
	return nil
}

// explain says what it means that the database can't be read or written.
func (s *store) explain(err error) error {
	switch {
	case errors.Is(err, quota.ErrDamaged): // it was said where it was read
	case errors.Is(err, sqlite3.NOTADB):
		return fmt.Errorf("%w: it is no SQLite file (%w)", quota.ErrNotLedger, err)
	case errors.Is(err, sqlite3.CORRUPT):
		return fmt.Errorf("%w (%w)", quota.ErrDamaged, err)
	case errors.Is(err, sqlite3.TOOBIG):
		return fmt.Errorf("%w: a value has more than %d bytes, as none of a ledger has (%w)", quota.ErrDamaged, mostValue, err)
	case overflows(err):
		return fmt.Errorf("%w (%w)", quota.ErrDamaged, err)
	case errors.Is(err, sqlite3.FULL), errors.Is(err, sqlite3.IOERR), errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("its disk is full, or fails (%w): make room in %s, and start again", err, filepath.Dir(s.path))
	case errors.Is(err, sqlite3.BUSY):
		return fmt.Errorf("%w: %s has locked it (%w)", quota.ErrBusy, lockedBy(s.path), err)
	}
	return err
}

// overflows tells the error of a sum that is more than any of what a ledger can have.
// The engine has no code of its own for it.
func overflows(err error) bool {
	return errors.Is(err, sqlite3.ERROR) && strings.Contains(err.Error(), "integer overflow")
}
