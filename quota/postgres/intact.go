package postgres

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// objects.txt is what the tables of the newest schema are made of: a line with the names of the
// tables, one with the sum of quickSQL, and those of objectsSQL. A test writes it.
//
//go:embed objects.txt
var objects string

// objectsSQL lists what the statements of this package meet, in the schema $1: the tables, their
// columns, constraints, indexes, triggers, rules and heirs, and the function of our
// triggers. Each is a line of kind, table, name and what else it is. Names stand for themselves,
// and no expression but a default is in it: servers of different versions write those differently.
// A trigger of ours that fires always is as good.
const objectsSQL = `WITH t AS (SELECT oid, relname::text AS name, relkind::text, relpersistence::text, relrowsecurity, relforcerowsecurity, relispartition
		FROM pg_class WHERE relnamespace = to_regnamespace($1::text) AND relname::text = ANY (string_to_array($2::text, ' ')))
	SELECT concat_ws(E'\t', 'table', '', name, relkind, relpersistence, relrowsecurity, relforcerowsecurity, relispartition) AS line FROM t
	UNION ALL SELECT concat_ws(E'\t', 'column', t.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, a.attgenerated::text,
			coalesce(pg_get_expr(d.adbin, d.adrelid), ''))
		FROM t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum
	UNION ALL SELECT concat_ws(E'\t', 'constraint', t.name, c.conname, c.contype::text, c.convalidated,
			(SELECT string_agg(attname::text, ',' ORDER BY attname::text COLLATE "C") FROM pg_attribute WHERE attrelid = t.oid AND attnum = ANY (c.conkey)))
		FROM t JOIN pg_constraint AS c ON c.conrelid = t.oid WHERE c.contype::text IN ('c', 'p', 'u', 'x', 'f')
	UNION ALL SELECT concat_ws(E'\t', 'index', t.name, i.relname, CASE WHEN x.indisunique THEN 'unique' ELSE 'plain' END, x.indpred IS NOT NULL, x.indisvalid AND x.indisready,
			(SELECT string_agg(coalesce(attname::text, '()'), ',' ORDER BY n) FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (key, n)
				LEFT JOIN pg_attribute ON attrelid = t.oid AND attnum = key AND key > 0))
		FROM t JOIN pg_index AS x ON x.indrelid = t.oid JOIN pg_class AS i ON i.oid = x.indexrelid
	UNION ALL SELECT concat_ws(E'\t', 'trigger', t.name, g.tgname, replace(g.tgenabled::text, 'A', 'O'), g.tgtype, g.tgqual IS NOT NULL, encode(g.tgargs, 'escape'),
			CASE WHEN p.pronamespace = to_regnamespace($1::text) THEN '' ELSE p.pronamespace::regnamespace::text || '.' END || p.proname,
			(SELECT string_agg(attname::text, ',' ORDER BY attname::text COLLATE "C") FROM pg_attribute WHERE attrelid = t.oid AND attnum = ANY (g.tgattr::int2[])))
		FROM t JOIN pg_trigger AS g ON g.tgrelid = t.oid AND NOT g.tgisinternal JOIN pg_proc AS p ON p.oid = g.tgfoid
	UNION ALL SELECT concat_ws(E'\t', 'rule', t.name, r.rulename) FROM t JOIN pg_rewrite AS r ON r.ev_class = t.oid
	UNION ALL SELECT concat_ws(E'\t', 'heir', t.name, i.inhrelid::regclass) FROM t JOIN pg_inherits AS i ON i.inhparent = t.oid
	UNION ALL SELECT concat_ws(E'\t', 'function', '', p.proname, l.lanname, p.prosecdef, coalesce(p.proconfig::text, ''), encode(sha256(convert_to(translate(p.prosrc, E'\r', ''), 'UTF8')), 'hex'))
		FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang WHERE p.pronamespace = to_regnamespace($1::text) AND p.proname = 'refuse' AND p.pronargs = 0`

// quickSQL lists as much of it as takes a few catalogs: a server plans and reads anew with each
// connection. What the tables themselves say of rules, heirs and constraints stands
// for these; a policy does nothing where they have no row security.
const quickSQL = `WITH t AS (SELECT * FROM pg_class WHERE relnamespace = to_regnamespace($1::text) AND relname::text = ANY (string_to_array($2::text, ' ')))
	SELECT concat_ws(' ', relname, relkind::text, relpersistence::text, relnatts, relchecks, relhasrules, relhastriggers, relhassubclass, relrowsecurity, relforcerowsecurity, relispartition) AS line FROM t
	UNION ALL SELECT concat_ws(' ', relname, attname, atttypid::bigint, attnotnull, attidentity::text, attgenerated::text, atthasdef)
		FROM t JOIN pg_attribute ON attrelid = t.oid AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT concat_ws(' ', t.relname, i.relname, indisunique, indisvalid, indisready) FROM t JOIN pg_index ON indrelid = t.oid JOIN pg_class AS i ON i.oid = indexrelid
	UNION ALL SELECT concat_ws(' ', relname, tgname, tgenabled::text, tgtype, proname, pronamespace = relnamespace, encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'), pronargs, prosecdef, proconfig)
		FROM t JOIN pg_trigger ON tgrelid = t.oid AND NOT tgisinternal JOIN pg_proc ON pg_proc.oid = tgfoid`

