package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// Settings of the whole server can't be changed for a test alone.
func TestUnsafeSettings(t *testing.T) {
	good := settings{
		version: 150000, fsync: "on", fullPageWrites: "on", synchronousCommit: "on", dataSyncRetry: "off",
		encoding: "UTF8", clientEncoding: "UTF8", isolation: "read committed", searchPath: searchPath, triggers: "origin", readOnly: "f",
		zeroDamaged: "off", ignoreDamaged: "off",
	}
	require.NoError(t, good.usable())
	require.NoError(t, good.durable())
	for want, spoil := range map[string]func(*settings){
		"PostgreSQL 120000 is older":                    func(s *settings) { s.version = 120000 },
		"fsync is off":                                  func(s *settings) { s.fsync = "off" },
		"full_page_writes is off":                       func(s *settings) { s.fullPageWrites = "off" },
		"synchronous_commit is off":                     func(s *settings) { s.synchronousCommit = "off" },
		"synchronous_commit is local":                   func(s *settings) { s.synchronousCommit = "local" },
		"data_sync_retry is on":                         func(s *settings) { s.dataSyncRetry = "on" },
		"server_encoding is LATIN1":                     func(s *settings) { s.encoding = "LATIN1" },
		"read-only or a standby":                        func(s *settings) { s.readOnly = "t" },
		"client_encoding is LATIN1":                     func(s *settings) { s.clientEncoding = "LATIN1" },
		"zero_damaged_pages is on":                      func(s *settings) { s.zeroDamaged = "on" },
		"ignore_checksum_failure is":                    func(s *settings) { s.ignoreDamaged = "on" },
		"search_path is public":                         func(s *settings) { s.searchPath = "public" },
		"session_replication_role is":                   func(s *settings) { s.triggers = "replica" },
		"default_transaction_isolation is serializable": func(s *settings) { s.isolation = "serializable" },
	} {
		is := good
		spoil(&is)
		assert.ErrorContains(t, errors.Join(is.usable(), is.durable()), want)
	}
}

func TestRepeatable(t *testing.T) {
	ctx := context.Background()
	for state, want := range map[string]bool{
		"23505": true, "40001": true, "40P01": true, "08006": true, "57P01": true, "57P03": true, "25P03": true,
		"57014": false, "53100": false, "58030": false, "42501": false, "23514": false,
	} {
		assert.Equal(t, want, repeatable(ctx, &pgconn.PgError{Code: state}), state)
	}
	assert.True(t, repeatable(ctx, errors.New("connection reset")))
	assert.False(t, repeatable(ctx, own(quota.ErrWentBack)))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	assert.False(t, repeatable(cancelled, errors.New("connection reset")))
}

// TestStatementsNameTheSchema reads the source: a table without the schema would
// be looked for in search_path.
func TestStatementsNameTheSchema(t *testing.T) {
	bare := regexp.MustCompile(`\b(FROM|JOIN|INTO|UPDATE|TABLE|ON) (entry|run|ledger|schema_version|refuse)([^.\w]|$)`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	steps, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, steps)
	for _, name := range append(files, steps...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Empty(t, bare.FindAllString(string(text), -1), name)
	}
}
