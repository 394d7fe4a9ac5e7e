package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hsharness/hsharness/quota"
)

// leastPatience is how long a call may take at least, with all its repetitions,
// and twice as long as a statement may.
const leastPatience = 30 * time.Second

// call is one call of a method: how long it may take, and what it is called when
// it takes longer.
type call struct {
	doing string
	began time.Time
	outer context.Context // the caller's
	ctx   context.Context // ends with outer, or when the limit has passed
	end   context.CancelFunc
	tries int // how often it is tried at most
}

// quick starts a call that must be done soon, whoever holds what.
func (s *store) quick(ctx context.Context, doing string) *call {
	limited, end := context.WithTimeout(ctx, s.patience)
	return &call{doing, time.Now(), ctx, limited, end, attempts}
}

// slow starts a call whose time depends on the length of the journal. It keeps
// nobody waiting; that the server is gone is noticed by [keepAlive].
func (s *store) slow(ctx context.Context, doing string) *call {
	return &call{doing, time.Now(), ctx, ctx, func() {}, attempts}
}

// readPatience reads how long a statement may take.
func (s *store) readPatience(ctx context.Context, conn *pgconn.PgConn) error {
	row, err := texts(ctx, conn, "SELECT extract(epoch FROM current_setting('statement_timeout')::interval)::float8")
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(row[0], 64)
	if err != nil {
		return own(fmt.Errorf("statement_timeout: %w", err))
	}
	s.patience = max(leastPatience, 2*time.Duration(seconds*float64(time.Second)))
	return nil
}

// noAnswer is the error of a call whose time is up.
func (s *store) noAnswer(c *call) error {
	e := &quota.NoAnswerError{Ledger: s.place, Doing: c.doing, Waited: time.Since(c.began), Err: c.outer.Err()}
	if e.Err == nil {
		e.Err = context.DeadlineExceeded
	}
	if errors.Is(e.Err, context.DeadlineExceeded) {
		e.Holder = s.holder(context.WithoutCancel(c.outer))
	}
	return e
}

// holderSQL finds who holds something of the ledger and waits for nothing itself,
// since the longest time.
const holderSQL = `SELECT a.pid, a.application_name, coalesce(a.state, ''), coalesce(to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
	FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
	WHERE l.relation IN (to_regclass('hsharness.ledger'), to_regclass('hsharness.run'), to_regclass('hsharness.entry'))
		AND l.granted AND l.mode <> 'AccessShareLock' AND l.pid <> pg_backend_pid()
		AND NOT EXISTS (SELECT FROM pg_locks AS wait WHERE wait.pid = l.pid AND NOT wait.granted)
	ORDER BY a.xact_start NULLS LAST LIMIT 1`

// holderWait is how long it may take to find out who holds something: whoever
// wants to know has waited already.
const holderWait = 500 * time.Millisecond

// holder says who holds the ledger, for a message; empty is that it is not known.
// What others do is told to their own role and to few others.
func (s *store) holder(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, holderWait)
	defer cancel()
	var pid int
	var name, state, since string
	if err := s.pool.QueryRow(ctx, holderSQL).Scan(&pid, &name, &state, &since); err != nil {
		return ""
	}
	text := fmt.Sprintf("process %d of the server", pid)
	for _, more := range []string{name, state} {
		if more != "" {
			text += ", " + more
		}
	}
	if since != "" {
		text += ", since " + since
	}
	return text
}
