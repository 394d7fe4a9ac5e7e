package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// schemaVersion is the newest. The steps of a version are never changed; a new
// version gets a further file.
const schemaVersion = 3

// newest is schemaVersion. A test that is a program of an earlier version has that
// one here.
var newest = schemaVersion

// withHome is the version since which a ledger knows where it is at home.
const withHome = 2

// migrations has one file for each version, 1.sql and so on.
//
//go:embed migrations/*.sql
var migrations embed.FS

// steps brings the schema from a version to the newest.
func (tx *tx) steps(ctx context.Context, from int) error {
	for version := from + 1; version <= newest; version++ {
		sql, err := migrations.ReadFile(fmt.Sprintf("migrations/%d.sql", version))
		if err != nil {
			return own(err)
		}
		if _, err := tx.Exec(ctx, string(sql)); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "UPDATE hsharness.schema_version SET version = $1", newest)
	return err
}

// alone lets one process at a time make or change the tables of a schema.
func (tx *tx) alone(ctx context.Context) error {
	_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('hsharness ledger'), hashtext($1))", tx.store.names.schema)
	return err
}

// version is that of the tables, 0 where there are none.
func (tx *tx) version(ctx context.Context) (version int, err error) {
	var there, rest bool
	err = tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL, to_regclass($2) IS NOT NULL AND to_regclass($3) IS NOT NULL",
		tx.store.names.in("hsharness.schema_version"), tx.store.names.in("hsharness.ledger"), tx.store.names.in("hsharness.entry")).Scan(&there, &rest)
	if err == nil && !there && rest {
		err = tx.store.damaged("its table schema_version is gone")
	}
	if err != nil || !there {
		return 0, err
	}
	err = tx.QueryRow(ctx, "SELECT version FROM hsharness.schema_version").Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && version < 1 {
		err = tx.store.damaged("its table schema_version has no version")
	}
	if err != nil {
		return 0, err
	}
	if version > newest {
		return 0, own(fmt.Errorf("%w: %s: its schema is %d, this program knows %d", quota.ErrNewerSchema, tx.store.place, version, newest))
	}
	return version, nil
}

// migrate brings an older schema up to date.
func (s *store) migrate(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.pool, func(t pgx.Tx) error {
		tx := &tx{Tx: t, store: s}
		version, err := tx.version(ctx)
		if err != nil || version == newest {
			return err
		}
		if version == 0 {
			return s.missing()
		}
		if err := tx.alone(ctx); err != nil {
			return err
		}
		if version, err = tx.version(ctx); err != nil || version == newest { // another process was first
			return err
		}
		if err := tx.steps(ctx, version); err != nil {
			if code(err) == insufficientPrivilege {
				return own(fmt.Errorf("ledger %s: its schema is %d, this program needs %d, and this role may not bring it up to date: %w", s.place, version, newest, quota.ErrReadOnly))
			}
			return err
		}
		if version < withHome { // where it was before nobody knows
			return tx.bind(ctx)
		}
		return nil
	})
}

// create makes the newest schema.
func (tx *tx) create(ctx context.Context) error {
	if err := tx.alone(ctx); err != nil {
		return err
	}
	if version, err := tx.version(ctx); err != nil {
		return err
	} else if version > 0 {
		return own(fmt.Errorf("%w at %s", quota.ErrLedgerExists, tx.store.place))
	}
	var there bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", tx.store.names.schema).Scan(&there); err != nil {
		return err
	}
	if !there { // IF NOT EXISTS would need the right to make one even so
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+tx.store.names.quoted()); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "CREATE TABLE hsharness.schema_version (version integer NOT NULL)"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO hsharness.schema_version VALUES (0)"); err != nil {
		return err
	}
	return tx.steps(ctx, 0)
}

func (tx *tx) insertLedger(ctx context.Context, info quota.Info, b quota.Balances) error {
	_, err := tx.Exec(ctx, `INSERT INTO hsharness.ledger (one, id, account, allowance, created, granted, base, unknown, floor, exhausted)
		VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		info.LedgerID, info.Account, info.Allowance, info.Created, b.Granted, b.Spent, b.Unknown, b.Floor, b.Exhausted)
	return err
}
