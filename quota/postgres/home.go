package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hsharness/hsharness/quota"
)

// home is where a ledger was made, or where a reconciliation said that it goes
// on: what a copy of its rows can't have. It stands in the ledger's own row, and
// what is true now is compared with it in every admission.
//
// A dump that is restored, a database that is made from a template, a standby that
// was promoted and an archive that was recovered each change some of it. Files that
// were copied or put back under a server that knows nothing of it change nothing:
// nobody can find that out from inside.
type home struct {
	// System is the system identifier of the cluster, and Timeline the eight
	// digits of its timeline. Empty is that the server does not tell.
	System   string `json:"system"`
	Timeline string `json:"timeline"`
	// Database is the oid of the database, and Tables those of ledger, run and
	// entry.
	Database int64   `json:"database"`
	Tables   []int64 `json:"tables"`
	// First is the transaction that wrote the first entry. Rows that are written
	// again have another.
	First int64 `json:"first"`
}

// What only some servers tell. The timeline is that of the log: a checkpoint,
// which pg_control_checkpoint tells of, comes some time after a promotion.
const (
	systemSQL   = `(SELECT system_identifier::text FROM pg_control_system())`
	timelineSQL = `substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`
)

// readHome makes the statement that reads where this is, from what this server
// tells. It asks once, before anything else is done with the tables.
func (s *store) readHome(ctx context.Context, conn *pgconn.PgConn) error {
	told := map[string]string{}
	for name, sql := range map[string]string{"system": systemSQL, "timeline": timelineSQL} {
		_, err := texts(ctx, conn, "SELECT "+sql)
		var refused *pgconn.PgError
		switch {
		case err == nil:
			told[name] = sql
		case errors.As(err, &refused) && !repeatable(ctx, err):
			told[name] = "''"
			s.untold = append(s.untold, fmt.Sprintf("%s (%s)", name, refused.Message))
		default:
			return err
		}
	}
	slices.Sort(s.untold)
	s.homeSQL = s.names.in(`jsonb_build_object('system', ` + told["system"] + `, 'timeline', ` + told["timeline"] + `,
		'database', (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
		'tables', ARRAY[to_regclass('hsharness.ledger'), to_regclass('hsharness.run'), to_regclass('hsharness.entry')]::oid[]::bigint[],
		'first', (SELECT xmin::text::bigint FROM hsharness.entry ORDER BY seq LIMIT 1))`)
	return nil
}

// bind writes down that the ledger is at home here.
func (tx *tx) bind(ctx context.Context) error {
	_, err := tx.Exec(ctx, "UPDATE hsharness.ledger SET home = "+tx.store.homeSQL)
	return err
}

// look is what one look at a session and at the ledger's place found.
type look struct {
	mark        string
	bound, here home
}

// lookSQL is what [look.scan] reads, from the table ledger.
func (s *store) lookSQL() string { return markSQL + ", home, " + s.homeSQL }

func (l *look) scan(row pgx.Row) error {
	var bound, here []byte
	if err := row.Scan(&l.mark, &bound, &here); err != nil {
		return err
	}
	if err := errors.Join(json.Unmarshal(bound, &l.bound), json.Unmarshal(here, &l.here)); err != nil {
		return own(fmt.Errorf("read where the ledger is at home: %w", err))
	}
	return nil
}

// astray says in words why this is not where the ledger is at home; empty where
// it is.
func (l *look) astray() string {
	b, h := l.bound, l.here
	switch {
	case b.System != "" && h.System == "":
		return "this role may not read the server's system identifier, and whoever made the ledger did: GRANT EXECUTE ON FUNCTION pg_control_system() TO the role"
	case b.Timeline != "" && h.Timeline == "":
		return "this role may not read the server's timeline, and whoever made the ledger did: GRANT EXECUTE ON FUNCTION pg_current_wal_lsn(), pg_walfile_name(pg_lsn) TO the role"
	case b.System != "" && b.System != h.System:
		return fmt.Sprintf("it is of the server with the system identifier %s, and this one's is %s: it was restored here from a dump, or the server was upgraded", b.System, h.System)
	case b.Timeline != "" && b.Timeline != h.Timeline:
		return fmt.Sprintf("it is of timeline %s of this server, which is on %s: a standby was promoted, or a backup recovered", number(b.Timeline), number(h.Timeline))
	case b.Database != h.Database:
		return fmt.Sprintf("it is of the database with the oid %d, and this one's is %d: it was copied here, or restored from a dump", b.Database, h.Database)
	case !slices.Equal(b.Tables, h.Tables):
		return "its tables are not the ones that were made for it: they were restored from a dump"
	case b.First != h.First:
		return "its entries were written into the journal again, from a dump"
	}
	return ""
}

// number is the eight hexadecimal digits of a timeline as people write them.
func number(timeline string) string {
	n, err := strconv.ParseUint(timeline, 16, 32)
	if err != nil {
		return timeline
	}
	return strconv.FormatUint(n, 10)
}

// found judges a look. What may be lost stops the store; from a ledger that is
// away from home nothing can be spent, and nothing granted to it.
func (s *store) found(l *look) error {
	if err := s.sameMark(l.mark); err != nil {
		return err
	}
	return s.atHome(l)
}

// atHome is nil where the ledger is at home, and remembers which tables those are.
// Where it is not, no connection that was found at home before counts any more.
func (s *store) atHome(l *look) error {
	if why := l.astray(); why != "" {
		s.generation.Add(1)
		return own(fmt.Errorf("%s: %w", s.place, quota.Astray(why)))
	}
	if len(l.here.Tables) == 3 {
		s.runTable.Store(l.here.Tables[1])
	}
	return nil
}

// homeKey marks a connection that was found to lead to the ledger's home, with
// the generation of that finding.
const homeKey = "hsharness home"

// spendable makes sure, before the first spend on a connection, that it leads to
// the ledger's home. A server can't change its identity while a connection lasts;
// whether the tables are made anew each spend sees for itself.
func (s *store) spendable(ctx context.Context, conn *pgx.Conn) error {
	now := s.generation.Load()
	if conn.PgConn().CustomData()[homeKey] == now {
		return nil
	}
	var l look
	err := l.scan(conn.QueryRow(ctx, "SELECT "+s.lookSQL()+" FROM "+s.names.in("hsharness.ledger")))
	if errors.Is(err, pgx.ErrNoRows) {
		err = s.missing()
	}
	if err == nil {
		err = s.found(&l)
	}
	if err == nil {
		conn.PgConn().CustomData()[homeKey] = now
	}
	return err
}

// unseen says what can't be noticed here since the server does not tell it; empty
// where it tells all.
func (s *store) unseen(bound home) string {
	if len(s.untold) == 0 || bound.System != "" && bound.Timeline != "" {
		return ""
	}
	return "the server does not tell its " + strings.Join(s.untold, " and its ") +
		": that it was promoted or restored is not noticed, see docs/ledger.md"
}
