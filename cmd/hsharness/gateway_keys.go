package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/strict"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// defaultGatewayKeys is the file of a gateway's API keys, beside the project
// file, when nothing else is said.
const defaultGatewayKeys = "hsharness-keys.yaml"

// gatewayKey is what is kept of an API key: everything but the key.
type gatewayKey struct {
	Name  string `yaml:"name" json:"name"`
	Suite string `yaml:"suite" json:"suite"`
	// Cap is how many units the key may draw in all, ever.
	Cap     int64     `yaml:"cap" json:"cap"`
	SHA256  string    `yaml:"sha256" json:"-"`
	Created time.Time `yaml:"created" json:"created"`
	// Revoked is when it stopped being accepted. Zero means that it is. A name
	// is never given twice: what it has drawn counts for ever.
	Revoked time.Time `yaml:"revoked,omitempty" json:"revoked,omitzero"`
}

// gatewayEvent is the event of every run that a gateway begins, by which the
// ledger tells a key from a person of the same name.
const gatewayEvent = "gateway"

// attribution is on whose behalf the key's runs spend.
func (k gatewayKey) attribution() quota.Attribution {
	return quota.Attribution{Suite: k.Suite, Actor: k.Name, Event: gatewayEvent}
}

// rule is the key's cap, which the ledger holds over all instances and
// restarts, beside the project's own budgets.
func (k gatewayKey) rule() quota.Rule {
	return quota.Rule{Match: quota.Match{Actor: k.Name, Event: gatewayEvent}, MaxTotal: k.Cap, Beside: true}
}

// client is the key as the mock identity service knows it.
func (k gatewayKey) client() mockidp.Client {
	return mockidp.Client{ID: k.Name, Secrets: []mockidp.Secret{{SHA256: k.SHA256}}, Scopes: avalara.Scopes(), Disabled: !k.Revoked.IsZero()}
}

// keysFile is the file as a whole.
type keysFile struct {
	Version int          `yaml:"version"`
	Keys    []gatewayKey `yaml:"keys"`
}

// keyName keeps names out of the way of globs, tables and URLs.
var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// readKeys reads a file of keys, in its order. Errors have file, line, column
// and a caret.
func readKeys(name string) ([]gatewayKey, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f, err := keysTable().Read(name, data)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	strict.Each(f, "keys", func(i int, k gatewayKey) {
		if seen[k.Name] {
			f.Complain(fmt.Sprintf("keys[%d].name", i), "key %q is given twice", k.Name)
		}
		seen[k.Name] = true
	})
	if err := f.Err(); err != nil {
		return nil, err
	}
	var file keysFile
	err = f.Decode(&file)
	return file.Keys, err
}

// keysTable is what the file of keys may say.
func keysTable() strict.Table {
	form := func(form, want string) strict.Setting {
		pattern := regexp.MustCompile(form)
		return strict.Setting{Kind: strict.Text, Form: form, Want: want, Required: true, Check: func(text string) error {
			if !pattern.MatchString(text) {
				return errors.New(want)
			}
			return nil
		}}
	}
	name := form(keyName.String(), "up to 64 letters, digits, dots, dashes and underscores")
	hash := form("^[0-9a-fA-F]{64}$", "a SHA-256 in hexadecimal digits")
	name.Path, hash.Path = "keys[].name", "keys[].sha256"
	return strict.Table{Title: "hsharness gateway keys", Version: 1, Settings: []strict.Setting{
		{Path: "keys", Kind: strict.List},
		name,
		{Path: "keys[].suite", Kind: strict.Text},
		{Path: "keys[].cap", Kind: strict.Integer, Min: 1, Max: quota.MaxUnits, Required: true},
		hash,
		{Path: "keys[].created", Kind: strict.Text, Check: isTime, Want: "a time such as 2026-01-31T12:00:00Z"},
		{Path: "keys[].revoked", Kind: strict.Text, Check: isTime, Want: "a time such as 2026-01-31T12:00:00Z"},
	}}
}

// isTime is for texts that have to be a time.
func isTime(text string) error {
	_, err := time.Parse(time.RFC3339, text)
	return err
}

// newKey makes an API key of 256 random bits and its hash. A key that random
// needs no slow hash: nobody can try them all.
func newKey() (key, hash string, err error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", "", err
	}
	key = "hsk_" + hex.EncodeToString(b)
	sum := sha256.Sum256([]byte(key))
	return key, hex.EncodeToString(sum[:]), nil
}

// changeKeys reads the keys, lets change work on them and writes them back, at
// once and while nobody else does. A file that is not there has none.
func changeKeys(name string, change func([]gatewayKey) ([]gatewayKey, error)) error {
	lock := name + ".lock"
	l, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there: somebody else is changing the keys; if nobody is, remove it", lock)
	}
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(lock) }()
	if err := l.Close(); err != nil {
		return err
	}
	keys, err := readKeys(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if keys, err = change(keys); err != nil {
		return err
	}
	data, err := yaml.Marshal(keysFile{Version: 1, Keys: keys})
	if err != nil {
		return err
	}
	return writeFile(name, append([]byte("# API keys of hsharness gateway, as hashes: see hsharness gateway keys\n"), data...))
}

// findKey is where a key is, or an error that lists those there are.
func findKey(keys []gatewayKey, name string) (int, error) {
	if i := slices.IndexFunc(keys, func(k gatewayKey) bool { return k.Name == name }); i >= 0 {
		return i, nil
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return -1, fmt.Errorf("there is no key %q; there are: %s", name, dash(strings.Join(names, ", ")))
}