// sumSQL is the sum of these lines: to compare it takes no round trip of its own. It is no MD5,
// which some servers may not compute.
const sumSQL = `(SELECT encode(sha256(convert_to(string_agg(line, E'\n' ORDER BY line COLLATE "C"), 'UTF8')), 'hex') FROM (` + quickSQL + `) AS objects)`

// wanted are the names of the tables, the sum, and the lines.
func wanted() (tables, sum string, lines []string) {
	all := strings.Split(strings.TrimSpace(strings.ReplaceAll(objects, "\r", "")), "\n")
	return all[0], all[1], all[2:]
}

// damagedError says that what is at a server is no ledger any more.
type damagedError struct{ place, what string }

func (e *damagedError) Error() string { return "ledger " + e.place + " is damaged: " + e.what }

// Is reports a match with [quota.ErrDamaged].
func (e *damagedError) Is(target error) bool { return target == quota.ErrDamaged }

func (s *store) damaged(format string, args ...any) error {
	return own(&damagedError{s.place, fmt.Sprintf(format, args...)})
}

// intact refuses a ledger whose tables are not as the steps of its version made them, where
// the sum of what they are made of is another one. What somebody put on them may change what
// is counted, or run for as long as a statement may.
func (s *store) intact(ctx context.Context, sum string) error {
	tables, known, want := wanted()
	if sum == known || newest != schemaVersion { // a test that is an earlier program knows no sum
		return nil
	}
	return pgx.BeginTxFunc(ctx, s.pool, snapshot, func(t pgx.Tx) error {
		tx := &tx{Tx: t, store: s}
		// Another process may have brought it up to date since.
		version, err := tx.version(ctx)
		if err == nil && version != newest {
			err = s.damaged("its schema is %d now, and was %d", version, newest)
		}
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, objectsSQL, s.names.schema, tables)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		return s.compare(found, want)
	})
}

// compare names the first difference of what is found from what a ledger is made of.
func (s *store) compare(found, want []string) error {
	thing := func(line string) (kind, table, name, rest string) {
		part := append(strings.SplitN(line, "\t", 4), "")
		return part[0], part[1], part[2], part[3]
	}
	same := func(a, b string) bool {
		kind, table, name, _ := thing(a)
		otherKind, otherTable, otherName, _ := thing(b)
		return kind == otherKind && table == otherTable && name == otherName
	}
	called := func(line string) string {
		kind, table, name, _ := thing(line)
		if table == "" {
			return fmt.Sprintf("its %s %q", kind, name)
		}
		return fmt.Sprintf("the %s %q of its table %s", kind, name, table)
	}
	slices.Sort(found)
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(a, b string) int { // with a table all of it is gone
		return -cmp.Compare(strings.Index(a, "table\t"), strings.Index(b, "table\t"))
	})
	for _, line := range want {
		i := slices.IndexFunc(found, func(f string) bool { return same(f, line) })
		switch {
		case i < 0:
			return s.damaged("%s is gone", called(line))
		case found[i] != line:
			return s.damaged("%s is not as hsharness made it", called(line))
		}
	}
	for _, line := range found {
		kind, table, name, rest := thing(line)
		if rebuilt(line, want) {
			continue
		}
		if slices.Contains(want, line) || harmless(kind, rest) {
			continue
		}
		return s.damaged("hsharness did not make %s: %s", called(line), s.removal(kind, table, name))
	}
	return nil
}

// harmless tells what others put on a table and what does nothing to what we do: an index on columns
// as they are, for reports, and a trigger that is switched off or fires for a replica alone.
func harmless(kind, rest string) bool {
	switch kind {
	case "index":
		return strings.HasPrefix(rest, "plain\tf\t") && !strings.Contains(rest, "()")
	case "trigger":
		return strings.HasPrefix(rest, "D\t") || strings.HasPrefix(rest, "R\t")
	}
	return false
}

// rebuilt tells the copy of one of our indexes that REINDEX CONCURRENTLY has beside it while it
// works, and leaves where it was cut off.
func rebuilt(line string, want []string) bool {
	part := strings.Split(line, "\t") // kind, table, name, uniqueness, predicate, validity, columns
	if part[0] != "index" || !strings.Contains(part[2], "_ccnew") && !strings.Contains(part[2], "_ccold") {
		return false
	}
	return slices.ContainsFunc(want, func(w string) bool {
		of := strings.Split(w, "\t")
		return of[0] == part[0] && of[1] == part[1] && slices.Equal(slices.Delete(of, 5, 6)[3:], slices.Delete(slices.Clone(part), 5, 6)[3:])
	})
}

// removal is the statement that takes away what others put on a table.
func (s *store) removal(kind, table, name string) string {
	of, quoted := s.names.quoted()+"."+table, pgx.Identifier{name}.Sanitize()
	switch kind {
	case "trigger", "rule":
		return "DROP " + strings.ToUpper(kind) + " " + quoted + " ON " + of
	case "column", "constraint":
		return "ALTER TABLE " + of + " DROP " + strings.ToUpper(kind) + " " + quoted
	case "index":
		return "DROP INDEX " + s.names.quoted() + "." + quoted
	}
	return "ALTER TABLE " + name + " NO INHERIT " + of
}
