package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hsharness/hsharness/quota"
)

// minVersion is the oldest PostgreSQL that got updates when this was written.
const minVersion = 130000

// searchPath is where functions and types are looked for. Tables are not: every
// statement says where they are.
const searchPath = "pg_catalog, pg_temp"

// defaults are the settings of a connection whose connection string says
// nothing about them. A transaction that waits for its client holds locks that
// others wait for.
var defaults = map[string]string{
	"application_name":                    "hsharness",
	"search_path":                         defaultSchema,
	"client_encoding":                     "UTF8",
	"synchronous_commit":                  "on",
	"default_transaction_isolation":       "read committed",
	"statement_timeout":                   "10s",
	"idle_in_transaction_session_timeout": "5s",
	// Everything is looked up by a key. A plan is made once, and must not be the
	// one for a table that was still empty.
	"plan_cache_mode": "force_generic_plan",
	"enable_seqscan":  "off",
	"jit":             "off",
	// What others have their triggers say is for nobody here, however much it is.
	"client_min_messages": "error",
}

// parameters are the schema of the ledger and what to set on each of its
// connections, from the settings of the connection string.
func parameters(given map[string]string) (schema string, set map[string]string, err error) {
	set, err = options(given["options"])
	if err != nil {
		return "", nil, err
	}
	for name, value := range given {
		if name = strings.ToLower(name); name == "options" || value == "" {
			continue
		}
		if other, twice := set[name]; twice && other != value {
			return "", nil, fmt.Errorf("the connection string says %s twice, and not the same", name)
		}
		set[name] = value
	}
	for name, value := range defaults {
		if set[name] == "" {
			set[name] = value
		}
	}
	schema = set["search_path"]
	set["search_path"] = searchPath
	set["quote_all_identifiers"] = "off" // of the names of types, which are compared
	return schema, set, (&names{schema: schema}).check()
}

// options reads the option of that name, which holds settings in the form of the
// server's command line: -c NAME=VALUE or --NAME=VALUE. A backslash takes away
// what the character after it means.
func options(text string) (map[string]string, error) {
	var words []string
	word, inside := "", false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inside {
				words = append(words, word)
			}
			word, inside = "", false
			continue
		case c == '\\' && i+1 < len(text):
			i++
		}
		word, inside = word+text[i:i+1], true
	}
	if inside {
		words = append(words, word)
	}
	set := map[string]string{}
	for i := 0; i < len(words); i++ {
		word, ok := strings.CutPrefix(words[i], "--")
		if !ok {
			if word, ok = strings.CutPrefix(words[i], "-c"); ok && word == "" && i+1 < len(words) {
				i++
				word = words[i]
			}
		}
		name, value, whole := strings.Cut(word, "=")
		name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
		if !ok || !whole || name == "" {
			return nil, errors.New("options in the connection string may hold -c NAME=VALUE and nothing else")
		}
		if other, twice := set[name]; twice && other != value {
			return nil, fmt.Errorf("options in the connection string says %s twice, and not the same", name)
		}
		set[name] = value
	}
	return set, nil
}

// sessionSetting names the session that a connection made its own: it holds what
// only this store knows.
const sessionSetting = "hsharness_ledger.session"

// markSQL is what a session must still be when something is spent in it: the one
// that was set up, on a server that keeps what it says it wrote, with the triggers
// that protect the journal. It is compared with the mark of the first one.
const markSQL = `concat_ws(' ', current_setting('` + sessionSetting + `', true), current_setting('fsync'),
	current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('session_replication_role'))`

// markNames are the settings in a mark, behind the session.
var markNames = []string{"fsync", "full_page_writes", "synchronous_commit", "session_replication_role"}

// settings are what is read back from a new connection.
type settings struct {
	version                                                 int
	fsync, fullPageWrites, synchronousCommit, dataSyncRetry string
	zeroDamaged, ignoreDamaged                              string // zero_damaged_pages, ignore_checksum_failure
	encoding, clientEncoding, isolation, searchPath         string
	triggers                                                string // session_replication_role
	readOnly                                                string
}

const settingsSQL = `SELECT current_setting('server_version_num'), current_setting('fsync'), current_setting('full_page_writes'),
	current_setting('synchronous_commit'), current_setting('data_sync_retry'), current_setting('server_encoding'),
	current_setting('client_encoding'), current_setting('default_transaction_isolation'), current_setting('search_path'),
	current_setting('session_replication_role'), current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery(),
	current_setting('zero_damaged_pages'), current_setting('ignore_checksum_failure'), pg_backend_pid(), coalesce(current_setting('` + sessionSetting + `', true), ''), ` + markSQL

