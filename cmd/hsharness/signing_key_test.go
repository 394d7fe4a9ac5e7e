package main

import (
	"crypto"
	"crypto/rsa"
	"math/big"
	"sync"

	"github.com/hsharness/hsharness/internal/services"
)

// The primes of the key by which every hsharness that these tests start signs its
// tokens: of the usual kind and size, made once. A key of its own for each process
// was a third of the time that all of them took. They still don't take each other's
// tokens, because a token names its key, and those names are random.
const (
	signingP = "fb5dce0374ddbb913ca170eff041a1f18261d425cb5bd2f237901b6c822cd023f931ce05c7db1e5dcf21e490231d802d4899e56e585f87ce4588b3361913da1f17479f8b8c19d0cbcbf79b7ae8ad1c05524f2bf471718e647f046b2e40d93d2dbc579124098395800d1f949bf815efcd61e9d5f4231fc1aee11edc8f21a83123"
	signingQ = "df1254b0885e198196d171f466bd368103f8b39a87202aae6eb8dfc8664b14dc074a80b1836eaadefecf72cc8f2d38d1148b0d265f3f5f1ce22ab40c940fa0debf6d0ef016d90360f112731ddd5666d9e41ac39dbcc15f5da002eeaa67379089601db26720f313e43a4ea1196d3c304ebcc9ccac858cacd4f13711be50e42a99"
)

// withSigningKey is a main whose process makes no key.
func withSigningKey(main func()) func() {
	return func() {
		services.SigningKey = sync.OnceValues(signingKey)
		main()
	}
}

func signingKey() (crypto.Signer, error) {
	p, _ := new(big.Int).SetString(signingP, 16)
	q, _ := new(big.Int).SetString(signingQ, 16)
	one := big.NewInt(1)
	const e = 65537
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: e},
		D:         new(big.Int).ModInverse(big.NewInt(e), phi),
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	return key, key.Validate()
}
