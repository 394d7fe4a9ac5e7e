package mockidp

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"io"
	"math/big"
)

// multiPrimes is of how many primes the modulus of a [multiPrimeKey] is.
// RFC 8017 §3.1 allows any number; more make a signature cheaper, and the key
// weaker: at eight, a factor has 256 bits, which a determined attacker finds.
const multiPrimes = 8

// publicExponent is everybody's.
const publicExponent = 65537

// sha256Prefix is the DER encoding of a SHA-256 DigestInfo up to the digest
// (RFC 8017 §9.2, note 1).
var sha256Prefix = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// multiPrimeKey signs by the Chinese remainder theorem: one short exponentiation
// for each prime instead of two long ones.
type multiPrimeKey struct {
	public rsa.PublicKey
	parts  [multiPrimes]crtPart
}

// crtPart is what one prime adds to a signature.
type crtPart struct {
	prime    *big.Int
	power    montgomery // to d mod (prime - 1), modulo prime
	exponent limbs
	lift     *big.Int // 1 mod this prime, 0 mod every other one
}

// newMultiPrimeKey makes an RSA key of 2048 bits whose signatures every verifier
// of RS256 accepts and that cost a fifth of a usual key's; making it costs a
// fifteenth. It is for mocks alone: its modulus is easy to factor, and signing is
// not constant in time. Never let one sign anything that somebody might gain
// from forging.
func newMultiPrimeKey() crypto.Signer {
	for {
		if key := tryMultiPrimeKey(); key != nil {
			return key
		}
	}
}

// tryMultiPrimeKey returns nil where the primes that came do not fit together.
func tryMultiPrimeKey() *multiPrimeKey {
	one, e, small := big.NewInt(1), big.NewInt(publicExponent), smallPrimes()
	k := &multiPrimeKey{public: rsa.PublicKey{N: big.NewInt(1), E: publicExponent}}
	for i := range k.parts {
		prime := largePrime(small)
		exponent := new(big.Int).ModInverse(e, new(big.Int).Sub(prime, one))
		if exponent == nil { // e divides prime - 1
			return nil
		}
		k.parts[i] = crtPart{prime: prime, power: newMontgomery(prime), exponent: limbsOf(exponent)}
		k.public.N.Mul(k.public.N, prime)
	}
	for i := range k.parts {
		p := &k.parts[i]
		others := new(big.Int).Div(k.public.N, p.prime)
		inverse := new(big.Int).ModInverse(others, p.prime)
		if inverse == nil { // the same prime twice
			return nil
		}
		p.lift = others.Mul(others, inverse)
	}
	return k
}

// Public is the key's public half.
func (k *multiPrimeKey) Public() crypto.PublicKey { return &k.public }

// Sign makes an RSASSA-PKCS1-v1_5 signature (RFC 8017 §8.2.1) of a SHA-256
// digest, and of no other. It is safe for concurrent use.
func (k *multiPrimeKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil || opts.HashFunc() != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
		return nil, errors.New("a multi-prime key signs SHA-256 digests alone")
	}
	const size = keyBits / 8
	encoded := make([]byte, 0, size) // EMSA-PKCS1-v1_5, RFC 8017 §9.2
	encoded = append(encoded, 0, 1)
	encoded = append(encoded, bytes.Repeat([]byte{0xff}, size-3-len(sha256Prefix)-len(digest))...)
	encoded = append(encoded, 0)
	encoded = append(append(encoded, sha256Prefix...), digest...)
	message := new(big.Int).SetBytes(encoded)

	sum, part := new(big.Int), new(big.Int)
	for i := range k.parts {
		p := &k.parts[i]
		power := p.power.exp(limbsOf(part.Mod(message, p.prime)), p.exponent)
		sum.Add(sum, part.Mul(power.int(), p.lift))
	}
	return sum.Mod(sum, k.public.N).FillBytes(make([]byte, size)), nil
}
