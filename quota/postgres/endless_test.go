package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// A trigger that somebody put on the tables and that has no end is ended by the server:
// nothing is admitted, and nothing spent.
func TestEndlessTrigger(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: with(dsn, "statement_timeout", "300")})
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = session(t, dsn).Exec(t.Context(), `CREATE FUNCTION endless() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN LOOP END LOOP; END';
		CREATE TRIGGER slow BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION endless()`)
	require.NoError(t, err)

	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.ErrorContains(t, err, "did not answer in time")
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 1}, nil)
	require.ErrorContains(t, err, "did not answer in time")
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(10), status.Held)
}
