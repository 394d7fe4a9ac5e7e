// Package notice decides what is told of an allowance: which marks its balance has
// passed, and that each is told once. It is the rule that all stores share, and the
// contract of those that keep notices; it sends nothing, and may touch package quota
// and the list of hosts that are never called.
package notice

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/quota"
)

// Mark is what one wants to be told of: a share of what was granted, such as 70%, or
// Exhausted or Blocked.
type Mark string

const (
	// Exhausted is passed when the service said that nothing is left, or nothing is left
	// for ordinary runs.
	Exhausted Mark = "exhausted"
	// Blocked is that a run was refused: once a day of UTC by the same rule.
	Blocked Mark = "blocked"
)

// ParseMark reads a mark. The error of a text that is none says so, without the text.
func ParseMark(text string) (Mark, error) {
	switch m := Mark(text); m {
	case Exhausted, Blocked:
		return m, nil
	}
	digits, ok := strings.CutSuffix(text, "%")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || n > 100 || digits != strconv.FormatInt(n, 10) {
		return "", errors.New("it is neither a percentage from 1% to 100% nor exhausted nor blocked")
	}
	return Mark(text), nil
}

// percent is the share that a mark is, 0 for one that is none.
func (m Mark) percent() int64 {
	digits, ok := strings.CutSuffix(string(m), "%")
	if !ok {
		return 0
	}
	n, _ := strconv.ParseInt(digits, 10, 64) // it was parsed
	return n
}

// ReadURL reads where a hook is. It has to be https, except on loopback, and is never a
// host of production. No error repeats the text, which is a secret.
func ReadURL(text string) (*url.URL, error) {
	u, at, err := avalara.ReadURL(text)
	switch {
	case err != nil:
		return nil, err
	case at.Production():
		return nil, &ProductionError{at.Name}
	case u.Scheme != "https" && !at.Loopback():
		return nil, errors.New("it must begin with https://, except on loopback")
	}
	return u, nil
}

// ProductionError refuses a hook at a host of production, which hsharness never calls.
type ProductionError struct{ Host string }

func (e *ProductionError) Error() string {
	return e.Host + " is production, which hsharness never calls"
}

// Hook is who is told, as the ledger knows it.
type Hook struct {
	// Name tells it from others, and has no secret. Another name is another hook.
	Name string
	// At are the marks that it is told of.
	At []Mark
}

// Notice is one thing to tell one hook.
type Notice struct {
	// ID is the same whenever it is sent.
	ID string
	// Hook is the name of who is told.
	Hook string
	Mark Mark
	// Rule is what refused, for Blocked; else it is empty.
	Rule string
	// Epoch is the day since 1970, for Blocked; else the Seq of the grant or
	// reconciliation that armed the mark again, 0 for the first time.
	Epoch int64
	// At is the state of the allowance when it was noted.
	At Moment
	// Armed is the Seq of the entry that armed the mark again since then, 0 for none.
	Armed int64

	// Tries counts the attempts, and Why says why the last one failed.
	Tries int64
	Why   string
	// Next is when it is tried again. Zero is at once.
	Next time.Time
}

// Moment is the state of an allowance after an entry. Figures are in units.
type Moment struct {
	Time                        time.Time
	Ledger                      string
	Seq                         int64
	Granted, Spent, Held, Floor int64
	// Exhausted is that the service said so.
	Exhausted bool
}

// Left is what ordinary runs may still begin with.
func (m Moment) Left() int64 { return m.Granted - m.Spent - m.Held - m.Floor }

// passed tells whether a share is spent, or nothing is left. What is held may come back,
// and passes no mark.
func (m Moment) passed(mark Mark) bool {
	if mark == Exhausted {
		return m.Exhausted || m.Granted-m.Spent-m.Floor <= 0
	}
	return m.Granted > 0 && m.Spent*100 >= mark.percent()*m.Granted
}

// Outcome is what became of an attempt to tell.
type Outcome struct {
	ID string
	// By is who claimed it. A failure of somebody whose claim has passed changes nothing.
	By        string
	Delivered bool
	// Why says why not, without a secret, and Wait how long it is left alone, by the clock of
	// the ledger: that of a machine may be far behind it.
	Why  string
	Wait time.Duration
}

// Store is a ledger that keeps notices. They are beside its journal: no balance depends
// on them. Every method may be called by many processes at once. The stores of package
// quota have it.
type Store interface {
	// NoteNotices writes down what the hooks are to be told and were not, by [Note].
	NoteNotices(ctx context.Context, hooks []Hook) error
	// ClaimNotice gives a notice for one of the hooks that is not delivered, due and not
	// claimed by anybody else, until the lease has passed: of those that were tried least
	// the oldest, so that a hook that hangs keeps no other waiting. False is that there is none.
	ClaimNotice(ctx context.Context, hooks []string, by string, lease time.Duration) (Notice, bool, error)
	// SettleNotice notes what became of it.
	SettleNotice(ctx context.Context, outcome Outcome) error
	// Undelivered are the notices that were not delivered, oldest first.
	Undelivered(ctx context.Context) ([]Notice, error)
}

// Of is the part of a ledger that keeps notices, or an error that says which can't.
func Of(store quota.Store) (Store, error) {
	if s, ok := store.(Store); ok {
		return s, nil
	}
	return nil, fmt.Errorf("a ledger in a %T keeps no notices", store)
}

// identify gives a notice its id.
func (n Notice) identify() Notice {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d", n.At.Ledger, n.Hook, n.Mark, n.Rule, n.Epoch))
	n.ID = hex.EncodeToString(sum[:16])
	return n
}

// rule names what refused a run, as [Notice.Rule].
func rule(e quota.Entry) string {
	if len(e.Refusals) == 0 {
		return "the ledger"
	}
	r := e.Refusals[0]
	if r.Budget > 0 {
		return fmt.Sprintf("%s of budget %d", r.Rule, r.Budget)
	}
	return cmp.Or(r.Rule, "the ledger")
}
