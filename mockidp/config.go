package mockidp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp/control"
)

// The client that a Config without Clients has.
const (
	DefaultClientID     = "hsharness-client"
	DefaultClientSecret = "hsharness-secret"
)

// DefaultClient is the client of a [Config] without clients: it may have every
// scope.
func DefaultClient() Client {
	return Client{ID: DefaultClientID, Secrets: []Secret{{Value: DefaultClientSecret}}}
}

// Config describes one tenant. The zero Config is [Sandbox].
type Config struct {
	// Name is how the tenant calls itself in the journal. Empty means
	// "sandbox".
	Name string
	// Issuer is the base of every URL in the discovery document and the iss of
	// every token: scheme and host, and a path where the Server is reached below one,
	// which whoever serves it takes off requests. It is never taken from a
	// request. Empty means the real sandbox's URL.
	Issuer string
	// Clients are those who may ask for tokens. Nil means one, DefaultClientID
	// with DefaultClientSecret.
	Clients []Client
	// AnyClient accepts every id with every secret, for local development. An
	// id that is not in Clients is treated as a [Client] of which nothing else
	// is said, or without a secret as a Public one of the device flow; one that is
	// keeps its own settings.
	AnyClient bool
	// Resources are the APIs that tokens are for: their names are the aud of a
	// token. Nil means one for each scope that a client may have, named like
	// it; these names are assumed, because no real token is public. An empty
	// slice means none, and so tokens without aud.
	Resources []Resource
	// Clock tells the time everywhere in the tenant. Nil means a new one.
	Clock *control.Clock
	// Keys sign the tokens. Nil means a new set of [NewMockKeys]. Making a key
	// costs milliseconds, so a test run may share one set between its servers;
	// servers of different tenants must not share one.
	Keys *Keys
	// Faults is the script of what goes wrong. Nil means a new, empty one.
	Faults *control.Script
	// Journal keeps what clients sent. Nil means a new one.
	Journal *control.Journal
}

// Client is one OAuth 2.0 client.
type Client struct {
	// ID is its client_id, 1 to 100 characters. It must be given.
	ID string
	// Secrets are all valid at the same time, so that one can follow another. A
	// client without any can't authenticate, unless it is Public.
	Secrets []Secret
	// Public lets it authenticate with its id alone, and with any secret, as programs do
	// that can keep none: those that ask for a device. False is the usual client.
	Public bool
	// Scopes are those it may have. Nil means hs-code-classification, avatax_api
	// and those of Config.Resources; an empty slice means none. openid and the other
	// scopes about users count in the device flow alone, and offline_access nowhere.
	Scopes []string
	// Grants are the grant types it may use. Nil means client_credentials. That one
	// and urn:ietf:params:oauth:grant-type:device_code are mirrored. An empty slice is
	// a client that the mirrored server holds for misconfigured, and so for unknown.
	Grants []string
	// Protocol is what it speaks. Empty means oidc; a client of another one,
	// such as wsfed, can't authenticate here.
	Protocol string
	// Disabled makes it unknown. False is the usual client.
	Disabled bool
	// TokenLifetime is in whole seconds. Zero means 3600 s.
	TokenLifetime time.Duration
	// Claims are added to its tokens in this order, each name with the prefix
	// client_. Nil adds none.
	Claims []Claim
}

// Secret is one secret of a client or a resource.
type Secret struct {
	// Value is the secret itself, 1 to 100 characters. Empty means that SHA256 is
	// given instead.
	Value string
	// SHA256 is the hash of the secret in 64 hexadecimal digits, for those who
	// don't keep the secret itself, as the mirrored server doesn't. Value must be
	// empty then. Empty means that Value is given.
	SHA256 string
	// Expires is when it stops being accepted. Zero means never.
	Expires time.Time
}

// Claim is one extra member of a client's tokens. Value is anything that
// encodes to JSON.
type Claim struct {
	// Name is the member's name, without the prefix client_. It must be given, once a
	// client, and not be id.
	Name string
	// Value is its value. Nil is null.
	Value any
}

// Resource is one API that tokens can be for.
type Resource struct {
	// Name is what aud says, and the id with which the API introspects. It must be
	// given.
	Name string
	// Scopes are those of the API: a token with one of them is for it. Nil means none.
	Scopes []string
	// Secrets let the API call introspection. None means it can't.
	Secrets []Secret
}

// Production is the tenant behind https://identity.avalara.com.
func Production() Config {
	return Config{Name: string(avalara.Production), Issuer: avalara.IdentityURL(avalara.Production)}
}

// Sandbox is the tenant behind https://ai-sbx.avlr.sh.
func Sandbox() Config {
	return Config{Name: string(avalara.Sandbox), Issuer: avalara.IdentityURL(avalara.Sandbox)}
}

