package guard

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the pattern and the path, several ** match what they match where each is tried
// against each other.
func TestWideMatchesAsTriedOneByOne(t *testing.T) {
	t.Parallel()
	var tried func(pattern, p []string) bool
	tried = func(pattern, p []string) bool {
		switch {
		case len(pattern) == 0:
			return len(p) == 0
		case pattern[0] == "**":
			return tried(pattern[1:], p) || len(p) > 0 && plain(p[0]) && tried(pattern, p[1:])
		}
		return len(p) > 0 && matchSegment(pattern[0], p[0]) && tried(pattern[1:], p[1:])
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	some := func(of ...string) []string {
		out := make([]string, 1+random.IntN(6))
		for i := range out {
			out[i] = of[random.IntN(len(of))]
		}
		return out
	}
	matched := 0
	for range 200_000 {
		pattern, p := some("**", "**", "a", "b", "*", "a**b", "x%20", ""), some("a", "b", "ab", "x%20", "b;c", "")
		want := tried(pattern, p)
		if want {
			matched++
		}
		for _, match := range []func(pattern, p remainder) bool{matchPath, matchWide} {
			require.Equal(t, want, match(remainder{text: strings.Join(pattern, "/")}, remainder{text: strings.Join(p, "/")}), "%q %q", pattern, p)
		}
	}
	require.NotZero(t, matched)
}
