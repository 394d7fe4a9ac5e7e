package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/hsharness/hsharness/quota"
)

// The SQLSTATEs that mean something here:
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	uniqueViolation = "23505"
	// What the triggers say. It happens to a refund of a spend that another call
	// was writing, while a third one ends the run.
	refusedByTrigger      = "23000"
	undefinedTable        = "42P01"
	undefinedColumn       = "42703"
	insufficientPrivilege = "42501"
	queryCanceled         = "57014"
	lockNotAvailable      = "55P03" // its lock_timeout, which a role may have
	serializationFailure  = "40001"
	deadlockDetected      = "40P01"
	idleInTransaction     = "25P03"
	notInCharacterSet     = "22021"
	noUnicodeEscape       = "22P05"
	outOfRange            = "22003"
	// Of a prepared statement: it is in another session.
	noSuchStatement  = "26000"
	statementIsThere = "42P05"
)

// code is the SQLSTATE of an error of the server, else empty.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// ownError is an error in our own words, which goes to the caller as it is.
type ownError struct{ error }

func (e *ownError) Unwrap() error { return e.error }

func own(err error) error { return &ownError{err} }

// errMoved says that what refused an operation was not there any more when it
// was looked for.
var errMoved = errors.New("the ledger changed while it was read")

// repeatable tells errors after which the same operation may be tried again:
// those of the connection, after which its outcome is unknown, and those of
// other transactions, after which it has not happened.
func repeatable(ctx context.Context, err error) bool {
	var o *ownError
	var large *pgproto3.ExceededMaxBodyLenErr
	var long *tooLongError
	if ctx.Err() != nil || errors.As(err, &o) || errors.As(err, &large) || errors.As(err, &long) {
		return false
	}
	state := code(err)
	switch state {
	case "": // not the server's: the connection
		return true
	case refusedByTrigger, uniqueViolation, serializationFailure, deadlockDetected, idleInTransaction:
		return true
	}
	// 08 is the connection, 57P the server that stops or starts.
	return strings.HasPrefix(state, "08") || strings.HasPrefix(state, "57P")
}

// translate puts an error of the driver into words of the ledger. The driver's
// own types end here: callers must not build on them.
func (s *store) translate(c *call, err error) error {
	var o *ownError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &o):
		return o.error
	case s.closed.Load():
		return quota.ErrClosed
	case c.ctx.Err() != nil:
		return s.noAnswer(c)
	case errors.Is(err, context.DeadlineExceeded): // of the attempt to connect
		return fmt.Errorf("ledger %s: %w within %s", s.place, quota.ErrUnreachable, time.Since(c.began).Round(10*time.Millisecond))
	}
	if large := s.large(c.ctx, err); large != nil {
		return large
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) { // its own text has the name of the user
		err = connect.Unwrap()
		// No word of the server's, or that it is starting or stopping.
		if state := code(err); state == "" || strings.HasPrefix(state, "57P") {
			return s.unreachable(err)
		}
	}
	what := ""
	switch code(err) {
	case queryCanceled, lockNotAvailable:
		if holder := s.holder(c.outer); holder != "" {
			return fmt.Errorf("%w: ledger %s did not answer in time to %s, within %s: it is held by %s",
				quota.ErrBusy, s.place, c.doing, time.Since(c.began).Round(10*time.Millisecond), holder)
		}
		what = "it did not answer in time: "
	case insufficientPrivilege:
		what = "the role may not do this: "
	case outOfRange: // no sum of what a ledger can have is that much
		return &damagedError{s.place, err.Error()}
	case undefinedTable, undefinedColumn:
		return &damagedError{s.place, "its tables are not as they were: " + err.Error()}
	case noSuchStatement, statementIsThere:
		return s.stop(s.pooled(err.Error()))
	case notInCharacterSet, noUnicodeEscape:
		what = "a text is not UTF-8 or has a zero byte: "
	}
	return fmt.Errorf("ledger %s: %s%s", s.place, what, begins(err.Error()))
}

// unreachable is the error of a server that could not be spoken to. The driver says
// the same once more where it tried with and without TLS.
func (s *store) unreachable(err error) error {
	lines := slices.Compact(strings.Split(err.Error(), "\n"))
	return fmt.Errorf("ledger %s: %w: %s", s.place, quota.ErrUnreachable, strings.Join(lines, "; "))
}
