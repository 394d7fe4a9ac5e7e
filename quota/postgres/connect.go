package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hsharness/hsharness/quota"
)

// connectWait is how long one attempt to connect may take, unless
// connect_timeout in the connection string says something else.
const connectWait = 10 * time.Second

// keepAlive finds out within half a minute that the server's machine is gone or cut
// off, whatever it was asked for.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// misplaced tells that a name looks like user:password@host. With a slash too many, as in
// postgres:///user:password@host/name, that is the database's, which all messages have.
func misplaced(name string) bool {
	_, after, colon := strings.Cut(name, ":")
	return colon && strings.Contains(after, "@")
}

// misplacedBelow tells that the rest of a password seems to stand in a path: where it has a
// slash behind its first digits, as in postgres://user:12/34@host/name, these are a port. In a
// database's name that is meant an @ is written %40.
func misplacedBelow(dsn string) bool {
	u, err := url.Parse(dsn)
	return err == nil && u.User == nil && (u.Port() != "" || strings.HasSuffix(u.Host, ":")) && strings.Contains(u.EscapedPath(), "@")
}

// connect makes the pool. It connects once, so that a server that can't be
// reached or trusted is an error now.
func (s *store) connect(ctx context.Context) error {
	config, err := pgxpool.ParseConfig(s.config.DSN)
	if err != nil {
		return fmt.Errorf("open ledger: %v", err) // the parser leaves the password out
	}
	if misplacedBelow(s.config.DSN) || slices.ContainsFunc([]string{config.ConnConfig.Host, config.ConnConfig.Database, config.ConnConfig.User}, misplaced) {
		return errors.New("open ledger: a password seems to stand in the name of the host, the database or the user: want postgres://USER:PASSWORD@HOST/DATABASE, with two slashes in front, and in a password %2F for a slash")
	}
	s.names.schema, s.set, err = parameters(config.ConnConfig.RuntimeParams)
	s.place = place(config.ConnConfig, s.names.schema)
	if err != nil {
		return fmt.Errorf("open ledger %s: %w", s.place, err)
	}
	s.session = rand.Text()
	// Of what may be set at the start of a connection, this is what every pooler
	// takes. All else is set, and read back, once it is there.
	config.ConnConfig.RuntimeParams = map[string]string{"application_name": s.set["application_name"]}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectWait
	}
	config.ConnConfig.MaxProtocolMessageBodyLen = mostMessage
	config.ConnConfig.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	c := s.slow(ctx, "a connection")
	defer c.end()
	config.AfterConnect = s.check
	made, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return s.translate(c, err)
	}
	s.pool = &pool{made, &s.names}
	err = s.learn(ctx, false)
	if errors.Is(err, errPooler) {
		if err = s.ownSessions(ctx, config.ConnConfig); err == nil {
			err = s.learn(ctx, true)
		}
	}
	if err != nil {
		return errors.Join(s.translate(c, err), s.Close())
	}
	return nil
}

// learn finds out on the first connection what is to be known of all of them. One
// that leads through a pooler is closed, unless that was tried.
func (s *store) learn(ctx context.Context, tried bool) error {
	return s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		if !tried && conn.Conn().PgConn().CustomData()[poolerKey] == true {
			return errors.Join(own(errPooler), conn.Conn().Close(ctx))
		}
		if err := s.readPatience(ctx, conn.Conn().PgConn()); err != nil {
			return err
		}
		return s.readHome(ctx, conn.Conn().PgConn())
	})
}

// check makes a new connection what it has to be. It refuses a server that may
// lose what it says it wrote, or has lost something of this ledger already.
func (s *store) check(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, connectWait) // a pooler may let it wait
	defer cancel()
	know(conn.TypeMap())
	is, err := s.prepare(ctx, conn.PgConn())
	if err != nil {
		return err
	}
	s.mu.Lock()
	known, last := s.known, s.last
	s.mu.Unlock()
	if err := is.usable(); err != nil {
		return own(fmt.Errorf("%w: %s: %w", quota.ErrUnsafePlace, s.place, err))
	}
	if err := is.durable(); err != nil {
		if known != "" { // it was, when this ledger was opened
			return own(s.stop(s.poisoned(err)))
		}
		return own(fmt.Errorf("%w: %s: %w", quota.ErrUnsafePlace, s.place, err))
	}
	if known == "" {
		return nil
	}
	var same bool
	err = conn.QueryRow(ctx, s.names.in(`SELECT id = $1 AND ($2 = 0 OR EXISTS
		(SELECT FROM hsharness.entry WHERE seq = $2 AND at = $3 AND kind = $4 AND run = $5 AND id = $6)) FROM hsharness.ledger`),
		known, last.Seq, last.Time, last.Kind, last.Run, last.ID).Scan(&same)
	if code(err) == undefinedTable || errors.Is(err, pgx.ErrNoRows) || err == nil && !same {
		return own(fmt.Errorf("%w: %s has lost entry %d of ledger %s, which was written",
			quota.ErrWentBack, s.place, last.Seq, known))
	}
	return err
}
