package postgres_test

import (
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

func BenchmarkLarge(b *testing.B) {
	quotatest.Large(b, func(b *testing.B, info quota.Info, entries iter.Seq2[quota.Entry, error]) quota.Store {
		config := postgres.Config{DSN: with(pgtest.Database(b), "statement_timeout", "60s"), Lease: time.Hour}
		s, err := postgres.Import(b.Context(), config, info, entries)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, s.Close()) })
		return s
	})
}