// prepare sets up a connection and reads back what it then is. It uses no
// statement that is kept, which a pooler might not have at hand a moment later.
func (s *store) prepare(ctx context.Context, conn *pgconn.PgConn) (is settings, err error) {
	names := make([]string, 0, len(s.set))
	for name := range s.set {
		names = append(names, name)
	}
	// The role comes last: what it may not set, whoever logged in may.
	slices.Sort(names)
	if i := slices.Index(names, "role"); i >= 0 {
		names = append(slices.Delete(names, i, i+1), "role")
	}
	sql, values := "SELECT set_config('"+sessionSetting+"', $1, false)", [][]byte{[]byte(s.session)}
	for _, name := range names {
		values = append(values, []byte(name), []byte(s.set[name]))
		sql += fmt.Sprintf(", set_config($%d, $%d, false)", len(values)-1, len(values))
	}
	if _, err := texts(ctx, conn, sql, values...); err != nil {
		return is, err
	}
	row, err := texts(ctx, conn, settingsSQL)
	if err != nil {
		return is, err
	}
	pid, session, mark := "", "", ""
	for i, to := range []*string{nil, &is.fsync, &is.fullPageWrites, &is.synchronousCommit, &is.dataSyncRetry, &is.encoding,
		&is.clientEncoding, &is.isolation, &is.searchPath, &is.triggers, &is.readOnly, &is.zeroDamaged, &is.ignoreDamaged, &pid, &session, &mark} {
		if to != nil {
			*to = row[i]
		}
	}
	if is.version, err = strconv.Atoi(row[0]); err != nil {
		return is, own(fmt.Errorf("server_version_num: %w", err))
	}
	if session != s.session {
		return is, own(s.pooled("what was set on a connection was not there any more for its next statement"))
	}
	s.mu.Lock()
	if s.mark == "" {
		s.mark = mark
	}
	s.mu.Unlock()
	behindPooler(conn, pid)
	return is, nil
}

// texts runs one statement, in one round trip, and returns its only row.
func texts(ctx context.Context, conn *pgconn.PgConn, sql string, values ...[]byte) ([]string, error) {
	result := conn.ExecParams(ctx, sql, values, nil, nil, nil).Read()
	if result.Err != nil {
		return nil, result.Err
	}
	if len(result.Rows) != 1 {
		return nil, own(fmt.Errorf("%d rows instead of one", len(result.Rows)))
	}
	row := make([]string, len(result.Rows[0]))
	for i, value := range result.Rows[0] {
		row[i] = string(value)
	}
	return row, nil
}

// usable says why nothing can be kept through this connection, or nil.
func (s settings) usable() error {
	switch {
	case s.version < minVersion:
		return fmt.Errorf("PostgreSQL %d is older than %d", s.version, minVersion)
	case s.readOnly != "f":
		return errors.New("it is read-only or a standby")
	case s.encoding != "UTF8":
		return fmt.Errorf("server_encoding is %s, want UTF8", s.encoding)
	case s.clientEncoding != "UTF8":
		return fmt.Errorf("client_encoding is %s, want UTF8", s.clientEncoding)
	case s.isolation != "read committed":
		return fmt.Errorf("default_transaction_isolation is %s, want read committed", s.isolation)
	case s.searchPath != searchPath:
		return fmt.Errorf("search_path is %s, want %s", s.searchPath, searchPath)
	case s.zeroDamaged != "off": // a damaged page would read as one without runs
		return fmt.Errorf("zero_damaged_pages is %s, want off", s.zeroDamaged)
	case s.ignoreDamaged != "off":
		return fmt.Errorf("ignore_checksum_failure is %s, want off", s.ignoreDamaged)
	case s.triggers == "replica": // the journal could be changed
		return fmt.Errorf("session_replication_role is %s, want origin", s.triggers)
	}
	return nil
}

// durable says why what was written here may be lost, or nil.
func (s settings) durable() error {
	switch {
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

// sameMark refuses a session that is not, or not any more, what was set up, and
// stops the store: what was written meanwhile may be lost.
func (s *store) sameMark(mark string) error {
	want, is := strings.Fields(s.wantMark()), strings.Fields(mark)
	if slices.Equal(want, is) {
		return nil
	}
	if len(is) != len(want) || is[0] != want[0] {
		return own(s.stop(s.pooled("a statement came to a session that is not the connection's own")))
	}
	for i, name := range markNames {
		if is[i+1] != want[i+1] {
			return own(s.stop(s.poisoned(fmt.Errorf("%s is %s now, and was %s", name, is[i+1], want[i+1]))))
		}
	}
	return nil
}

// wantMark is the mark of every session of this store.
func (s *store) wantMark() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mark
}

// poisoned says that the server stopped to keep what it says it wrote.
func (s *store) poisoned(why error) error {
	return fmt.Errorf("%w: %s: %w: what was written since then may be lost by a crash, until it is set back and the server's disk is synced",
		quota.ErrPoisoned, s.place, why)
}

// stop makes the store refuse every further change, and returns why. The first
// reason counts.
func (s *store) stop(why error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped == nil {
		s.stopped = why
	}
	return s.stopped
}

// going is nil while changes are allowed.
func (s *store) going() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}
