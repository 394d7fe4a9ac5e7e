package mockidp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// keyBits is the size of the RSA keys. RFC 7518 §3.3 asks for 2048 at least;
// what Avalara uses is not public.
const keyBits = 2048

// Keys is the signing keys of a tenant: the newest signs, older ones stay
// listed. The first is made at first use. The zero Keys is ready to use and
// safe for concurrent use.
type Keys struct {
	generate func() (crypto.Signer, error)
	mockOnly bool
	shared   *Keys // see Own

	mu   sync.RWMutex
	list []*key // newest first
}

// key is one signing key with the header of the tokens it signs.
type key struct {
	id     string
	signer crypto.Signer
	public *rsa.PublicKey
	header string // base64url, with the dot
}

// NewKeys returns a set whose keys come from generate, which must give signers
// with an RSA public key. Nil means RSA keys of 2048 bits.
func NewKeys(generate func() (crypto.Signer, error)) *Keys { return &Keys{generate: generate} }

// NewMockKeys returns a set of RSA keys of eight primes: cheap to make and to sign with,
// and for mocks alone.
func NewMockKeys() *Keys {
	return &Keys{generate: func() (crypto.Signer, error) { return newMultiPrimeKey(), nil }, mockOnly: true}
}

// Own returns a set that has the keys of k, those that k makes later too, until
// it is rotated: then the new key signs, and k does not know it. It saves making
// keys, which takes long.
func (k *Keys) Own() *Keys { return &Keys{generate: k.generate, mockOnly: k.mockOnly, shared: k} }

// MockOnly tells whether the set is one of [NewMockKeys], with which nothing may
// be guarded that costs.
func (k *Keys) MockOnly() bool { return k.mockOnly }

// signers lets as many signatures be made at a time as there are processors,
// and those that wait be made in the order they came. More at once would all be
// slow together.
var signers = make(chan struct{}, runtime.GOMAXPROCS(0))

// PublicKey returns the key with this kid, or nil when there is none.
func (k *Keys) PublicKey(kid string) *rsa.PublicKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, key := range k.list {
		if key.id == kid {
			return key.public
		}
	}
	if k.shared != nil {
		return k.shared.PublicKey(kid)
	}
	return nil
}

// maxKeys is how many keys a set lists.
const maxKeys = 100

// Rotate makes a new key that signs from now on. The others stay listed, so
// that the tokens they signed stay valid, until there are more than a hundred.
func (k *Keys) Rotate() error {
	made, err := k.generateKey() // before the lock: it takes long, and tokens go on
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(made)
	return nil
}

// current returns the key that signs, and makes it when there is none. After
// an error the next call tries again.
func (k *Keys) current() (*key, error) {
	k.mu.RLock()
	list := k.list
	k.mu.RUnlock()
	if len(list) > 0 {
		return list[0], nil
	}
	if k.shared != nil {
		return k.shared.current()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.list) > 0 {
		return k.list[0], nil
	}
	made, err := k.generateKey() // under the lock: two first tokens share one key
	if err == nil {
		k.add(made)
	}
	return made, err
}

// all returns the keys, newest first, and makes the first if there is none.
func (k *Keys) all() ([]*key, error) {
	if _, err := k.current(); err != nil {
		return nil, err
	}
	k.mu.RLock()
	list := k.list
	k.mu.RUnlock()
	if k.shared == nil {
		return list, nil
	}
	shared, err := k.shared.all()
	return slices.Concat(list, shared), err
}

// add puts a key before the others. The caller holds the lock.
func (k *Keys) add(made *key) {
	// A new slice each time: readers keep the one they have.
	k.list = append([]*key{made}, k.list[:min(len(k.list), maxKeys-1)]...)
}

func (k *Keys) generateKey() (*key, error) {
	generate := k.generate
	if generate == nil {
		generate = func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, keyBits) }
	}
	signer, err := generate()
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	public, ok := signer.Public().(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("make a signing key: its public key is not an RSA key")
	}
	id := randomHex()
	return &key{id: id, signer: signer, public: public, header: jwtHeader("RS256", id)}, nil
}

// sign returns the signature of a token's first two parts.
func (k *key) sign(signed string) ([]byte, error) {
	digest := sha256.Sum256([]byte(signed))
	signers <- struct{}{} // the runtime wakes senders in their order
	defer func() { <-signers }()
	return k.signer.Sign(rand.Reader, digest[:], crypto.SHA256)
}

// jwt signs a token of a header and claims.
func (k *key) jwt(header string, claims []byte) (string, error) {
	signed := header + base64url(claims)
	signature, err := k.sign(signed)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed + "." + base64url(signature), nil
}

// jwtHeader is an access token's first part.
func jwtHeader(alg, kid string) string { return tokenHeader(alg, kid, "at+jwt") }

// tokenHeader is a token's first part: alg, kid and typ in this order, without
// kid when there is none.
func tokenHeader(alg, kid, typ string) string {
	b := []byte(`{"alg":"` + alg + `",`)
	if kid != "" {
		b = append(b, `"kid":"`+kid+`",`...)
	}
	return base64url(append(b, `"typ":"`+typ+`"}`...)) + "."
}

// appendJWK writes the key as a member of the JWKS: kty, use, kid, e, n, alg
// in this order.
func (k *key) appendJWK(b []byte) []byte {
	b = append(b, `{"kty":"RSA","use":"sig","kid":`...)
	b = appendString(b, k.id)
	b = append(b, `,"e":"`+base64url(big.NewInt(int64(k.public.E)).Bytes())...)
	b = append(b, `","n":"`+base64url(k.public.N.Bytes())...)
	return append(b, `","alg":"RS256"}`...)
}

// randomHex is the product's unique id: 16 random bytes in upper-case hex.
func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand.Read
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
