package mockidp

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// TestLargePrimes: prime by tests with more bases than the search makes, and so long
// that eight of them fill the modulus.
func TestLargePrimes(t *testing.T) {
	t.Parallel()
	small := smallPrimes()
	assert.Len(t, small, 167) // there are 168 below 1,000, and 2 is one
	for range 50 {
		prime := largePrime(small)
		assert.True(t, prime.ProbablyPrime(20), "%v", prime)
		assert.Equal(t, 256, prime.BitLen())
		assert.EqualValues(t, 0xf0, prime.Bytes()[0]&0xf0)
	}
}

// TestSieveIsMathBig compares remainders and Fermat's test with those of math/big.
func TestSieveIsMathBig(t *testing.T) {
	t.Parallel()
	small := smallPrimes()
	rapid.Check(t, func(t *rapid.T) {
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0, 0xff})), 32, 32).Draw(t, "n"))
		n.SetBit(n, 0, 1).SetBit(n, 255, 1)
		start := limbsOf(n)
		step := 2 * rapid.Uint64Range(0, 1<<18).Draw(t, "half a step")
		remainders := make([]uint64, len(small))
		for i, p := range small {
			remainders[i] = start.mod(p)
			assert.Equal(t, new(big.Int).Mod(n, new(big.Int).SetUint64(p)).Uint64(), remainders[i])
		}
		later := new(big.Int).Add(n, new(big.Int).SetUint64(step))
		factor := false
		for _, p := range small {
			factor = factor || new(big.Int).Mod(later, new(big.Int).SetUint64(p)).Sign() == 0
		}
		assert.Equal(t, factor, divisible(remainders, small, step))
		power := new(big.Int).Exp(big.NewInt(2), new(big.Int).Sub(n, big.NewInt(1)), n)
		assert.Equal(t, power.Cmp(big.NewInt(1)) == 0, fermat(n))
	})
}
