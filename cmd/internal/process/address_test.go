package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/project"
)

// TestPasswordsOfALedgerReachNoCommand, whether the address can be read or was mistyped.
func TestPasswordsOfALedgerReachNoCommand(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://me:k7Qz-pass@host/db?sslmode=require":     "postgres://me@host/db?sslmode=require",
		"postgres://me@host/db?password=k7Qz-pass&sslmode=x":  "postgres://me@host/db?sslmode=x",
		"postgres://host/db?p%61ssword=k7Qz-pass":             "postgres://host/db",
		"postgres://me:50%k7Qz-pass@host/db":                  "postgres://me:@host/db",
		"postgres://me:k7Qz-pass/1@host/db":                   "postgres://me:@host/db",
		"postgres://me:k7Qz-pass?1@host/db":                   "postgres://me:",
		"postgres://me:k7Qz-pass@host:port/db":                "postgres://me:@host:port/db",
		"postgres:///me:k7Qz-pass@host/db":                    "postgres:///me:@host/db",
		"POSTGRES://me:k7Qz-pass@host/db":                     "postgres://me@host/db",
		"postgres://me@host/db?password=k7Qz-pass;1&sslkey=x": "postgres://me@host/db?",
		"postgres://me@host/db?password=50%k7Qz-pass":         "postgres://me@host/db?",
		"postgres://me@host/db#password=k7Qz-pass":            "postgres://me@host/db#",
		"host=db user=me password=k7Qz-pass":                  "host=db user=me ",
		"postgres://me@host/db?sslmode=require":               "postgres://me@host/db?sslmode=require",
		"postgres://me@host:port/db":                          "postgres://me@host:port/db",
		"sqlite:a:b@c?password=x":                             "sqlite:a:b@c?password=x",
		".hsharness/ledger.db":                                ".hsharness/ledger.db",
	} {
		t.Setenv(ledgerVariable, address)
		t.Setenv("DATABASE_URL", address)
		environ, changed := Environ{Project: &project.Project{}, Getenv: os.Getenv}.Sort()
		assert.Contains(t, environ, ledgerVariable+"="+want)
		assert.False(t, slices.ContainsFunc(environ, func(v string) bool { return strings.Contains(v, "k7Qz") }), address)
		assert.Equal(t, want != address, slices.Contains(changed, ledgerVariable), address)
	}
}

// TestAWordThatIsAPasswordReachesNoCommand: no text is searched for words, so it is known by
// its variable.
func TestAWordThatIsAPasswordReachesNoCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(file, []byte("version: 1\nledger: \"postgres://${DB_USER}:${DB_WORD}@db.internal/${DB_NAME}\"\n"), 0o600))
	t.Setenv("DB_USER", "ledger")
	t.Setenv("DB_NAME", "units")
	for _, word := range []string{"hunter2", "a+b", "a%2Bb", "50%"} {
		t.Setenv("DB_WORD", word)
		pr, err := project.Read(file, false, os.Getenv)
		require.NoError(t, err)
		environ, changed := Environ{Project: pr, Getenv: os.Getenv}.Sort()
		assert.Equal(t, []string{"DB_WORD"}, changed, word)
		assert.Contains(t, environ, "DB_USER=ledger")
		assert.Contains(t, environ, "DB_NAME=units")
		assert.NotContains(t, environ, "DB_WORD="+word)
	}
}
