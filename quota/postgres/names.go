package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hsharness/hsharness/internal/pattern"
)

// defaultSchema is where the tables are unless the connection string says
// otherwise.
const defaultSchema = "hsharness"

// simpleName is what the name of a schema may be.
var simpleName = pattern.New(`^[a-z_][a-z0-9_]{0,62}$`)

// names puts the schema of one ledger into statements. All of them name each
// table with the default schema, and none relies on search_path: a pooler that
// drops it would lead to other tables.
type names struct {
	schema string
	// texts has what was put in so far: there are some dozens of statements.
	texts sync.Map
}

// check says what is wrong with the schema, or nil.
func (n *names) check() error {
	if !simpleName.MatchString(n.schema) || strings.HasPrefix(n.schema, "pg_") || n.schema == "information_schema" {
		return errors.New("search_path must be the name of one schema, of small letters, digits and _, which PostgreSQL does not keep for itself")
	}
	return nil
}

// in is a statement, or part of one, for the ledger's own schema.
func (n *names) in(sql string) string {
	if n.schema == defaultSchema {
		return sql
	}
	if text, ok := n.texts.Load(sql); ok {
		return text.(string)
	}
	text := strings.ReplaceAll(sql, defaultSchema+".", n.quoted()+".")
	n.texts.Store(sql, text)
	return text
}

// quoted is the schema as an identifier: it may be a word of SQL.
func (n *names) quoted() string { return pgx.Identifier{n.schema}.Sanitize() }

// pool is the connections, which find the tables in the ledger's schema.
type pool struct {
	*pgxpool.Pool
	names *names
}

func (p *pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return p.Pool.Exec(ctx, p.names.in(sql), args...)
}

func (p *pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return p.Pool.Query(ctx, p.names.in(sql), args...)
}

func (p *pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return p.Pool.QueryRow(ctx, p.names.in(sql), args...)
}

// Exec is of a transaction, with the tables of the ledger's schema; likewise
// Query and QueryRow.
func (tx *tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return tx.Tx.Exec(ctx, tx.store.names.in(sql), args...)
}

func (tx *tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return tx.Tx.Query(ctx, tx.store.names.in(sql), args...)
}

func (tx *tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return tx.Tx.QueryRow(ctx, tx.store.names.in(sql), args...)
}

// place is where a ledger is, for messages: without user and password.
func place(config *pgx.ConnConfig, schema string) string {
	return fmt.Sprintf("%s:%d/%s schema %s", config.Host, config.Port, config.Database, schema)
}