// withDefaults fills in what c leaves out.
func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = Sandbox().Name
	}
	if c.Issuer == "" {
		c.Issuer = Sandbox().Issuer
	}
	if c.Clients == nil {
		c.Clients = []Client{DefaultClient()}
	}
	if c.Resources == nil {
		scopes := avalara.Scopes()
		for _, cl := range c.Clients {
			scopes = append(scopes, cl.Scopes...)
		}
		for _, scope := range unique(onlyAPI(scopes)) {
			c.Resources = append(c.Resources, Resource{Name: scope, Scopes: []string{scope}})
		}
	}
	if c.Clock == nil {
		c.Clock = new(control.Clock)
	}
	if c.Keys == nil {
		c.Keys = NewMockKeys()
	}
	if c.Faults == nil {
		c.Faults = new(control.Script)
	}
	if c.Journal == nil {
		c.Journal = new(control.Journal)
	}
	return c
}

// everyScope is what a client may have of which nothing is said: the service's
// two scopes and those of the Resources that were given. Scopes that other
// clients alone have are not among them.
func (c Config) everyScope() []string {
	all := avalara.Scopes()
	for _, r := range c.Resources {
		all = append(all, r.Scopes...)
	}
	return unique(onlyAPI(all))
}

// validate returns every problem of c at once.
func (c Config) validate() error {
	var errs []error
	if err := checkIssuer(c.Issuer); err != nil {
		errs = append(errs, err)
	}
	seen := map[string]bool{}
	for i, cl := range c.Clients {
		if seen[cl.ID] {
			errs = append(errs, fmt.Errorf("client %d: the id %q is given twice", i+1, cl.ID))
		}
		seen[cl.ID] = true
		if err := cl.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("client %d (%q): %w", i+1, cl.ID, err))
		}
	}
	seen = map[string]bool{}
	for i, r := range c.Resources {
		if seen[r.Name] {
			errs = append(errs, fmt.Errorf("resource %d: the name %q is given twice", i+1, r.Name))
		}
		seen[r.Name] = true
		if err := r.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("resource %d (%q): %w", i+1, r.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Validate says everything that is wrong with r alone, or nil.
func (r Resource) Validate() error {
	return errors.Join(checkID(r.Name), checkSecrets(r.Secrets), checkScopes(r.Scopes))
}

// Validate says everything that is wrong with c alone, or nil.
func (c Client) Validate() error {
	errs := []error{checkID(c.ID), checkSecrets(c.Secrets), checkScopes(c.Scopes)}
	if c.TokenLifetime < 0 || c.TokenLifetime%time.Second != 0 {
		errs = append(errs, fmt.Errorf("token lifetime %v is not a positive number of whole seconds", c.TokenLifetime))
	}
	seen := map[string]bool{}
	for _, claim := range c.Claims {
		if claim.Name == "" || seen[claim.Name] || claim.Name == "id" {
			errs = append(errs, fmt.Errorf("claim %q: a name must be given, once, and client_id is taken", claim.Name))
		}
		seen[claim.Name] = true
		if _, err := json.Marshal(claim.Value); err != nil {
			errs = append(errs, fmt.Errorf("claim %q: %w", claim.Name, err))
		}
	}
	return errors.Join(errs...)
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || issuer != u.Scheme+"://"+u.Host+u.Path ||
		u.Path != "" && (u.Path == "/" || path.Clean(u.Path) != u.EscapedPath()) {
		return fmt.Errorf("issuer %q is not a URL of scheme and host, such as http://127.0.0.1:8700, with at most a path that ends in no slash", issuer)
	}
	return nil
}

func checkID(id string) error {
	if isMissing(id) || chars(id) > maxID {
		return fmt.Errorf("an id has 1 to %d characters", maxID)
	}
	return nil
}

// checkSecrets never repeats a secret.
func checkSecrets(secrets []Secret) error {
	for i, s := range secrets {
		if s.SHA256 != "" && s.Value == "" {
			if hash, err := hex.DecodeString(s.SHA256); err != nil || len(hash) != sha256.Size {
				return fmt.Errorf("secret %d: a SHA-256 has %d hexadecimal digits", i+1, 2*sha256.Size)
			}
			continue
		}
		if isMissing(s.Value) || chars(s.Value) > maxSecret || s.SHA256 != "" {
			return fmt.Errorf("secret %d: a secret has 1 to %d characters, or is given as a hash alone", i+1, maxSecret)
		}
	}
	return nil
}

func checkScopes(scopes []string) error {
	for _, s := range scopes {
		if s == "" || strings.ContainsAny(s, " \t\r\n") {
			return fmt.Errorf("scope %q is empty or has white space in it", s)
		}
	}
	return nil
}
