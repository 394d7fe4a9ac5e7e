package mockidp

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// TestMontgomeryIsMathBig compares powers with those of math/big, for any odd
// modulus of up to 256 bits, primes or not, and at its edges.
func TestMontgomeryIsMathBig(t *testing.T) {
	number := func(t *rapid.T, name string) *big.Int {
		b := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0, 0xff})), 32, 32).Draw(t, name)
		return new(big.Int).SetBytes(b)
	}
	rapid.Check(t, func(t *rapid.T) {
		modulus := number(t, "modulus")
		modulus.SetBit(modulus, 0, 1)
		if modulus.BitLen() < 2 {
			modulus.SetInt64(3)
		}
		base := number(t, "base")
		switch rapid.IntRange(0, 2).Draw(t, "edge") {
		case 0:
			base.Sub(modulus, big.NewInt(1))
		case 1:
			base.SetInt64(0)
		}
		base.Mod(base, modulus)
		exponent := number(t, "exponent")
		m := newMontgomery(modulus)
		got := m.exp(limbsOf(base), limbsOf(exponent))
		assert.Equal(t, new(big.Int).Exp(base, exponent, modulus).Text(16), got.int().Text(16))
	})
}
