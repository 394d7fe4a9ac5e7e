package mockidp_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

// BenchmarkSign makes one token, without HTTP around it.
func BenchmarkSign(b *testing.B) {
	idp, _ := start(b, mockidp.Config{})
	_, err := idp.Mint(mockidp.Claims{}) // makes the key
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := idp.Mint(mockidp.Claims{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKey makes one key of each kind.
func BenchmarkKey(b *testing.B) {
	b.Run("standard key", func(b *testing.B) {
		for b.Loop() {
			_, err := rsa.GenerateKey(rand.Reader, 2048)
			require.NoError(b, err)
		}
	})
	b.Run("multi-prime key", func(b *testing.B) {
		for b.Loop() {
			mockidp.NewMultiPrimeKey()
		}
	})
}

// BenchmarkToken answers one token request through the handler: with each kind
// of key, and all but the signature.
func BenchmarkToken(b *testing.B) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	for name, set := range map[string]*mockidp.Keys{
		"standard key":      mockidp.NewKeys(nil),
		"multi-prime key":   mockidp.NewMockKeys(),
		"without signature": mockidp.NewKeys(func() (crypto.Signer, error) { return blank{private}, nil }),
	} {
		b.Run(name, func(b *testing.B) {
			idp, _ := start(b, mockidp.Config{Keys: set})
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, tokenPath, strings.NewReader(good))
				r.Header.Set("Content-Type", formType)
				w := httptest.NewRecorder()
				if idp.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// blank signs with zeros, at no cost.
type blank struct{ crypto.Signer }

func (blank) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, 256), nil
}
