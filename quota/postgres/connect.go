package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hsharness/hsharness/quota"
)

// minVersion is the oldest PostgreSQL that got updates when this was written.
const minVersion = 130000

// defaults are the settings of a connection whose connection string says
// nothing about them. A transaction that waits for its client holds locks that
// others wait for.
var defaults = []struct{ name, value string }{
	{"application_name", "hsharness"},
	{"search_path", "hsharness"},
	{"synchronous_commit", "on"},
	{"default_transaction_isolation", "read committed"},
	{"statement_timeout", "10s"},
	{"idle_in_transaction_session_timeout", "5s"},
	// Everything is looked up by a key. A plan is made once, and must not be the
	// one for a table that was still empty.
	{"plan_cache_mode", "force_generic_plan"},
	{"enable_seqscan", "off"},
	{"jit", "off"},
}

// simpleName is a schema that needs no quotes.
var simpleName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// connect makes the pool. It connects once, so that a server that can't be
// reached or trusted is an error now.
func (s *Store) connect(ctx context.Context) error {
	config, err := pgxpool.ParseConfig(s.config.DSN)
	if err != nil {
		return fmt.Errorf("open ledger: %v", err) // the parser leaves the password out
	}
	params := config.ConnConfig.RuntimeParams
	for _, d := range defaults {
		if params[d.name] == "" {
			params[d.name] = d.value
		}
	}
	s.schema = params["search_path"]
	s.place = fmt.Sprintf("%s:%d/%s schema %s", config.ConnConfig.Host, config.ConnConfig.Port, config.ConnConfig.Database, s.schema)
	if !simpleName.MatchString(s.schema) {
		return fmt.Errorf("open ledger %s: search_path must be the name of one schema, of small letters, digits and _", s.place)
	}
	config.AfterConnect = s.check
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return s.translate(ctx, err)
	}
	if err := s.pool.Ping(ctx); err != nil {
		return errors.Join(s.translate(ctx, err), s.Close())
	}
	return nil
}

// check refuses a new connection to a server that may lose what it says it
// wrote, or has lost something of this ledger already.
func (s *Store) check(ctx context.Context, conn *pgx.Conn) error {
	var is settings
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('fsync'),
		current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('data_sync_retry'),
		current_setting('server_encoding'), current_setting('default_transaction_isolation'),
		current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery()`).
		Scan(&is.version, &is.fsync, &is.fullPageWrites, &is.synchronousCommit, &is.dataSyncRetry, &is.encoding, &is.isolation, &is.readOnly)
	if err != nil {
		return err
	}
	if err := is.safe(); err != nil {
		return own(fmt.Errorf("%w: %s: %w", quota.ErrUnsafePlace, s.place, err))
	}
	s.mu.Lock()
	known, last := s.known, s.last
	s.mu.Unlock()
	if known == "" {
		return nil
	}
	var same bool
	err = conn.QueryRow(ctx, `SELECT id = $1 AND ($2 = 0 OR EXISTS
		(SELECT FROM entry WHERE seq = $2 AND at = $3 AND kind = $4 AND run = $5 AND id = $6)) FROM ledger`,
		known, last.Seq, last.Time, last.Kind, last.Run, last.ID).Scan(&same)
	if code(err) == undefinedTable || errors.Is(err, pgx.ErrNoRows) || err == nil && !same {
		return own(fmt.Errorf("%w: %s has lost entry %d of ledger %s, which was written: find the newer ledger, or say what the service has counted: hsharness quota reconcile --observed N --note WHY",
			quota.ErrWentBack, s.place, last.Seq, known))
	}
	return err
}

// settings are those that decide whether a commit may be lost.
type settings struct {
	version                                                                      int
	fsync, fullPageWrites, synchronousCommit, dataSyncRetry, encoding, isolation string
	readOnly                                                                     bool
}

// safe says what is wrong with the settings, or nil.
func (s settings) safe() error {
	switch {
	case s.version < minVersion:
		return fmt.Errorf("PostgreSQL %d is older than %d", s.version, minVersion)
	case s.readOnly:
		return errors.New("it is read-only or a standby")
	case s.encoding != "UTF8":
		return fmt.Errorf("server_encoding is %s, want UTF8", s.encoding)
	case s.isolation != "read committed":
		return fmt.Errorf("default_transaction_isolation is %s, want read committed", s.isolation)
	case s.fsync != "on":
		return fmt.Errorf("fsync is %s, want on", s.fsync)
	case s.fullPageWrites != "on":
		return fmt.Errorf("full_page_writes is %s, want on", s.fullPageWrites)
	case s.synchronousCommit != "on" && s.synchronousCommit != "remote_apply":
		return fmt.Errorf("synchronous_commit is %s, want on", s.synchronousCommit)
	case s.dataSyncRetry != "off": // a second flush may succeed without having written anything
		return fmt.Errorf("data_sync_retry is %s, want off", s.dataSyncRetry)
	}
	return nil
}
