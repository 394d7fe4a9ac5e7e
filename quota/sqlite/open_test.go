package sqlite_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// tamper runs SQL on a ledger that is closed, without any of our settings.
func tamper(t *testing.T, path, sql string) error {
	t.Helper()
	db, err := sqlite3.Open(path)
	require.NoError(t, err)
	return errors.Join(db.Exec(sql), db.Close())
}

// closedLedger is the path of a ledger with a run that spent.
func closedLedger(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "s", Run: "a", Units: 1})
	require.NoError(t, err)
	_, err = s.End(t.Context(), "a", quota.Counters{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return path
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.db")
	require.NoError(t, os.WriteFile(empty, nil, 0o644))
	text := filepath.Join(dir, "text.db")
	require.NoError(t, os.WriteFile(text, []byte("this is a text, and a longer one than the header of a database file is, so it can't be taken for one"), 0o644))
	newer := closedLedger(t)
	require.NoError(t, tamper(t, newer, "PRAGMA user_version=99"))
	other := filepath.Join(dir, "other.db")
	require.NoError(t, tamper(t, other, "CREATE TABLE t(x); PRAGMA user_version=1"))

	before, err := os.ReadFile(other)
	require.NoError(t, err)
	for name, row := range map[string]struct {
		config sqlite.Config
		want   error
	}{
		"missing":         {sqlite.Config{Path: filepath.Join(dir, "missing.db")}, quota.ErrNoLedger},
		"empty":           {sqlite.Config{Path: empty}, quota.ErrNoLedger},
		"newer":           {sqlite.Config{Path: newer}, quota.ErrNewerSchema},
		"another program": {sqlite.Config{Path: other}, quota.ErrNotLedger},
		"other allowance": {sqlite.Config{Path: closedLedger(t), Allowance: "team"}, quota.ErrNoLedger},
		"not a database":  {sqlite.Config{Path: text}, quota.ErrNotLedger},
		"no path":         {sqlite.Config{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlite.Open(t.Context(), row.config)
			require.Error(t, err)
			if row.want != nil {
				assert.ErrorIs(t, err, row.want)
			}
		})
	}
	assert.NoFileExists(t, filepath.Join(dir, "missing.db"), "opening makes nothing")
	after, err := os.ReadFile(other)
	require.NoError(t, err)
	assert.Equal(t, before, after, "what belongs to another program stays as it is")
}

func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sqlite.Open(ctx, sqlite.Config{Path: closedLedger(t)})
	require.ErrorIs(t, err, context.Canceled)
}

func TestInitRefusesExisting(t *testing.T) {
	path := closedLedger(t)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 5})
	require.ErrorIs(t, err, quota.ErrLedgerExists)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	_, err = sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: -5})
	require.Error(t, err)
}

func TestInitMakesFolder(t *testing.T) {
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), ".hsharness", "100% mine?#.db")}, quota.InitSpec{Granted: 5})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

// Not even another program can change or delete what is journaled, short of
// dropping the triggers first and making them again; then Verify finds out.
func TestEntriesAreAppendOnly(t *testing.T) {
	path := closedLedger(t)
	for _, sql := range []string{
		"UPDATE entry SET units = 0 WHERE kind = 'spend'",
		"UPDATE entry SET note = 'x'",
		"DELETE FROM entry WHERE seq = 4",
		"DELETE FROM entry",
		"INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE seq = 4",
		"INSERT INTO entry SELECT -1, at, run, 'block', 0, '', '', '', '', '', 0, 0, 0, '', '' FROM entry WHERE seq = 1",
		"DELETE FROM run",
		"UPDATE run SET spent = 0",
		"UPDATE run SET state = 'active', over = 0",
		"UPDATE ledger SET base = -1",
		"UPDATE ledger SET granted = 'many'",
	} {
		assert.ErrorIs(t, tamper(t, path, sql), sqlite3.CONSTRAINT, sql)
	}
	require.Empty(t, problems(t, path))
	require.NoError(t, tamper(t, path, `DROP TRIGGER entry_stays; DELETE FROM entry WHERE kind = 'spend';
		CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END`))
	require.NotEmpty(t, problems(t, path))
}

func problems(t *testing.T, path string) []string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	report, err := s.Verify(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return report.Problems
}

func TestVerifyFindsWrongBalance(t *testing.T) {
	path := closedLedger(t)
	require.NoError(t, tamper(t, path, "UPDATE ledger SET base = 0"))
	assert.Equal(t, []string{"spent is 0, the entries sum to 1"}, problems(t, path))
}

func TestImport(t *testing.T) {
	from, err := sqlite.Open(t.Context(), sqlite.Config{Path: closedLedger(t)})
	require.NoError(t, err)
	defer from.Close()
	info, err := from.Info(t.Context())
	require.NoError(t, err)
	config := sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}
	to, err := sqlite.Import(t.Context(), config, info, from.Entries(t.Context(), 0))
	require.NoError(t, err)

	want, err := from.Status(t.Context())
	require.NoError(t, err)
	got, err := to.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, want, got)
	copied, err := to.Info(t.Context())
	require.NoError(t, err)
	info.Path = copied.Path
	assert.Equal(t, info, copied)
	assert.Equal(t, collect(t, from.Entries(t.Context(), 0)), collect(t, to.Entries(t.Context(), 0)))
	_, err = to.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 49}, nil)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	assert.Empty(t, problems(t, config.Path))
	_, err = sqlite.Import(t.Context(), config, info, from.Entries(t.Context(), 0))
	require.ErrorIs(t, err, quota.ErrLedgerExists)
}

func collect(t *testing.T, entries iter.Seq2[quota.Entry, error]) (all []quota.Entry) {
	t.Helper()
	for e, err := range entries {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

func TestImportRefuses(t *testing.T) {
	from, err := sqlite.Open(t.Context(), sqlite.Config{Path: closedLedger(t)})
	require.NoError(t, err)
	defer from.Close()
	info, err := from.Info(t.Context())
	require.NoError(t, err)
	_, err = from.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 1}, nil)
	require.NoError(t, err)
	config := sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}
	_, err = sqlite.Import(t.Context(), config, info, from.Entries(t.Context(), 0))
	require.ErrorIs(t, err, quota.ErrRunsActive)

	_, err = from.End(t.Context(), "b", quota.Counters{})
	require.NoError(t, err)
	_, err = sqlite.Import(t.Context(), config, info, func(yield func(quota.Entry, error) bool) {
		for e, err := range from.Entries(t.Context(), 0) {
			if e.Kind != quota.KindHold && !yield(e, err) {
				return
			}
		}
	})
	require.ErrorContains(t, err, "don't add up")
	_, err = sqlite.Import(t.Context(), config, info, func(yield func(quota.Entry, error) bool) {
		for e, err := range from.Entries(t.Context(), 0) {
			if e.Kind == quota.KindGrant {
				e.Units = math.MaxInt64
			}
			if !yield(e, err) {
				return
			}
		}
	})
	var wrong *quota.EntryError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, "units", wrong.Member)
	_, err = sqlite.Import(t.Context(), config, info, func(func(quota.Entry, error) bool) {})
	require.ErrorContains(t, err, "no entries")

	// What was refused left nothing behind that could be taken for a ledger.
	_, err = sqlite.Open(t.Context(), config)
	require.ErrorIs(t, err, quota.ErrNoLedger)
	s, err := sqlite.Import(t.Context(), config, info, from.Entries(t.Context(), 0))
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
