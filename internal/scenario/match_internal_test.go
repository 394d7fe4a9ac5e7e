package scenario

import (
	"fmt"
	"testing"
)

// An object or a list that is compared with a value of another kind is not looked into: a
// table may have 100,000 rows of them, each of which is compared.
func TestOtherKindsAreNotLookedInto(t *testing.T) {
	object := make(map[string]any)
	for i := range 1000 {
		object[fmt.Sprint(i)] = i
	}
	list := make([]any, 1000)
	for _, large := range []any{object, list} {
		for _, other := range []any{"text", true, nil, 17, 0.5, numberOf("0.1234567890123456789")} {
			for _, pair := range [][2]any{{large, other}, {other, large}} {
				if equal(pair[0], pair[1]) {
					t.Errorf("%T equals %T", pair[0], pair[1])
				}
				if n := testing.AllocsPerRun(10, func() { equal(pair[0], pair[1]) }); n > 10 {
					t.Errorf("%T compared with %T: %v allocations", pair[0], pair[1], n)
				}
			}
		}
	}
}
