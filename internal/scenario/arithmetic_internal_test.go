package scenario

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Numbers that need no more than the processor's own arithmetic get no more: expressions
// calculate a million times, and are bounded by their steps. Each may make its operands and its result.
func TestCalculationsThatAreCheap(t *testing.T) {
	cheap := func(what string, f func()) {
		t.Helper()
		assert.LessOrEqual(t, testing.AllocsPerRun(100, f), 8.0, what)
	}
	for _, op := range []string{"+", "-", "*", "/", "**"} {
		for _, pair := range [][2]any{{300, 7}, {300, 1.5}, {1.5, 300}, {2.25, 1.5}} {
			cheap(op, func() { _, _ = calculate(op, pair[0], pair[1]) })
		}
	}
	cheap("%", func() { _, _ = calculate("%", 300, 7) })
	cheap("<", func() { ordered("<", 300, 7) })
	cheap("<", func() { ordered("<", 2.25, 1.5) })
}

// The short ways have the results of the long one, at the places where they end.
func TestCalculationsAtTheEdges(t *testing.T) {
	t.Parallel()
	const most = 1 << 30
	for _, i := range []int{-most - 1, -most, 1 - most, -1, 0, 1, most - 1, most, most + 1} {
		for _, j := range []int{-most - 1, -most, 1 - most, -1, 0, 1, most - 1, most, most + 1} {
			x, y := int64(i), int64(j)
			for op, want := range map[string]int64{"+": x + y, "-": x - y, "*": x * y} {
				got, err := calculate(op, i, j)
				if int64(int(want)) != want {
					require.ErrorIs(t, err, errLost)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, int(want), got, "%d %s %d", i, op, j)
			}
		}
	}
	for _, v := range []float64{math.Copysign(0, -1), 0.1, 5e-324, math.MaxFloat64} {
		got, err := double(v)
		require.NoError(t, err)
		assert.Equal(t, v, got)
		assert.False(t, math.Signbit(got.(float64)), "-0 is 0")
	}
	var exactly int64 = maxWhole // not a constant, which is too large for some ints
	whole := int(exactly)
	for _, v := range []any{whole - 1, whole, Decimal{"1e2"}} {
		e, ok := exactOf(v)
		require.True(t, ok)
		want, ok := floatOf(e)
		require.True(t, ok)
		got, err := double(v)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := double(whole + 1)
	require.ErrorIs(t, err, errLost)
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		_, ok := compareNumbers(v, v)
		assert.False(t, ok)
		_, ok = exactOf(v)
		assert.False(t, ok)
	}
}

// Each evaluation costs as many steps as it has parts, whatever they come to.
func TestEachPartIsAStep(t *testing.T) {
	t.Parallel()
	s, err := Parse("x.yaml", []byte("version: 1\nname: x\nsteps:\n  - request: GET /a\n    expect: { assert: [ 'res.status == 1 || res.status + 2 > 3' ] }\n"))
	require.NoError(t, err)
	left := 10_000
	_, err = s.Steps[0].Expect.Assert[0].Eval(Env{left: &left, Res: &Response{Status: 1}})
	require.NoError(t, err)
	assert.LessOrEqual(t, left, 10_000-evaluation-9, "three operators, two members of two parts each, and the numbers")
}
