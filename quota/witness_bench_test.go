package quota

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkWitness is what a witness adds to a spend that is in the ledger.
func BenchmarkWitness(b *testing.B) {
	w, err := NewWitness(b.TempDir(), "account")
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
