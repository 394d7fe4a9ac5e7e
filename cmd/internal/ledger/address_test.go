package ledger

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// A ledger in the place of what SQLite keeps beside another would be the end of both.
func TestNoLedgerIsMadeOfAPartOfAnother(t *testing.T) {
	t.Parallel()
	at := Address{Path: filepath.Join(t.TempDir(), "ledger.db")}
	require.NoError(t, os.WriteFile(at.Path, []byte("SQLite format 3\x00"), 0o600))
	at.Path += "-wal"
	_, err := at.Init(t.Context(), quota.InitSpec{})
	require.ErrorContains(t, err, "is a part of the ledger")
	_, err = at.Import(t.Context(), quota.Info{}, nil)
	require.ErrorContains(t, err, "is a part of the ledger")
	assert.NoFileExists(t, at.Path)
}

func TestAddressShowsNoPassword(t *testing.T) {
	t.Parallel()
	for dsn, shown := range map[string]string{
		"postgres://u:secretword@h:5433/d?sslmode=require": "postgres://u@h:5433/d",
		"postgres://h/d?password=secretword&dbname=e":      "postgres://h/d?dbname=e",
		"postgres:///u:secretword@h/d":                     "postgres:///u:xxxxx@h/d",
		"postgres:///u:secret@word@h/d":                    "postgres:///u:xxxxx@h/d",
		"postgres://h/d?user=u:secretword@h":               "postgres://h/d?user=u%3Axxxxx%40h",
		"postgres://h/team@work":                           "postgres://h/team@work",
		"postgres://h:5433/team%40work":                    "postgres://h:5433/team@work",
		"postgres://u:12/secretword@h/d":                   "postgres://…",
		"postgres://u:/secretword@h/d":                     "postgres://…",
		"postgres://u:12?secretword@h/d":                   "postgres://…",
		"postgres://u:12#secretword@h/d":                   "postgres://…",
		"postgres://h:5433/d?user=u@work":                  "postgres://h:5433/d?user=u%40work",
	} {
		assert.Equal(t, shown, Address{DSN: dsn}.Public(), dsn)
	}
}
