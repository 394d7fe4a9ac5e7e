package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// mostWork is how long a transaction may work, in which spends take microseconds: what is on
// the tables of a ledger is looked at when it is opened, and a trigger without an end may come
// later. It is shorter than who asks waits, who is told which it is.
const mostWork = 8 * time.Second

// workLimit is the context of the connection that writes. The engine asks it for its end at
// each statement and while one works, and time is looked at once in many of these, so that
// it costs nothing, and a process that was stopped in a transaction ends it as it would have.
type workLimit struct {
	context.Context
	most  time.Duration
	asked int
	began time.Time // when it was looked at first; zero before
	on    bool      // in a transaction of a batch
}

// someWork is how often the engine asks before time is looked at: some milliseconds.
const someWork = 512

// begin starts a transaction's time, and end ends it.
func (l *workLimit) begin() { l.asked, l.began, l.on = 0, time.Time{}, true }

func (l *workLimit) end() { l.on = false }

// Err is the end of a transaction whose time is over.
func (l *workLimit) Err() error {
	if l.asked++; !l.on || l.asked%someWork != 0 {
		return nil
	}
	if l.began.IsZero() {
		l.began = time.Now()
	}
	if time.Since(l.began) < l.most {
		return nil
	}
	l.asked-- // and from now on
	return context.DeadlineExceeded
}

// endless says what came of a transaction whose time was over: what somebody put on the tables
// since, if that is it. Then nothing more is written, for the next one would take as long.
func (s *store) endless(err error) error {
	version, failed := s.writer.version()
	if failed == nil {
		failed = s.writer.intact(context.Background(), version)
	}
	if errors.Is(failed, quota.ErrDamaged) {
		failed = fmt.Errorf("write ledger %s: %w", s.path, failed)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.poisoned = failed
		return failed
	}
	return fmt.Errorf("write ledger %s: it worked for more than %s, and was undone (%w)", s.path, s.limit.most, err)
}

// interrupted tells the error of a statement whose time was over.
func interrupted(err error) bool { return errors.Is(err, sqlite3.INTERRUPT) }
