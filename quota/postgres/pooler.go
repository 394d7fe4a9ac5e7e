package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hsharness/hsharness/quota"
)

// poolerWait is how long a pooler may take to show that a connection has a
// session of its own.
const poolerWait = 5 * time.Second

// poolerKey marks a connection that leads to the server through a pooler.
const poolerKey = "hsharness pooler"

// behindPooler notes whether a connection leads through a pooler: the process
// that a pooler named at login is not the one that runs the statements.
func behindPooler(conn *pgconn.PgConn, pid string) {
	conn.CustomData()[poolerKey] = pid != fmt.Sprint(conn.PID())
}

// pooled is the refusal of a pooler that hands out sessions by the transaction.
func (s *Store) pooled(seen string) error {
	return fmt.Errorf("%w: %s: %s: a pooler there hands out a session for one transaction only (transaction or statement pooling), so the settings that keep a unit from being lost hold for somebody else: set pool_mode = session for this database, or name the server itself",
		quota.ErrUnsafePlace, s.place, seen)
}

// ownSession makes sure that a connection has a session of its own, where it leads
// through a pooler. Equal settings prove nothing: a pooler with nothing else to
// do gives the same session for each transaction. So it is asked for something
// that only a session of its own can do. Its server process must not be that of a
// second connection, and a notification must reach it while it is idle: where
// sessions are handed out by the transaction an idle connection has none, and
// nothing that could reach it.
//
// Whatever this does not find, such as a pooler that pretends to be the server,
// each change does: it looks at the session that it runs in, see markSQL.
func (s *Store) ownSession(ctx context.Context, conn *pgx.Conn) error {
	if conn.PgConn().CustomData()[poolerKey] != true {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, poolerWait)
	defer cancel()
	err := s.tryPooler(limited, conn)
	var o *ownError
	if errors.As(err, &o) || ctx.Err() != nil {
		return err
	}
	if limited.Err() != nil {
		return own(fmt.Errorf("%w: %s: a pooler there gave no second connection within %s, which is needed to find out whether each has a session of its own: raise its pool_size, or name the server itself",
			quota.ErrUnsafePlace, s.place, poolerWait))
	}
	return err
}

func (s *Store) tryPooler(ctx context.Context, conn *pgx.Conn) (err error) {
	second, err := pgx.ConnectConfig(ctx, conn.Config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, second.Close(context.WithoutCancel(ctx))) }()
	const pidSQL = "SELECT pg_backend_pid()"
	one, err := texts(ctx, conn.PgConn(), pidSQL)
	if err != nil {
		return err
	}
	two, err := texts(ctx, second.PgConn(), pidSQL)
	if err != nil {
		return err
	}
	again, err := texts(ctx, conn.PgConn(), pidSQL)
	switch {
	case err != nil:
		return err
	case one[0] == two[0]:
		return own(s.pooled("two connections have one session, that of process " + one[0]))
	case one[0] != again[0]:
		return own(s.pooled(fmt.Sprintf("one connection has two sessions, those of the processes %s and %s", one[0], again[0])))
	}
	return s.hears(ctx, conn, second)
}

// hears makes sure that a notification reaches an idle connection.
func (s *Store) hears(ctx context.Context, conn, second *pgx.Conn) error {
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
	return conn.PgConn().Exec(ctx, "UNLISTEN "+channel).Close()
}
