package bearer

import (
	"crypto/rsa"
	"sync"
)

// maxMemory is how many tokens a [Memory] keeps. A test suite uses a handful;
// beyond it the memory starts anew.
const maxMemory = 64

// Memory keeps tokens whose signature was found good. Everything else about
// them is looked at each time: whether the key is still known, the lifetime,
// the issuer, the scope. The zero Memory is empty. It is safe for concurrent
// use; a nil one keeps nothing.
type Memory struct {
	mu     sync.RWMutex
	tokens map[string]remembered
}

type remembered struct {
	kid    string
	key    *rsa.PublicKey
	claims claims
}

// recall finds the claims of a token, byte by byte the same, as long as its key
// is the one that it was checked with.
func (m *Memory) recall(raw string, key func(kid string) *rsa.PublicKey) (claims, bool) {
	if m == nil {
		return claims{}, false
	}
	m.mu.RLock()
	r, ok := m.tokens[raw]
	m.mu.RUnlock()
	if !ok {
		return claims{}, false
	}
	now := key(r.kid)
	return r.claims, now != nil && (now == r.key || now.Equal(r.key))
}

// keep remembers a token whose signature key verifies.
func (m *Memory) keep(raw, kid string, key *rsa.PublicKey, cl claims) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tokens == nil || len(m.tokens) >= maxMemory {
		m.tokens = map[string]remembered{}
	}
	m.tokens[raw] = remembered{kid, key, cl}
}
