package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestSuiteWithoutDescriptions is all that a store has to do where statements are not
// described first, so that the driver asks for the type of each parameter; make check
// runs it as a release is built, too.
func TestSuiteWithoutDescriptions(t *testing.T) {
	t.Parallel()
	dsn := with(pgtest.Database(t), "default_query_exec_mode", "exec")
	quotatest.Run(t, quotatest.Suite{
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
