package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"path/filepath"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// LedgerError is an error of the ledger: it is missing, refuses, or can't be
// relied on. Its text is that of the error it wraps.
type LedgerError struct{ Err error }

func (e *LedgerError) Error() string { return e.Err.Error() }

// Unwrap is the store's own error.
func (e *LedgerError) Unwrap() error { return e.Err }

// Failed marks an error as one of the ledger; nil stays nil.
func Failed(err error) error {
	if err == nil {
		return nil
	}
	return &LedgerError{err}
}

// endTimeout is how long the ledger may take to end a run. A run that is not
// ended expires: what it did not draw is free again half a minute later.
const endTimeout = 10 * time.Second

// DefaultGrace is how long the end of a run may take from a signal on, where
// nothing is said.
const DefaultGrace = 10 * time.Second

// End ends the run and fills the ledger's part of the bill in.
func (s *Session) End(ctx context.Context, bill *report.Bill) error {
	bill.Run, bill.Mode, bill.ModeLimitedBy, bill.MaxSpend = s.ID, s.Limit.Mode.String(), s.Limit.By, int(s.Max)
	bill.By(s.begun, s.who)
	if s.asked > s.Limit.Mode {
		bill.Asked = s.asked.String()
	}
	counted := counters(*bill)
	switch {
	case s.run == nil:
		bill.Run = ""
		s.left(ctx, bill)
		return nil
	case !s.Limit.Mode.Buys():
		// Nothing is lost when a replay can't be written down.
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = s.run.End(within, counted)
		s.left(ctx, bill)
		return nil
	}
	grace := cmp.Or(s.cfg.Grace, DefaultGrace)
	wait, cancel := after(ctx, grace*3/4)
	defer cancel()
	settle, cancel := after(ctx, grace*7/8)
	defer cancel()
	end, cancel := after(ctx, grace)
	defer cancel()
	if err := s.purchase.Finish(wait, settle); err != nil {
		s.warn("%v", err)
	}
	bill.Proxy = s.purchase.Proxies()
	if s.pacer != nil {
		if waited := s.pacer.Waited(); waited.Requests > 0 {
			bill.Waited = &report.Waited{Requests: waited.Requests, LongestMS: waited.Longest.Milliseconds(), TotalMS: waited.Total.Milliseconds()}
		}
	}
	ctx, cancel = context.WithTimeout(end, endTimeout)
	defer cancel()
	_, endErr := s.run.End(ctx, counted)
	bill.Recordings = s.written()
	info, infoErr := Counted(ctx, s.ledger.Account().Store, s.run, int64(bill.Spent))
	bill.Spent, bill.Unknown = int(info.Spent), int(info.Unknown)
	status, statusErr := s.ledger.Account().Store.Status(ctx)
	if statusErr == nil {
		left := max(int(status.Usable), 0)
		bill.Left = &left
	} else {
		bill.NotLeft = "the ledger can't be asked"
	}
	s.teller.Finish(ctx)
	return Failed(errors.Join(endErr, infoErr, statusErr))
}

// written names the files that have what the run bought. All of it is written down:
// the purchase is drained.
func (s *Session) written() *report.Recordings {
	w := s.store.Written()
	r := &report.Recordings{Dir: s.store.Dir(), Written: []string{}, Copies: w.Copies, Quarantined: w.Quarantined}
	for _, file := range w.Shared {
		if below, err := filepath.Rel(r.Dir, file); err == nil {
			r.Written = append(r.Written, filepath.ToSlash(below))
		}
	}
	return r
}

// after is a context that ends some time after ctx has, and not with it.
func after(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-later.Done():
		}
	})
	return later, func() { stop(); cancel() }
}

// counters are the bill's part of the ledger's end entry.
func counters(b report.Bill) quota.Counters {
	return quota.Counters{
		Requests: int64(b.Requests), Replayed: int64(b.Replayed), Mocked: int64(b.Mocked), Missed: int64(b.Missed),
		WouldSpend: int64(b.WouldHaveSpent),
	}
}

// dummyClient is a client of the mock identity service that is good for one run
// alone.
func dummyClient() mockidp.Client {
	return mockidp.Client{ID: "hsharness-" + NewID()[:8], Secrets: []mockidp.Secret{{Value: NewID()}}, Scopes: avalara.Scopes()}
}

// NewID is a random id, as no other one is.
func NewID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it ends the program rather than fail
	return hex.EncodeToString(b)
}
