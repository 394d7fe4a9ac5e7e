package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/holder"
	"github.com/hsharness/hsharness/quota"
)

// gate is the side file whose lock lets one process write at a time. The lock
// belongs to the open file, so the kernel drops it with the process, and with
// nothing less: who is stopped inside keeps it, because it may go on at any
// moment, and the others are refused.
type gate struct {
	path string
	wait time.Duration // how long to wait for it

	like  os.FileInfo // the ledger's file, whose mode it has
	seen  sight
	bound int64 // the byte that it holds for the ledger's file; 0 without

	mu    sync.Mutex
	f     *os.File
	queue *turn // the wait for the lock that is under way; nil without
}

// turn is a place in the kernel's queue for the lock, which can't be left: if
// nobody wants it any more when it comes, the lock is let go.
type turn struct {
	came   chan error
	wanted bool
}

// signAt is where the holder signs, beside the byte that is locked on Windows.
const signAt = 16

func openGate(path string, like os.FileInfo, wait time.Duration) (*gate, error) {
	g := &gate{path: path, like: like, wait: wait}
	if err := g.open(); err != nil {
		return nil, err
	}
	return g, nil
}

// open opens the file of that name, or makes it.
func (g *gate) open() error {
	for range 100 {
		f, err := openBeside(g.path, g.like)
		if err != nil {
			return cantWrite(g.path, err)
		}
		seen, err := see(g.path)
		ours, err1 := f.Stat()
		named, err2 := os.Lstat(g.path)
		if err == nil && err1 == nil && err2 == nil && os.SameFile(ours, named) {
			g.f, g.seen = f, seen
			return nil
		}
		_ = f.Close() // somebody removed it just now
	}
	return fmt.Errorf("%w: %s is removed again and again", quota.ErrUnsafePlace, g.path)
}

// enter takes the lock of the file that has the gate's name: if somebody removed
// it meanwhile, others are at a new one.
func (g *gate) enter(ctx context.Context) error {
	for {
		if err := g.lock(ctx); err != nil {
			return err
		}
		seen, err := see(g.path)
		if err == nil && seen.is(g.seen) {
			return nil
		}
		g.mu.Lock()
		old := g.f
		err = g.open()
		g.mu.Unlock()
		if err != nil {
			return errors.Join(err, unlock(old))
		}
		if err := errors.Join(release(old), old.Close(), g.rebind()); err != nil {
			return err
		}
	}
}

// lock waits in the kernel's queue, which is fair where polling is not, but no
// longer than ctx and the gate's own limit allow.
func (g *gate) lock(ctx context.Context) error {
	began := time.Now()
	g.mu.Lock()
	t := g.queue
	if t == nil {
		if ok, err := tryLock(g.f); ok || err != nil {
			g.mu.Unlock()
			return g.entered(err)
		}
		t = &turn{came: make(chan error, 1)}
		g.queue = t
		go g.stand(t, g.f)
	}
	t.wanted = true
	g.mu.Unlock()

	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case err := <-t.came:
		return g.entered(err)
	case <-ctx.Done():
	case <-timer.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case err := <-t.came: // just now
		return g.entered(err)
	default:
	}
	t.wanted = false
	if err := ctx.Err(); err != nil {
		return g.noAnswer(ctx, began)
	}
	return fmt.Errorf("%w: after %s %s still has not let go of %s",
		quota.ErrBusy, time.Since(began).Round(10*time.Millisecond), g.holder(), g.path)
}

// noAnswer is the error of a call whose context ended before its turn came.
func (g *gate) noAnswer(ctx context.Context, began time.Time) error {
	return &quota.NoAnswerError{Ledger: strings.TrimSuffix(g.path, lockSuffix), Waited: time.Since(began), Holder: g.holder(), Err: ctx.Err()}
}

// stand waits for the turn.
func (g *gate) stand(t *turn, f *os.File) {
	err := waitLock(f)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queue = nil
	if t.wanted {
		t.came <- err
	} else if err == nil {
		_ = unlock(f) // the file may be closed, and then it is let go
	}
}

// entered signs for the lock.
func (g *gate) entered(err error) error {
	if err != nil {
		return fmt.Errorf("lock %s: %w", g.path, err)
	}
	holder.Sign(g.f, signAt, "")
	return nil
}

// holder tells who has the lock.
func (g *gate) holder() string { return holder.Who(g.f, signAt, "") }

func (g *gate) unlock() error { return unlock(g.f) }

func (g *gate) close() error {
	if g == nil {
		return nil
	}
	return errors.Join(release(g.f), g.f.Close())
}
