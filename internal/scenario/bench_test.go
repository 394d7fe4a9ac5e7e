package scenario_test

import (
	"fmt"
	"testing"

	"github.com/hsharness/hsharness/internal/scenario"
)

// BenchmarkLint parses and lints 1,000 files an operation: the target is under
// one second.
func BenchmarkLint(b *testing.B) {
	src := read(b, "testdata/right/design.yaml")
	b.SetBytes(int64(1000 * len(src)))
	b.ReportAllocs()
	for b.Loop() {
		for i := range 1000 {
			s, err := scenario.Parse(fmt.Sprintf("%d.yaml", i), src)
			if err != nil {
				b.Fatal(err)
			}
			scenario.Lint(s, cost)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/1000files")
}
