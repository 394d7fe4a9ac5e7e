package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	quotatest.Run(t, quotatest.Suite{
		Open: func(t testing.TB, config quotatest.Config) quota.Store {
			s, err := sqlite.Init(t.Context(), suiteConfig(config), config.Init)
			require.NoError(t, err)
			return s
		},
		Reopen: func(t testing.TB, config quotatest.Config) quota.Store {
			s, err := sqlite.Open(t.Context(), suiteConfig(config))
			require.NoError(t, err)
			return s
		},
	})
}

func suiteConfig(c quotatest.Config) sqlite.Config {
	return sqlite.Config{Path: filepath.Join(c.Dir, "ledger.db"), Now: c.Now, Gone: c.Gone}
}
