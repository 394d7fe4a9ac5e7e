//go:build unix

package sqlite_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// upgradeSteps is at how many steps of its upgrade one is killed while others spend:
// -upgrade.steps=1000 is all. TestMigrationIsWhole has each, without others.
var upgradeSteps = flag.Int("upgrade.steps", 3, "steps of an upgrade under load at which a process is killed")

// A ledger is brought up to date while 8 processes of the version before spend.
func TestUpgradeUnderLoad(t *testing.T) {
	t.Parallel()
	path := sqlite.Version1(t, false)
	require.NoError(t, tamper(t, path, `INSERT INTO entry VALUES (55, 1735689600048000, '', 'grant', 1000000, 'much', '', '', '', '', 0, 0, 0, '', '{"floor":5}');
		UPDATE ledger SET granted = granted + 1000000, exhausted = 0`))
	steps := make([]int, *upgradeSteps)
	for i := range steps {
		steps[i] = i + 1
	}
	processes.Upgrades(t, quotatest.Upgrade{
		Place: path, Spent: 37, Earlier: "earlier:" + path, Steps: steps,
		Dying: func(n int) (string, func(int)) {
			return fmt.Sprintf("dying:%d:%s", n, path), func(int) {} // it ends itself
		},
		Version: func() int { return versionOf(t, path) },
		Rows: func(upTo int64) (rows []string) {
			db, err := sqlite3.Open("file:" + path + "?mode=ro")
			require.NoError(t, err)
			stmt, _, err := db.Prepare("SELECT * FROM entry WHERE seq <= ? ORDER BY seq")
			require.NoError(t, err)
			require.NoError(t, stmt.BindInt64(1, upTo))
			for stmt.Step() {
				row := ""
				for i := range stmt.ColumnCount() {
					row += stmt.ColumnText(i) + "|"
				}
				rows = append(rows, row)
			}
			require.NoError(t, stmt.Close())
			require.NoError(t, db.Close())
			return rows
		},
	})
}
