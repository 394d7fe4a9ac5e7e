package gateway

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"sync"

	"github.com/hsharness/hsharness/mockidp"
)

// Keyring is a gateway's file of keys, read again whenever it has changed, and
// the mock identity service that gives those keys tokens. While the file can't
// be read no key is accepted. It is safe for concurrent use.
type Keyring struct {
	file   string
	issuer string
	sign   *mockidp.Keys

	mu       sync.Mutex
	read     fs.FileInfo // of the file as it was read
	keys     map[string]Key
	identity *mockidp.Server
	err      error
}

// NewKeyring reads no file yet: [Keyring.Check] does. Issuer is the URL of the
// identity service that it is, and sign what signs its tokens.
func NewKeyring(file, issuer string, sign *mockidp.Keys) *Keyring {
	return &Keyring{file: file, issuer: issuer, sign: sign}
}

// current brings the Keyring up to date. It must be called under the lock.
func (k *Keyring) current() error {
	info, err := os.Stat(k.file)
	if err == nil && k.read != nil && os.SameFile(info, k.read) && info.ModTime().Equal(k.read.ModTime()) && info.Size() == k.read.Size() {
		return k.err
	}
	if err == nil {
		err = k.load()
	}
	if k.err = err; err != nil {
		k.keys, k.identity = nil, nil
	}
	k.read = info
	if errors.As(err, new(*fs.PathError)) {
		k.read = nil // what the system did not let us read may be well a moment later, and look the same
	}
	return err
}

func (k *Keyring) load() error {
	keys, err := ReadKeys(k.file)
	if err != nil {
		return err
	}
	k.keys = map[string]Key{}
	clients := []mockidp.Client{} // not nil, which would be the default client
	for _, key := range keys {
		clients = append(clients, key.client())
		if key.Revoked.IsZero() {
			k.keys[key.Name] = key
		}
	}
	cfg := mockidp.Sandbox()
	cfg.Issuer, cfg.Clients, cfg.Keys = k.issuer, clients, k.sign
	k.identity, err = mockidp.New(cfg)
	return err
}

// key finds a key that is accepted now.
func (k *Keyring) key(name string) (Key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current() != nil {
		return Key{}, false
	}
	key, ok := k.keys[name]
	return key, ok
}

// accepts tells whether a key, by its name, may call.
func (k *Keyring) accepts(name string) bool {
	_, ok := k.key(name)
	return ok
}

// Check says what is wrong with the file, or nil.
func (k *Keyring) Check() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current()
}

// ServeHTTP is the identity service: the token endpoint, discovery and JWKS.
func (k *Keyring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	err := k.current()
	identity := k.identity
	k.mu.Unlock()
	if err != nil {
		http.Error(w, "the gateway's keys can't be read", http.StatusServiceUnavailable)
		return
	}
	identity.ServeHTTP(w, r)
}
