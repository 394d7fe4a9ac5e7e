package sqlite_test

import (
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

func BenchmarkLarge(b *testing.B) {
	quotatest.Large(b, func(b *testing.B, info quota.Info, entries iter.Seq2[quota.Entry, error]) quota.Store {
		s, err := sqlite.Import(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "ledger.db"), Lease: time.Hour}, info, entries)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, s.Close()) })
		return s
	})
}
