package sqlite_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// texts are the texts in the first column of what a statement reads.
func texts(t *testing.T, db *sqlite3.Conn, sql string) (all []string) {
	t.Helper()
	st, _, err := db.Prepare(sql)
	require.NoError(t, err)
	defer st.Close()
	for st.Step() {
		all = append(all, st.ColumnText(0))
	}
	require.NoError(t, st.Err())
	return all
}

// In every column of numbers and times, one row has the most that it can, or the least, as
// nobody but a tamperer writes. No command hangs, prints what is no JSON, or fails, unless
// what is counted is damaged: then it says so.
func TestAbsurdNumbers(t *testing.T) {
	t.Parallel()
	db, err := sqlite3.Open(closedLedger(t))
	require.NoError(t, err)
	columns := texts(t, db, "SELECT m.name || ' ' || p.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS p WHERE m.type = 'table' AND p.type = 'INTEGER'")
	triggers := texts(t, db, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
	names := texts(t, db, "SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'")
	require.NoError(t, db.Close())
	require.Greater(t, len(columns), 40)
	for _, of := range columns {
		table, column, _ := strings.Cut(of, " ")
		for _, n := range []string{"9223372036854775807", "-9223372036854775808"} {
			t.Run(of+" "+n, func(t *testing.T) {
				t.Parallel()
				path := waitedFor(t)
				// As it was made, or it would be refused for that.
				err := tamper(t, path, fmt.Sprintf("%s; UPDATE %s SET %s = %s WHERE rowid = (SELECT max(rowid) FROM %[2]s); %[5]s",
					strings.Join(names, ";"), table, column, n, strings.Join(triggers, ";")))
				if err != nil {
					require.ErrorIs(t, err, sqlite3.CONSTRAINT, "the table itself refuses it")
					return
				}
				s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
				require.NoError(t, err)
				quotatest.Absurd(t, s, "absurd", table, column)
				require.NoError(t, s.Close())
			})
		}
	}
}

// waitedFor is the path of a ledger with a run that waits for its turn, and a pause.
func waitedFor(t *testing.T) string {
	t.Helper()
	path := closedLedger(t)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "waits", Max: 3}, nil)
	require.NoError(t, err)
	for range 2 {
		_, err = s.(pace.Keeper).Turn(t.Context(), pace.Ask{Run: "waits", Rates: []pace.Rate{{Turns: 1, Per: 10 * time.Second}}})
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	return path
}

// Of two runs that may spend as much as there are numbers no sum is left: it is damage, and
// no disk that fails.
func TestSumThatOverflows(t *testing.T) {
	t.Parallel()
	path := waitedFor(t)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "another", Max: 3}, nil)
	require.NoError(t, err)
	require.NoError(t, tamper(t, path, "UPDATE run SET max = 9223372036854775807 WHERE state = 'active'"))
	_, err = s.Status(t.Context())
	require.ErrorIs(t, err, quota.ErrDamaged)
	for range 2 {
		_, err = s.Begin(t.Context(), quota.RunSpec{ID: "one more", Max: 3}, nil)
		require.ErrorIs(t, err, quota.ErrDamaged)
		require.NotErrorIs(t, err, quota.ErrPoisoned)
	}
	require.NoError(t, s.Close())
}

// A turn whose number is nobody's is not told as how many there were.
func TestATurnThatIsNobodysIsNotTold(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/ledger.db"
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	require.NoError(t, tamper(t, path, "INSERT INTO pace_turn (seq, at, run) VALUES (9223372036854775807, 1, 'x')"))
	state, err := s.(pace.Keeper).Pace(t.Context())
	require.NoError(t, err)
	require.Zero(t, state.Turns)
	require.NoError(t, s.Close())
}
