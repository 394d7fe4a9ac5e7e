package services

import (
	"context"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/mockidp"
)

// refreshEarly is how long before its end a token is no longer used, as the
// vendor's own SDKs do.
const refreshEarly = 5 * time.Minute

// tokens are the default client's tokens, one for each environment and scope.
type tokens struct {
	mu    sync.Mutex
	cache map[tokenKey]got
}

// got is a token that was asked for at a time, and ends at another, by the services' clock.
type got struct {
	value       string
	from, until time.Time
}

// mocks asks mock identity services, also for a client that was told where one is.
var mocks = guard.LocalClient(0)

type tokenKey struct {
	env   avalara.Environment
	scope string
}

// Token returns the default client's token for a scope, from the identity
// service, and asks for a new one five minutes before it expires by the services'
// clock.
func (s *Local) Token(ctx context.Context, env avalara.Environment, scope string) (string, error) {
	return s.tokens.get(ctx, s, env, scope)
}

// get returns a token that is still good, or asks the service for one.
func (c *tokens) get(ctx context.Context, s Service, env avalara.Environment, scope string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := tokenKey{env, scope}
	now := s.Now()
	// Where the clock has gone back, one that was asked for later is not valid yet.
	if t, ok := c.cache[key]; ok && !now.Before(t.from) && now.Before(t.until.Add(-refreshEarly)) {
		return t.value, nil
	}
	id, secret := s.Client()
	cfg := clientcredentials.Config{
		ClientID: id, ClientSecret: secret, TokenURL: s.TokenURL(env), Scopes: []string{scope},
		AuthStyle: oauth2.AuthStyleInParams,
	}
	asked := time.Now()
	t, err := cfg.Token(context.WithValue(ctx, oauth2.HTTPClient, mocks))
	if err != nil {
		return "", err
	}
	if c.cache == nil {
		c.cache = map[tokenKey]got{}
	}
	// The library counts from the real time; here the services' clock counts.
	c.cache[key] = got{t.AccessToken, now, now.Add(t.Expiry.Sub(asked).Round(time.Second))}
	return t.AccessToken, nil
}

// BadToken makes a token for an API with one defect: expired, bad_signature or
// wrong_scope.
func (s *Local) BadToken(env avalara.Environment, api avalara.API, defect string) (string, error) {
	id, _ := s.Client()
	return s.Identity(env).Mint(mockidp.Claims{
		ClientID: id, Scopes: avalara.HostOf(env, api).Scopes[:1], Defect: mockidp.Defect(defect),
	})
}
