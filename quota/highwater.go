package quota

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// AccountHash names an account without naming it: the SHA-256, in hex, of its
// identity host and client id.
func AccountHash(identityHost, clientID string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(identityHost) + "\n" + clientID))
	return hex.EncodeToString(sum[:])
}

// highWater remembers outside the project, and so outside of whatever may restore
// an older ledger file, how far each ledger of one account has come.
//
// There is one file for each ledger, to which lines are only ever appended, and
// one lock beside them for the account. A line names an entry by its number and
// a mark, which tells it from another entry with the same number in a copy; see
// [line]. It is written after its entry is durable and before its unit can be
// spent: so each entry that a line names must be in the ledger, whenever the file
// is read before the ledger is.
//
// # Why two copies never both spend
//
// Let a ledger be copied, in whatever way, and let two processes use one each.
// What either writes after that is in its own ledger only. A run that begins
// looks, under the lock, for every entry of the file in its own ledger, and then
// notes its beginning. A spend looks, under the lock, for the beginnings that
// others noted since, and notes itself; only then is its request sent. Of two
// spends that are not in each other's ledger one is noted later, by a run A. If
// the run B of the other began after the copy, then A finds its beginning, which
// is not in A's ledger. If B began before, then A began after, and found the
// spend, or B, noting its spend later than A its beginning, found that.
//
// # What may be lost
//
// The file is flushed at the begin and the end of a run but not at a spend: a
// process that dies leaves what it wrote in the page cache, and it takes a power
// cut, within a run, and a restore to a state of that same run, to deceive it.
//
// It is safe for concurrent use, also by the machines that share its folder over
// NFS, if their mounts share locks.
type highWater struct {
	dir string
	// wait is how long a lock that another process holds is waited for, and stands that one
	// wait is in the kernel's queue.
	wait   time.Duration
	stands atomic.Bool
}

// markWait is how long a lock is waited for. Whoever holds it does so for
// milliseconds, unless it was stopped.
const markWait = 10 * time.Second

// newHighWater is the high-water mark of an account, by its [AccountHash]. It is kept
// under stateHome; empty means $XDG_STATE_HOME, or ~/.local/state without it.
func newHighWater(stateHome, account string) (*highWater, error) {
	if account == "" {
		return nil, errors.New("a high-water mark needs an account")
	}
	if stateHome == "" {
		stateHome = os.Getenv("XDG_STATE_HOME")
	}
	if !filepath.IsAbs(stateHome) { // the XDG base directory specification: relative ones are ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("%w: no place for it, set XDG_STATE_HOME: %w", ErrNoHighWater, err)
		}
		stateHome = filepath.Join(home, ".local", "state")
	}
	return &highWater{dir: filepath.Join(stateHome, "hsharness", "accounts", account), wait: markWait}, nil
}

// file is where the lines of a ledger are.
func (w *highWater) file(ledger string) string { return filepath.Join(w.dir, ledger) }

// ledgers lists the ledgers of the account that were used on this machine.
func (w *highWater) ledgers() ([]string, error) {
	files, err := os.ReadDir(w.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unusable(err)
	}
	ids := make([]string, 0, len(files))
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), ".") { // of a file manager, or of NFS
			ids = append(ids, f.Name())
		}
	}
	return ids, nil
}

// accept makes the ledger, as it is, the truth: after init, for one that the
// account is new to, and after a reconciliation. The entry must be durable. It
// returns the other ledgers that are known: of two that are accepted at the same
// time, one is told of the other at least.
func (w *highWater) accept(ctx context.Context, ledger string, head Entry) (others []string, err error) {
	release, err := w.lockFor(ctx, ledger)
	if err != nil {
		return nil, err
	}
	if others, err = w.others(ledger); err == nil {
		_, err = w.append(ledger, line{word: wordAccept, seq: head.Seq, mark: head.mark()})
	}
	release()
	return others, errors.Join(err, w.flush(ledger))
}

// others are the ledgers of the account but this one.
func (w *highWater) others(ledger string) (others []string, err error) {
	all, err := w.ledgers()
	for _, id := range all {
		if id != ledger {
			others = append(others, id)
		}
	}
	return others, err
}

// writable tells whether lock and file could be written,
// before anything depends on it.
func (w *highWater) writable(ledger string) error {
	f, err := w.openLock()
	if err != nil {
		return err
	}
	_ = f.Close()
	if err := sharesLocks(filepath.Dir(w.dir)); err != nil {
		return unusable(err)
	}
	f, err = openRegular(w.file(ledger), os.O_WRONLY|os.O_APPEND)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unusable(err)
	}
	_ = f.Close()
	return nil
}

// openRegular opens a file of the mark. A named pipe would be waited for.
func openRegular(name string, flags int) (*os.File, error) {
	if info, err := os.Stat(name); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errPipe}
	}
	return os.OpenFile(name, flags, 0o600)
}

// errPipe is a named pipe in the place of a file.
var errPipe = errors.New("it is a named pipe: remove it")

// unusable is the [ErrNoHighWater] of an error of the file system, with what helps.
func unusable(err error) error {
	switch {
	case errors.Is(err, errPipe):
		return fmt.Errorf("%w: %w", ErrNoHighWater, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w: let this user write there, or set XDG_STATE_HOME to a folder of this user", ErrNoHighWater, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w: make room there, and try again", ErrNoHighWater, err)
	}
	return fmt.Errorf("%w: %w: see to that place, or set XDG_STATE_HOME to another one", ErrNoHighWater, err)
}

// append writes a line, under the lock, and returns where it ends.
func (w *highWater) append(ledger string, l line) (end place, err error) {
	const flags = os.O_WRONLY | os.O_APPEND | os.O_CREATE
	f, err := openRegular(w.file(ledger), flags)
	if errors.Is(err, fs.ErrNotExist) { // the folder was removed, and the lock is still there
		if err = os.MkdirAll(w.dir, 0o700); err == nil {
			f, err = openRegular(w.file(ledger), flags)
		}
	}
	if err != nil {
		return end, unusable(err)
	}
	_, err = f.WriteString(l.text())
	if err == nil {
		if end.file, err = f.Stat(); err == nil {
			end.offset = end.file.Size()
		}
	}
	// Over NFS it is close that writes.
	if err = errors.Join(err, f.Close()); err != nil {
		return end, unusable(err)
	}
	return end, nil
}

// flush puts on the disk what was appended.
func (w *highWater) flush(ledger string) error {
	f, err := openRegular(w.file(ledger), os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return unusable(err)
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return unusable(err)
	}
	return nil
}
