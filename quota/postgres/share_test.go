package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestShares is the suite for what is shared beside the journal.
func TestShares(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	quotatest.Shares(t, quotatest.Suite{
		Open: func(t testing.TB, config quotatest.Config) quota.Store {
			s, err := postgres.Init(t.Context(), suiteConfig(dsn, config), config.Init)
			require.NoError(t, err)
			return s
		},
		Reopen: func(t testing.TB, config quotatest.Config) quota.Store {
			s, err := postgres.Open(t.Context(), suiteConfig(dsn, config))
			require.NoError(t, err)
			return s
		},
	})
}
