package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// What somebody put on the tables of a ledger may run for ever inside of a statement, or
// change what is counted. It is named before anything is written, by who writes and by who
// only reads.
func TestChangedTables(t *testing.T) {
	t.Parallel()
	const forever = "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c)"
	const rewrite = "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, "
	for name, c := range map[string]struct{ sql, want string }{
		"a trigger without an end": {"CREATE TRIGGER slow AFTER INSERT ON Entry BEGIN SELECT " + forever + "; END", `hsharness did not make its trigger "slow"`},
		"a trigger of another table": {
			"CREATE TABLE mine(x); CREATE TRIGGER mine_too AFTER INSERT ON mine BEGIN SELECT " + forever + "; END", `hsharness did not make its trigger "mine_too"`,
		},
		"a trigger of the same name":  {"DROP TRIGGER run_stays; CREATE TRIGGER run_stays BEFORE INSERT ON run BEGIN SELECT " + forever + "; END", `its trigger "run_stays" is not as hsharness made it`},
		"a view in a table's place":   {"ALTER TABLE notice_hook RENAME TO mine; CREATE VIEW notice_hook AS SELECT '' AS hook, " + forever + " AS seen, 0 AS floor, 0 AS exhausted", `its view "notice_hook" is not as hsharness made it`},
		"a column that is made":       {"ALTER TABLE pace ADD COLUMN slow INTEGER AS (length(hex(why)))", `its table "pace" is not as hsharness made it`},
		"a check that is gone":        {rewrite + "'CHECK(spent BETWEEN 0 AND max)', '') WHERE name = 'run'", `its table "run" is not as hsharness made it`},
		"an index on an expression":   {"CREATE INDEX slow ON entry(length(hex(note)))", `hsharness did not make its index "slow"`},
		"a unique index that is gone": {"DROP INDEX entry_once", `its index "entry_once" is gone`},
		"a trigger that is gone":      {"DROP TRIGGER entry_stays", `its trigger "entry_stays" is gone`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := closedLedger(t)
			require.NoError(t, tamper(t, path, c.sql))
			for _, only := range []bool{false, true} {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				_, err := sqlite.Open(ctx, sqlite.Config{Path: path, ReadOnly: only})
				cancel()
				require.ErrorIs(t, err, quota.ErrDamaged, only)
				assert.ErrorContains(t, err, path+": the file is damaged: "+c.want)
			}
		})
	}
}

// What others keep beside the tables, as some programs for backups do, stays.
func TestTablesOfOthers(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"now": closedLedger(t), "before": sqlite.Version1(t, false)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, tamper(t, path, "CREATE TABLE _backup_seq(id INTEGER PRIMARY KEY, seq INTEGER); CREATE VIEW spends AS SELECT * FROM entry; ANALYZE; VACUUM"))
			assert.Empty(t, problems(t, path))
		})
	}
}
