package guard

import "slices"

// Graver tells whether exit code a says more of a run than b does: of several
// that a run earned it ends with the gravest. The order is 4, 7, 2, 3, 5, 6, 1
// and then every other.
func Graver(a, b int) bool {
	order := []int{4, 7, 2, 3, 5, 6, 1}
	rank := func(code int) int {
		if i := slices.Index(order, code); i >= 0 {
			return i
		}
		return len(order)
	}
	return rank(a) < rank(b)
}
