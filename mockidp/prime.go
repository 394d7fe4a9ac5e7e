package mockidp

import (
	"crypto/rand"
	"math/big"
	"math/bits"
)

// sieved is below what the small primes are that a candidate is divided by first:
// of the odd numbers one in six is left, and an exponentiation costs as much as some
// hundred divisions.
const sieved = 1000

// smallPrimes are the odd primes below [sieved].
func smallPrimes() (primes []uint64) {
	var composite [sieved]bool
	for p := 3; p < sieved; p += 2 {
		if composite[p] {
			continue
		}
		primes = append(primes, uint64(p))
		for q := p * p; q < sieved; q += p {
			composite[q] = true
		}
	}
	return primes
}

// largePrime is a random prime of 256 bits that begins with four bits set: the
// product of eight such has all its bits. It is the next one after a random number,
// which is no way to make a key that has to be kept.
func largePrime(small []uint64) *big.Int {
	remainders := make([]uint64, len(small))
	b := make([]byte, keyBits/8/multiPrimes)
	prime := new(big.Int)
	for {
		_, _ = rand.Read(b) // never fails
		b[0] |= 0xf0
		b[len(b)-1] |= 1
		start := limbsOf(prime.SetBytes(b))
		for i, p := range small {
			remainders[i] = start.mod(p)
		}
		// The last limb may overflow: another beginning then.
		for step := uint64(0); start[0]+step >= start[0] && step < 1<<20; step += 2 {
			if divisible(remainders, small, step) {
				continue
			}
			candidate := start
			candidate[0] += step
			// A number that Fermat's test for 2 rules out is none; Baillie-PSW has no
			// known exception.
			if prime = candidate.int(); fermat(prime) && prime.ProbablyPrime(0) {
				return prime
			}
		}
	}
}

// divisible tells whether a number that is step more than one with these remainders
// is a multiple of one of the small primes.
func divisible(remainders, small []uint64, step uint64) bool {
	for i, p := range small {
		if (remainders[i]+step)%p == 0 {
			return true
		}
	}
	return false
}

// fermat tells whether 2 to n-1 is 1 modulo n, as it is for every odd prime n.
func fermat(n *big.Int) bool {
	m := newMontgomery(n)
	power := m.modulus
	power[0]-- // n is odd
	return m.exp(limbs{2}, power) == limbs{1}
}

// mod is the remainder of a division by a number of fewer than 64 bits.
func (l *limbs) mod(p uint64) (remainder uint64) {
	for i := len(l) - 1; i >= 0; i-- {
		_, remainder = bits.Div64(remainder, l[i], p)
	}
	return remainder
}
