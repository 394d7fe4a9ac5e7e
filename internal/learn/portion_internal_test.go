package learn

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestPortionsAreBounded: of very many exchanges those whose keys come first are kept, in
// whatever order they come, and never more than twice of what may be in the end.
func TestPortionsAreBounded(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		of         exchange
		most, want int // at any time, and in the end
	}{
		"recordings": {exchange{bytes: 10, values: 1}, 2 * mostRecordings, mostRecordings},
		"bytes":      {exchange{bytes: 1 << 20, values: 1}, 2 * 64, 64},
		"values":     {exchange{bytes: 10, values: 10_000}, 2 * 100, 100},
		"one":        {exchange{bytes: 100 << 20, values: 1}, 2, 1},
	} {
		const n = 5_000
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		for range 2 { // the last one first, too
			slices.Reverse(order)
			p := &portion{}
			for _, i := range order {
				e := row.of
				e.key = fmt.Sprintf("%06d", i)
				p.add(&e)
				assert.LessOrEqual(t, len(p.kept), row.most, name)
			}
			kept := p.take()
			assert.Len(t, kept, row.want, name)
			assert.Equal(t, n-row.want, p.more, name)
			assert.Equal(t, fmt.Sprintf("%06d", row.want-1), kept[len(kept)-1].key, name)
		}
	}
}
