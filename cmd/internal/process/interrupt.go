package process

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Interrupt is the cause of a context that a signal ended.
type Interrupt struct{ signal os.Signal }

func (e *Interrupt) Error() string { return "ended by " + e.signal.String() }

// Code is the exit code of a program that the signal ended.
func (e *Interrupt) Code() int {
	if s, ok := e.signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return 1
}

// echo is how soon after a signal another one is the same. Whoever sends one to a
// process and to its group, as timeout and a terminal with a shell between do, sends it
// twice at once, and nobody presses a key so soon again.
const echo = 250 * time.Millisecond

// Interruptible ends the context with an [Interrupt] on SIGINT and SIGTERM, and on a hangup
// that is not ignored: a terminal that is closed must not cost what is paid for and under
// way. A second one ends the program at once, and what is under way is lost.
func Interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	notify(signals, syscall.SIGHUP)
	over := make(chan struct{})
	go watch(signals, over, cancel, func() { signal.Stop(signals) })
	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals)
		close(over)
		cancel(nil)
	})
}

// Unless gives what do gives, unless the context is over first: then its cause is the error, and
// what do still does is lost. It is for what asks no context, such as reading a file that somebody
// is still writing.
func Unless[T any](ctx context.Context, do func() (T, error)) (T, error) {
	var got T
	done := make(chan error, 1)
	go func() {
		v, err := do()
		got = v
		done <- err
	}()
	select {
	case err := <-done:
		return got, err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// watch cancels with the first signal, and lets go of the next once it can't be the
// same one any more.
func watch(signals <-chan os.Signal, over <-chan struct{}, cancel context.CancelCauseFunc, letGo func()) {
	select {
	case s := <-signals:
		cancel(&Interrupt{s})
	case <-over:
		return
	}
	select {
	case <-time.After(echo):
		letGo()
	case <-over:
	}
}
