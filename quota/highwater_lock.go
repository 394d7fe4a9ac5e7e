package quota

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// openLock opens the file whose lock is the account's, and makes the account's
// folder.
func (w *highWater) openLock() (*os.File, error) {
	f, err := openRegular(w.dir+".lock", os.O_RDWR|os.O_CREATE)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(w.dir, 0o700); err == nil {
			f, err = openRegular(w.dir+".lock", os.O_RDWR|os.O_CREATE)
		}
	}
	if err != nil {
		return nil, unusable(err)
	}
	return f, nil
}

// lock takes the lock of the account, or says who keeps it for too long. It
// belongs to the open file, so the kernel drops it with the process.
func (w *highWater) lock(ctx context.Context) (release func(), err error) {
	deadline := time.Now().Add(w.wait)
	for {
		f, err := w.openLock()
		if err != nil {
			return nil, err
		}
		if err := w.await(ctx, f, deadline); err != nil {
			return nil, err
		}
		if stillNamed(f) {
			sign(f)
			return func() { _ = f.Close() }, nil
		}
		_ = f.Close()
	}
}

// lockFor is lock, for a line of that ledger. Where the caller's time is up before,
// its error says who has the lock.
func (w *highWater) lockFor(ctx context.Context, ledger string) (release func(), err error) {
	began := time.Now()
	release, err = w.lock(ctx)
	if err != nil && errors.Is(err, ctx.Err()) {
		err = w.noAnswer(ctx, ledger, began, signed(w.dir+".lock"))
	}
	return release, err
}

// noAnswer is the error of a line that could not be written before ctx ended.
func (w *highWater) noAnswer(ctx context.Context, ledger string, began time.Time, holder string) error {
	return &NoAnswerError{Ledger: ledger, Doing: "a line of its high-water mark in " + w.dir, Waited: time.Since(began), Holder: holder, Err: ctx.Err()}
}

// stillNamed tells whether a lock file is still that of its name. Once somebody has
// removed it, others lock a new one.
func stillNamed(f *os.File) bool {
	locked, err1 := f.Stat()
	now, err2 := os.Stat(f.Name())
	return err1 == nil && err2 == nil && os.SameFile(locked, now)
}

// await waits for no longer than it may. It closes f with its error. A wait in the kernel's
// queue can't be called off, and has a thread and a file until the lock is free: one of them
// is enough, and who comes while its caller has gone asks again and again.
func (w *highWater) await(ctx context.Context, f *os.File, deadline time.Time) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 32*time.Millisecond) {
		ok, err := tryLockFile(f)
		switch {
		case ok:
			return nil
		case err != nil:
			err = fmt.Errorf("%w: it can't be locked: %w", ErrNoHighWater, err)
		case ctx.Err() != nil:
			err = ctx.Err()
		case w.stands.CompareAndSwap(false, true):
			return w.stand(ctx, f, deadline)
		case time.Now().After(deadline):
			err = w.held(f)
		default:
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			continue
		}
		_ = f.Close()
		return err
	}
}

// stand waits in the kernel's queue, which is fair where polling is not.
func (w *highWater) stand(ctx context.Context, f *os.File, deadline time.Time) error {
	got := make(chan error)
	gone := make(chan struct{})
	go func() {
		err := lockFile(f)
		w.stands.Store(false)
		select {
		case got <- err:
		case <-gone:
			_ = f.Close() // nobody waits any more, and the lock goes with it
		}
	}()
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case err := <-got:
		if err != nil {
			_ = f.Close()
			return fmt.Errorf("%w: it can't be locked: %w", ErrNoHighWater, err)
		}
		return nil
	case <-ctx.Done():
		close(gone)
		return ctx.Err()
	case <-timer.C:
		close(gone)
		return w.held(f)
	}
}

// held is the error of a lock that somebody keeps for too long.
func (w *highWater) held(f *os.File) error {
	return fmt.Errorf("%w: %s has been locked for %s by %s: let that process go on, or end it", ErrNoHighWater, f.Name(), w.wait, signed(f.Name()))
}

// signature is how long the note of a holder is, so that the next one covers it.
const signature = 160

// thisHost is the name of this machine, for people.
var thisHost = sync.OnceValue(func() string { host, _ := os.Hostname(); return host })

// sign notes who holds the lock. It helps people only, so no error matters.
func sign(f *os.File) {
	text := fmt.Sprintf("process %d (%s) of %s since %s", os.Getpid(), filepath.Base(os.Args[0]), thisHost(), stamp(time.Now()))
	_, _ = f.WriteAt(fmt.Appendf(nil, "%-*.*s\n", signature, signature, text), 0)
}

// signed reads what sign wrote.
func signed(name string) string {
	text, err := readSmall(name)
	if who := strings.TrimSpace(string(text)); err == nil && who != "" {
		return who
	}
	return "another process"
}
