package recording

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/holder"
)

// Lock is the single flight of a key: it waits until no goroutine and no process
// that shares the folder holds it. The holder looks again with [Store.Get], buys
// what is still missing, and calls unlock after [Store.Put]; more calls of
// unlock do nothing. The lock of a process that dies is free. ctx ends only the
// wait; the error then wraps its cause. A store that shares, see [Store.Share], waits
// for other machines too, and what they bought is in the folder when it has the lock.
func (s *Store) Lock(ctx context.Context, k Key) (unlock func(), err error) {
	what := "who buys the answer to the same " + k.Inputs.Method + " " + k.Inputs.Path
	if k.Inputs.Method == "" { // the caller knows its name alone
		what = "who buys the recording " + k.short()
	}
	leave, err := s.lock(ctx, "flight-"+k.Sum, what, flightWait)
	if err != nil || s.sharing == nil {
		return leave, err
	}
	release, err := s.claim(ctx, k)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { release(); leave() }, nil
}

// lockWrite is for one writer a file name, not a key: two keys may begin alike.
func (s *Store) lockWrite(ctx context.Context, short string) (unlock func(), err error) {
	return s.lock(ctx, "write-"+short, "who writes the recording "+short, cmp.Or(s.writeWait, writeWait))
}

// flights are this process's locks: goroutines wait for each other here, and
// only one of them for other processes.
type flights struct {
	mu   sync.Mutex
	held map[string]*flight
}

type flight struct {
	turn    chan struct{} // holds a token while somebody has the lock
	waiting int           // goroutines that hold or want it
	ended   atomic.Int64  // how often one of them had it and let go of it
}

// join counts a goroutine that wants the lock of name, until drop.
func (f *flights) join(name string) (one *flight, drop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil {
		f.held = make(map[string]*flight)
	}
	one = f.held[name]
	if one == nil {
		one = &flight{turn: make(chan struct{}, 1)}
		f.held[name] = one
	}
	one.waiting++
	return one, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if one.waiting--; one.waiting == 0 {
			delete(f.held, name)
		}
	}
}

// enter waits for the turn, which leave ends.
func (one *flight) enter(ctx context.Context) error {
	select {
	case one.turn <- struct{}{}: // nothing to wait for, so ctx does not matter
		return nil
	default:
	}
	select {
	case one.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (one *flight) leave() { <-one.turn }

// patient returns a context that ends with ctx, or when nobody of this process has let go
// of the lock for as long as limit: a queue of many is no lock that somebody keeps.
func (one *flight) patient(ctx context.Context, limit time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var mu sync.Mutex // the timer's, which may be due before it has its name
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	seen := one.ended.Load()
	timer = time.AfterFunc(limit, func() {
		mu.Lock()
		defer mu.Unlock()
		if now := one.ended.Load(); now != seen && ctx.Err() == nil {
			seen = now
			timer.Reset(limit)
			return
		}
		cancel(context.DeadlineExceeded)
	})
	return ctx, func() {
		cancel(nil)
		mu.Lock()
		defer mu.Unlock()
		timer.Stop()
	}
}

// How long a lock is waited for while one and the same keeps it: of a purchase, which may
// take its time, and of a write, which may not.
const (
	flightWait = 5 * time.Minute
	writeWait  = 10 * time.Second
)

// HeldError is a lock that somebody keeps for too long. Nothing is taken from it,
// since it may go on at any moment.
type HeldError struct {
	// What is who was waited for, Holder which process that is.
	What, Holder string
	Waited       time.Duration
	// Cause is why it was not waited for any longer.
	Cause error
}

// Error says who holds the lock and what to do.
func (e *HeldError) Error() string {
	return fmt.Sprintf("recordings: waited %s for %s: it is held by %s: let that process go on, or end it", e.Waited.Round(10*time.Millisecond), e.What, e.Holder)
}

// Unwrap is the cause.
func (e *HeldError) Unwrap() error { return e.Cause }

// lock takes the named lock, in this process and then among processes. An error says
// whom it waited for.
func (s *Store) lock(ctx context.Context, name, who string, limit time.Duration) (unlock func(), err error) {
	began := time.Now()
	one, drop := s.flights.join(name)
	ctx, stop := one.patient(ctx, limit)
	defer stop()
	held := func(holder string) error {
		return &HeldError{What: who, Holder: holder, Waited: time.Since(began), Cause: context.Cause(ctx)}
	}
	if err := one.enter(ctx); err != nil {
		drop()
		return nil, held("this process itself")
	}
	letGo, holder, err := s.lockRange(ctx, name)
	if err != nil {
		one.leave()
		drop()
		if holder != "" {
			return nil, held(holder)
		}
		return nil, fmt.Errorf("recordings: wait for %s: %w", who, err)
	}
	return sync.OnceFunc(func() { letGo(); one.ended.Add(1); one.leave(); drop() }), nil
}

// lockRange asks again and again, because a blocked file lock can't be called
// off; the wait between grows from 1 to 32 ms. If ctx ends first it tells who holds
// the lock.
func (s *Store) lockRange(ctx context.Context, name string) (unlock func(), by string, err error) {
	at := rangeOf(name)
	sign, slot := strconv.FormatInt(at, 36), at%slots*holder.Size
	for pause := time.Millisecond; ; pause = min(2*pause, 32*time.Millisecond) {
		f, err := s.locks.open(s.private)
		if err != nil {
			return nil, "", err
		}
		if ok, err := tryLock(f, at); err != nil {
			return nil, "", err
		} else if ok {
			holder.Sign(f, slot, sign)
			return func() { unlockRange(f, at) }, "", nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, holder.Who(f, slot, sign), context.Cause(ctx)
		}
	}
}

// slots is how many places the lock file has for signatures. Two locks may share
// one, and then the later holder is named, or nobody.
const slots = 256

// rangeOf is the byte of the lock file that stands for a name. That two names
// share one is as likely as two equal keys of 63 bits, and makes them wait.
func rangeOf(name string) int64 {
	sum := sha256.Sum256([]byte(name))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// lockFile is the one file on whose bytes all locks of a folder are: nothing is
// made and removed for each, which would cost more than the lock.
type lockFile struct {
	mu sync.Mutex
	f  *os.File
}

// open returns the file, opened anew if somebody removed it meanwhile. The old
// one then lives as long as locks on it do.
func (l *lockFile) open(private string) (*os.File, error) {
	name := filepath.Join(private, "recordings.lock")
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		ours, err1 := l.f.Stat()
		named, err2 := os.Stat(name)
		if err1 == nil && err2 == nil && os.SameFile(ours, named) {
			return l.f, nil
		}
	}
	if err := hide(private, private); err != nil {
		return nil, err
	}
	f, err := files.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o660) // like the ledger beside it: the group may share it
	if err != nil {
		return nil, err
	}
	l.f = f
	return f, nil
}
