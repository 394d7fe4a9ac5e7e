package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hsharness/hsharness/quota"
)

// How long a pooler may take to give two connections, how long it is asked for them
// in all, and the longest pause between; and how long it may then take to show that a
// connection has a session of its own.
const (
	pairWait   = 2 * time.Second
	pairsWait  = 20 * time.Second
	pairsPause = time.Second
	poolerWait = 5 * time.Second
)

// errPooler says that a connection leads through a pooler.
var errPooler = errors.New("there is a pooler")

// errNoPair says that a pooler did not give two connections in time.
var errNoPair = errors.New("a pooler there did not give two connections at a time")

// poolerKey marks a connection that leads to the server through a pooler.
const poolerKey = "hsharness pooler"

// behindPooler notes whether a connection leads through a pooler: the process
// that a pooler named at login is not the one that runs the statements.
func behindPooler(conn *pgconn.PgConn, pid string) {
	conn.CustomData()[poolerKey] = pid != fmt.Sprint(conn.PID())
}

// pooled is the refusal of a pooler that hands out sessions by the transaction.
func (s *store) pooled(seen string) error {
	return fmt.Errorf("%w: %s: %s: a pooler there hands out a session for one transaction only (transaction or statement pooling), so the settings that keep a unit from being lost hold for somebody else: set pool_mode = session for this database, or name the server itself",
		quota.ErrUnsafePlace, s.place, seen)
}

// ownSessions makes sure that the connections through a pooler have a session each.
// Equal settings prove nothing: a pooler with nothing else to do gives the same
// session for each transaction. So it is asked for something that only a session of
// its own can do. Two connections must have two processes of the server, one
// connection one, and a notification must reach a connection that is idle: where
// sessions are handed out by the transaction it has none then, and nothing that
// could reach it.
//
// Whatever this does not find, such as a pooler that pretends to be the server,
// each change does: it looks at the session that it runs in, see markSQL.
func (s *store) ownSessions(ctx context.Context, config *pgx.ConnConfig) error {
	for began := time.Now(); ; {
		first, second, err := pair(ctx, config)
		if err == nil {
			err = s.tryPooler(ctx, first, second)
			_ = first.Close(context.WithoutCancel(ctx)) // they have done their work
			_ = second.Close(context.WithoutCancel(ctx))
			return err
		}
		if !errors.Is(err, errNoPair) {
			return err
		}
		if time.Since(began) > pairsWait {
			return own(fmt.Errorf("%w: %s: %w, within %s, which it takes to find out whether each has a session of its own: raise its pool_size, or name the server itself",
				quota.ErrUnsafePlace, s.place, errNoPair, pairsWait))
		}
		// Many that start at once may each have one and wait for another.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(mathrand.N(pairsPause)):
		}
	}
}

const pidSQL = "SELECT pg_backend_pid()"

// pair makes two connections at once, both of which have a process of the server. A
// pooler serves those first who asked first, so asking for both at once leaves few
// who have one and wait for another.
func pair(ctx context.Context, config *pgx.ConnConfig) (first, second *pgx.Conn, err error) {
	limited, cancel := context.WithTimeout(ctx, pairWait)
	defer cancel()
	var conns [2]*pgx.Conn
	var errs [2]error
	var both sync.WaitGroup
	for i := range conns {
		both.Go(func() {
			if conns[i], errs[i] = pgx.ConnectConfig(limited, config); errs[i] == nil {
				_, errs[i] = texts(limited, conns[i].PgConn(), pidSQL)
			}
		})
	}
	both.Wait()
	if err = errors.Join(errs[:]...); err == nil {
		return conns[0], conns[1], nil
	}
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close(context.WithoutCancel(ctx)) // the other error counts
		}
	}
	if limited.Err() != nil && ctx.Err() == nil {
		err = errNoPair
	}
	return nil, nil, err
}

func (s *store) tryPooler(ctx context.Context, first, second *pgx.Conn) error {
	var pids [3]string
	for i, conn := range []*pgx.Conn{first, second, first} {
		row, err := texts(ctx, conn.PgConn(), pidSQL)
		if err != nil {
			return err
		}
		pids[i] = row[0]
	}
	switch {
	case pids[0] == pids[1]:
		return own(s.pooled("two connections have one session, that of process " + pids[0]))
	case pids[0] != pids[2]:
		return own(s.pooled(fmt.Sprintf("one connection has two sessions, those of the processes %s and %s", pids[0], pids[2])))
	}
	limited, cancel := context.WithTimeout(ctx, poolerWait)
	defer cancel()
	return s.hears(limited, first, second)
}

// hears makes sure that a notification reaches an idle connection.
func (s *store) hears(ctx context.Context, conn, second *pgx.Conn) error {
	channel := "hsharness_" + strings.ToLower(rand.Text())
	if err := conn.PgConn().Exec(ctx, "LISTEN "+channel).Close(); err != nil {
		return err
	}
	if err := second.PgConn().Exec(ctx, "NOTIFY "+channel).Close(); err != nil {
		return err
	}
	if _, err := conn.WaitForNotification(ctx); err != nil {
		if ctx.Err() != nil {
			return own(s.pooled(fmt.Sprintf("an idle connection got no notification within %s", poolerWait)))
		}
		return err
	}
	return nil
}
