package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// batchSize is how many writes share a transaction at most.
const batchSize = 256

// request is one write that waits for its transaction.
type request struct {
	// run does it inside the transaction. It returns errors of the database
	// only, which undo the whole transaction; a refusal is part of the answer.
	run func(*tx) error
	// answer tells the caller what run found, or err in its place.
	answer func(err error)
	// gone tells that the caller waits for no answer any more.
	gone func() bool
}

// write queues op and waits for the commit of its transaction, or for the end
// of ctx. An error of op that is not the database's own is a refusal: whatever
// op wrote before it is kept and committed.
func write[T any](ctx context.Context, s *store, op func(*tx) (T, error)) (T, error) {
	return share(ctx, s, func(tx *tx) (T, error) {
		if err := tx.drawn(); err != nil {
			var zero T
			return zero, err
		}
		return op(tx)
	})
}

// share is write for who minds [drawing].
func share[T any](ctx context.Context, s *store, op func(*tx) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	if ctx.Err() != nil {
		return zero, s.noAnswer(ctx, time.Now())
	}
	if s.config.ReadOnly {
		return zero, fmt.Errorf("ledger %s: %w", s.path, quota.ErrReadOnly)
	}
	began := time.Now()
	done := make(chan result, 1)
	var r result
	err := s.enqueue(request{
		run: func(tx *tx) error {
			// The caller may have gone; then there is no one to spend for.
			if ctx.Err() != nil {
				r.err = s.noAnswer(ctx, began)
				return nil
			}
			r.value, r.err = op(tx)
			if databaseError(r.err) {
				return r.err
			}
			return nil
		},
		answer: func(err error) {
			if err != nil {
				r = result{zero, err}
			}
			done <- r
		},
		gone: func() bool { return ctx.Err() != nil },
	})
	if err != nil {
		return zero, err
	}
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return zero, s.gate.noAnswer(ctx, began)
	}
}

func (s *store) enqueue(r request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return quota.ErrClosed
	}
	s.queue = append(s.queue, r)
	if s.drained == nil {
		s.drained = make(chan struct{})
		if s.woken == nil {
			s.woken = make(chan struct{}, 1)
			go s.work()
		}
		s.woken <- struct{}{} // there is room: who was woken before took it, and made drained nil since
	}
	return nil
}

// work is the one goroutine that uses the writing connection, until Close. It stays,
// because the engine needs a deep stack, which a new one would have to grow for
// each write.
func (s *store) work() {
	for range s.woken {
		s.drain()
	}
}

// drain works until the queue is empty. What comes while a transaction is being
// flushed is what the next one commits together.
func (s *store) drain() {
	for {
		s.mu.Lock()
		n := min(len(s.queue), batchSize)
		batch := s.queue[:n:n]
		s.queue = s.queue[n:]
		if n == 0 {
			s.queue = nil
			close(s.drained)
			s.drained = nil
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		// Who has gone waits for no gate: while somebody keeps that, more may come than go by
		// one wait after the other, and the queue would grow without end.
		if batch = slices.DeleteFunc(batch, func(r request) bool { return r.gone() }); len(batch) == 0 {
			continue
		}
		err := s.commit(batch)
		for _, r := range batch {
			r.answer(err)
		}
		if n > 1 {
			runtime.Gosched() // who was answered may ask again, and share the next flush
		}
	}
}

// commit runs a batch in one transaction. After its error nothing of the batch
// counts as done.
func (s *store) commit(batch []request) error {
	s.mu.Lock()
	poisoned := s.poisoned
	s.mu.Unlock()
	if poisoned != nil {
		return poisoned
	}
	err := s.gated(context.Background(), func() error {
		if err := s.same(); err != nil {
			if errors.Is(err, errMoved) {
				// What is in the journal, beside the old name, would not go with the file.
				err = errors.Join(err, s.writer.checkpoint())
			}
			return err
		}
		s.limit.begin()
		return s.writer.transact(func() error {
			tx := &tx{conn: s.writer, store: s, now: s.config.now(), allowance: s.info.Allowance}
			for _, r := range batch {
				if err := r.run(tx); err != nil {
					return err
				}
			}
			return tx.drawn()
		})
	})
	s.limit.end()
	if err == nil {
		return nil
	}
	if interrupted(err) {
		return s.endless(err)
	}
	err = fmt.Errorf("write ledger %s: %w", s.path, s.explain(err))
	if harmless(err) {
		return err
	}
	return s.poison(err)
}

// harmless tells errors after which the file is as it was: another process held
// the gate or the lock for too long, a constraint refused a row, a sum was none, no number was left for an entry, or the file got a
// second name, which can be taken away again.
func harmless(err error) bool {
	var last *lastEntryError
	if errors.As(err, &last) {
		return true
	}
	return errors.Is(err, quota.ErrBusy) || errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.CONSTRAINT) || overflows(err) || errors.Is(err, sqlite3.TOOBIG) || errors.Is(err, quota.ErrUnsafePlace)
}

// poison refuses all writes from now on.
func (s *store) poison(err error) error {
	err = fmt.Errorf("%w: %w", quota.ErrPoisoned, errors.Join(err, s.writer.abandon()))
	s.mu.Lock()
	s.poisoned = err
	s.mu.Unlock()
	s.reading.Lock()
	defer s.reading.Unlock()
	return errors.Join(err, s.reader.abandon())
}

// gated runs f while no other process writes.
func (s *store) gated(ctx context.Context, f func() error) error {
	if ctx.Err() != nil {
		return s.noAnswer(ctx, time.Now())
	}
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	err := f()
	return errors.Join(err, s.gate.unlock())
}
