package quotatest_test

import (
	"path/filepath"
	"testing"

	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// The test of a store is one call.
func ExampleRun() {
	testStore := func(t *testing.T) {
		config := func(c quotatest.Config) sqlite.Config {
			return sqlite.Config{Path: filepath.Join(c.Dir, "ledger.db"), Now: c.Now, Gone: c.Gone}
		}
		must := func(t testing.TB, s quota.Store, err error) quota.Store {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		quotatest.Run(t, quotatest.Suite{
			Open: func(t testing.TB, c quotatest.Config) quota.Store {
				s, err := sqlite.Init(t.Context(), config(c), c.Init)
				return must(t, s, err)
			},
			Reopen: func(t testing.TB, c quotatest.Config) quota.Store {
				s, err := sqlite.Open(t.Context(), config(c))
				return must(t, s, err)
			},
		})
	}
	_ = testStore // go test calls it
}
