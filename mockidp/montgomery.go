package mockidp

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// limbs is a number of 256 bits, the lowest 64 first.
type limbs [4]uint64

func limbsOf(x *big.Int) (l limbs) {
	var b [32]byte
	x.FillBytes(b[:])
	for i := range l {
		l[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
	return l
}

func (l *limbs) int() *big.Int {
	var b [32]byte
	for i, limb := range l {
		binary.BigEndian.PutUint64(b[24-8*i:], limb)
	}
	return new(big.Int).SetBytes(b[:])
}

// montgomery multiplies modulo an odd number of 256 bits (P. L. Montgomery,
// "Modular multiplication without trial division", 1985). It is what makes a
// [multiPrimeKey] cheap: math/big does the same for any length, and so spends
// most of its time on the way. It is not constant in time.
type montgomery struct {
	modulus limbs
	inverse uint64 // -1/modulus mod 2^64
	square  limbs  // 2^512 mod modulus: what takes a number in
}

func newMontgomery(modulus *big.Int) montgomery {
	m := montgomery{modulus: limbsOf(modulus)}
	inverse := m.modulus[0] // Newton's iteration doubles the right bits, from 3
	for range 5 {
		inverse *= 2 - m.modulus[0]*inverse
	}
	m.inverse = -inverse
	square := new(big.Int).Lsh(big.NewInt(1), 512)
	m.square = limbsOf(square.Mod(square, modulus))
	return m
}

// mul returns x·y/2^256 mod modulus, for x and y below it.
func (m *montgomery) mul(x, y *limbs) limbs {
	var t [6]uint64
	for i := range y {
		var carry uint64
		for j := range x {
			carry, t[j] = multiplyAdd(x[j], y[i], t[j], carry)
		}
		t[4], t[5] = bits.Add64(t[4], carry, 0)
		q := t[0] * m.inverse
		carry, _ = multiplyAdd(q, m.modulus[0], t[0], 0) // the low limb becomes 0
		for j := 1; j < len(x); j++ {
			carry, t[j-1] = multiplyAdd(q, m.modulus[j], t[j], carry)
		}
		var over uint64
		t[3], over = bits.Add64(t[4], carry, 0)
		t[4] = t[5] + over
	}
	var z limbs
	var borrow uint64
	for i := range z {
		z[i], borrow = bits.Sub64(t[i], m.modulus[i], borrow)
	}
	if borrow > t[4] { // it was below the modulus
		copy(z[:], t[:4])
	}
	return z
}

// multiplyAdd is a·b + c + d, which fits into two limbs.
func multiplyAdd(a, b, c, d uint64) (high, low uint64) {
	high, low = bits.Mul64(a, b)
	low, carry := bits.Add64(low, c, 0)
	high += carry
	low, carry = bits.Add64(low, d, 0)
	return high + carry, low
}

// exp returns base to the exponent, for a base below the modulus, four bits of
// the exponent at a time.
func (m *montgomery) exp(base, exponent limbs) limbs {
	one := limbs{1}
	var powers [16]limbs // of base, taken in
	powers[0], powers[1] = m.mul(&one, &m.square), m.mul(&base, &m.square)
	for i := 2; i < len(powers); i++ {
		powers[i] = m.mul(&powers[i-1], &powers[1])
	}
	z := powers[0]
	for i := len(exponent) - 1; i >= 0; i-- {
		for shift := 60; shift >= 0; shift -= 4 {
			for range 4 {
				z = m.mul(&z, &z)
			}
			z = m.mul(&z, &powers[exponent[i]>>shift&15])
		}
	}
	return m.mul(&z, &one)
}
