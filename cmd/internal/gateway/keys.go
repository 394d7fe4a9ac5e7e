package gateway

import (
	"cmp"
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
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/strict"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// DefaultKeys is the file of a gateway's API keys, beside the project
// file, when nothing else is said.
const DefaultKeys = "hsharness-keys.yaml"

// Key is what is kept of an API key: everything but the key.
type Key struct {
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

// event is the event of every run that a gateway begins, by which the
// ledger tells a key from a person of the same name.
const event = "gateway"

// attribution is on whose behalf the key's runs spend.
func (k Key) attribution() quota.Attribution {
	return quota.Attribution{Suite: k.Suite, Actor: k.Name, Event: event}
}

// rule is the key's cap, which the ledger holds over all instances and
// restarts, beside the project's own budgets.
func (k Key) rule() quota.Rule {
	return quota.Rule{Match: quota.Match{Actor: k.Name, Event: event}, MaxTotal: k.Cap, Beside: true}
}

// client is the key as the mock identity service knows it.
func (k Key) client() mockidp.Client {
	return mockidp.Client{ID: k.Name, Secrets: []mockidp.Secret{{SHA256: k.SHA256}}, Scopes: avalara.Scopes(), Disabled: !k.Revoked.IsZero()}
}

// contents is the file as a whole.
type contents struct {
	Version int   `yaml:"version"`
	Keys    []Key `yaml:"keys"`
}

// KeyName keeps names out of the way of globs, tables and URLs.
var KeyName = pattern.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ReadKeys reads a file of keys, in its order. Errors have file, line, column
// and a caret.
func ReadKeys(name string) ([]Key, error) {
	data, err := files.Read(name, files.Text)
	if err != nil {
		return nil, err
	}
	f, err := keysTable().Read(name, data)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	strict.Each(f, "keys", func(i int, k Key) {
		if seen[k.Name] {
			f.Complain(fmt.Sprintf("keys[%d].name", i), "key %q is given twice", k.Name)
		}
		seen[k.Name] = true
	})
	if err := f.Err(); err != nil {
		return nil, err
	}
	var all contents
	err = f.Decode(&all)
	return all.Keys, err
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
	name := form(KeyName.String(), "up to 64 letters, digits, dots, dashes and underscores")
	hash := form("^[0-9a-fA-F]{64}$", "a SHA-256 in hexadecimal digits")
	name.Path, hash.Path = "keys[].name", "keys[].sha256"
	return strict.Table{Title: "hsharness gateway keys", Version: 1, Settings: []strict.Setting{
		{Path: "keys", Kind: strict.List},
		name,
		{Path: "keys[].suite", Kind: strict.Text},
		{Path: "keys[].cap", Kind: strict.Integer, Min: 1, Max: quota.MaxUnits, Required: true},
		hash,
		{Path: "keys[].created", Kind: strict.Text, Check: strict.IsTime, Want: "a time such as 2026-01-31T12:00:00Z"},
		{Path: "keys[].revoked", Kind: strict.Text, Check: strict.IsTime, Want: "a time such as 2026-01-31T12:00:00Z"},
	}}
}

// NewKey makes an API key of 256 random bits and its hash. A key that random
// needs no slow hash: nobody can try them all.
func NewKey() (key, hash string, err error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", "", err
	}
	key = "hsk_" + hex.EncodeToString(b)
	sum := sha256.Sum256([]byte(key))
	return key, hex.EncodeToString(sum[:]), nil
}

// ChangeKeys reads the keys, lets change work on them and writes them back, at
// once and while nobody else does. A file that is not there has none.
func ChangeKeys(name string, change func([]Key) ([]Key, error)) error {
	name, err := files.Real(name) // one lock for all names that lead to it
	if err != nil {
		return err
	}
	lock := name + ".lock"
	err = files.New(lock, nil, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there: somebody else is changing the keys; if nobody is, remove it", lock)
	}
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(lock) }()
	keys, err := ReadKeys(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if keys, err = change(keys); err != nil {
		return err
	}
	data, err := yaml.Marshal(contents{Version: 1, Keys: keys})
	if err != nil {
		return err
	}
	return files.Replace(name, append([]byte("# API keys of hsharness gateway, as hashes: see hsharness gateway keys\n"), data...))
}

// FindKey is where a key is, or an error that lists those there are.
func FindKey(keys []Key, name string) (int, error) {
	if i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name }); i >= 0 {
		return i, nil
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return -1, fmt.Errorf("there is no key %q; there are: %s", name, cmp.Or(strings.Join(names, ", "), "none"))
}
