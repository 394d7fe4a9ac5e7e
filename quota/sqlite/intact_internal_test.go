package sqlite

import (
	"testing"

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
