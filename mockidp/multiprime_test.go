package mockidp_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

// Package crypto/rsa is the verifier: it knows nothing of how many primes there
// are.
func TestMultiPrimeSignaturesVerify(t *testing.T) {
	t.Parallel()
	for range 5 {
		key := mockidp.NewMultiPrimeKey()
		public, ok := key.Public().(*rsa.PublicKey)
		require.True(t, ok)
		assert.Equal(t, 2048, public.N.BitLen())
		assert.Equal(t, 65537, public.E)
		for i := range 20 {
			digest := sha256.Sum256([]byte{byte(i)})
			signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
			require.NoError(t, err)
			require.Len(t, signature, 256)
			require.NoError(t, rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature))
			signature[i] ^= 1
			require.Error(t, rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature))
		}
	}
}

func TestMultiPrimeKeysDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 3 {
		key := mockidp.NewMultiPrimeKey()
		seen[key.Public().(*rsa.PublicKey).N.Text(16)] = true
	}
	assert.Len(t, seen, 3)
}

func TestMultiPrimeKeySignsNothingElse(t *testing.T) {
	t.Parallel()
	key := mockidp.NewMultiPrimeKey()
	long := sha512.Sum512(nil)
	_, err := key.Sign(rand.Reader, long[:], crypto.SHA512)
	require.Error(t, err)
	_, err = key.Sign(rand.Reader, long[:], crypto.SHA256)
	require.Error(t, err, "a digest of the wrong length")
	short := sha256.Sum256(nil)
	_, err = key.Sign(rand.Reader, short[:], nil)
	require.Error(t, err)
	_, err = key.Sign(rand.Reader, short[:], &rsa.PSSOptions{Hash: crypto.SHA384})
	require.Error(t, err)
}

func TestMockKeysSaySo(t *testing.T) {
	t.Parallel()
	assert.True(t, mockidp.NewMockKeys().MockOnly())
	assert.False(t, mockidp.NewKeys(nil).MockOnly())
	idp, err := mockidp.New(mockidp.Config{})
	require.NoError(t, err)
	assert.True(t, idp.Keys().MockOnly(), "the zero Config is a mock")
}
