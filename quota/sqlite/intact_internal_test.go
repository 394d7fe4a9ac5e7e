package sqlite

import (
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSchemaSums(t *testing.T) {
	t.Parallel()
	require.Len(t, schemaSums, schemaVersion)
	for version := range schemaSums {
		c, err := dial(t.Context(), ":memory:")
		require.NoError(t, err)
		for _, step := range schemas[:version] {
			require.NoError(t, c.script(step))
		}
		sum, err := c.sum()
		require.NoError(t, err)
		assert.Equal(t, schemaSums[version], sum, version)
		require.NoError(t, c.close())
	}
}

func BenchmarkIntact(b *testing.B) {
	c, err := dial(b.Context(), ":memory:")
	require.NoError(b, err)
	for _, step := range schemas {
		require.NoError(b, c.script(step))
	}
	for b.Loop() {
		require.NoError(b, c.intact(b.Context(), schemaVersion))
	}
	require.NoError(b, c.close())
}

// TestAnUpgradeUnderWhoReads: in a ledger that has tables of others, what stands on its own
// is read after its version was. An upgrade between the two is no damage.
func TestAnUpgradeUnderWhoReads(t *testing.T) {
	t.Parallel()
	path := Version1(t, false)
	writer, err := dial(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, writer.script("CREATE TABLE theirs(x)"))
	c, err := dial(t.Context(), path)
	require.NoError(t, err)
	upgraded := false
	require.NoError(t, c.db.Trace(sqlite3.TRACE_STMT, func(_ sqlite3.TraceEvent, _, sql any) error {
		if text, ok := sql.(string); ok && strings.HasPrefix(text, "SELECT type, name") && !upgraded {
			upgraded = true
			return writer.migrate()
		}
		return nil
	}))
	require.NoError(t, c.known(t.Context()))
	assert.True(t, upgraded)
	require.NoError(t, c.close())
	require.NoError(t, writer.close())
}
