package quota

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkHighWater is what a high-water mark adds to a spend that is in the ledger.
func BenchmarkHighWater(b *testing.B) {
	w, err := newHighWater(b.TempDir(), "account")
	require.NoError(b, err)
	trail := newTrail(w, nil, "ledger")
	require.NoError(b, trail.begin(b.Context(), Entry{Seq: 1}, place{}))
	e := Entry{Seq: 1}
	b.ReportAllocs()
	for b.Loop() {
		e.Seq++
		require.NoError(b, trail.note(b.Context(), e))
	}
}
