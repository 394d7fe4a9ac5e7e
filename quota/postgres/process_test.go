package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// processes share a ledger on the server. A child ends itself, when it is told
// to, where its clock is asked, which for all but a spend is after the allowance
// was locked, and within a sweep where it asks who has died. One that is told
// "earlier:" is a program of schema version 2, and one that is told "clock:" goes by
// the server's clock where turns do.
var processes = quotatest.Processes{
	Init: func(t testing.TB, spec quota.InitSpec) string {
		dsn := pgtest.Database(t)
		s, err := postgres.Init(t.Context(), postgres.Config{DSN: dsn}, spec)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		return dsn
	},
	Open: func(ctx context.Context, place string, how quotatest.How) (quota.Store, error) {
		place, earlier := strings.CutPrefix(place, "earlier:")
		if earlier {
			postgres.BeEarlier(2)
		}
		place, serverClock := strings.CutPrefix(place, "clock:")
		config := postgres.Config{DSN: with(place, "pool_max_conns", "2"), Lease: how.Lease, Now: how.Now}
		if how.Inside != nil {
			config.Now = func() time.Time {
				how.Inside(quotatest.InTransaction)
				return how.Now()
			}
			if serverClock {
				config.Now = nil
			}
			config.Gone = func(p quota.Process) bool {
				how.Inside(quotatest.InSweep)
				return p.Gone()
			}
		}
		return postgres.Open(ctx, config)
	},
}
