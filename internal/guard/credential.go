package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/secret"
)

// Secret is a text that no log, error or report may show. Only the guard turns
// it back into a string, to send it.
type Secret string

// String hides the secret.
func (Secret) String() string { return "***" }

// Format hides the secret from every verb of package fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// MarshalText hides the secret from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// Credential is the account's real client id and license key. Only the guard
// holds it.
type Credential struct {
	ClientID     string
	ClientSecret Secret
}

// renewEarly is how long before its end a real token is no longer used; half
// its life for one that does not live long.
const renewEarly = 5 * time.Minute

// CredentialError says that the real identity service gave no token.
type CredentialError struct {
	// URL is the token endpoint, and Status its answer, 0 without one.
	URL    string
	Status int
	// Code is the RFC 6749 §5.2 error code, empty without one.
	Code string
	err  error
}

func (e *CredentialError) Error() string {
	switch {
	case e.Code == "invalid_client":
		return fmt.Sprintf("%s refused the credential (%d invalid_client): check environments.sandbox.client_id and client_secret", e.URL, e.Status)
	case e.Status != 0:
		return strings.TrimSpace(fmt.Sprintf("%s gave no token: status %d %s", e.URL, e.Status, e.Code))
	}
	return fmt.Sprintf("%s gave no token: %v", e.URL, e.err)
}

func (e *CredentialError) Unwrap() error { return e.err }

// tokenSource gets real tokens, one of each scope at a time, and keeps each until
// shortly before it expires.
type tokenSource struct {
	identity   string
	credential Credential
	client     *http.Client
	now        func() time.Time
	mayAsk     func(ctx context.Context) error // says why nothing may be sent

	mu     sync.Mutex               // never held while somebody is asked
	asked  map[string]*tokenRequest // by scope
	tokens map[string]realToken     // by scope
	resent map[string]bool          // by scope: a token was refused, and its request sent again
	own    *secret.Finder           // finds the secret; nil for one that can't be found
	latest []*secret.Finder         // the latest tokens' spellings
	given  *secret.Finder           // finds the secret and the latest tokens; nil without any
}

type realToken struct {
	value string
	renew time.Time
	// replaced says that it came after one of its scope was refused.
	replaced bool
}

// tokenRequest is one that is under way, and what came of it once done is closed.
type tokenRequest struct {
	done  chan struct{}
	token realToken
	err   error
}

// token returns a token for a scope. Of those that need one at the same time the first
// asks for it, for as long as ctx, and all have what comes of that: where the identity
// service hangs they would ask one after the other, each for as long as it may take. The
// others wait no longer than their client does.
func (s *tokenSource) token(ctx, client context.Context, scope string) (realToken, error) {
	if err := client.Err(); err != nil {
		return realToken{}, err
	}
	s.mu.Lock()
	if t, ok := s.tokens[scope]; ok && s.now().Before(t.renew) {
		s.mu.Unlock()
		return t, nil
	}
	one, others := s.asked[scope]
	if !others {
		one = &tokenRequest{done: make(chan struct{}), err: &CredentialError{URL: s.url(), err: errUnasked}}
		if s.asked == nil {
			s.asked = map[string]*tokenRequest{}
		}
		s.asked[scope] = one
	}
	s.mu.Unlock()
	if !others {
		defer s.told(scope, one)
		one.token, one.err = s.ask(ctx, scope)
		return one.token, one.err
	}
	select {
	case <-one.done:
	case <-client.Done():
		return realToken{}, client.Err()
	case <-ctx.Done():
		return realToken{}, credentialError(s.url(), ctx.Err())
	}
	if one.err == nil && s.dropped(scope, one.token) {
		return s.token(ctx, client, scope)
	}
	return one.token, one.err
}

// errUnasked is what those who wait are told where whoever asks for them panics.
var errUnasked = errors.New("it was not asked to the end")

// told tells those who wait what came of a request, and lets the next one ask.
func (s *tokenSource) told(scope string, one *tokenRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asked, scope)
	close(one.done)
}

// dropped tells whether a token is none any more: an API refused it to somebody who had it
// before, and would charge for that again.
func (s *tokenSource) dropped(scope string, t realToken) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[scope].value != t.value
}

// url is the token endpoint.
func (s *tokenSource) url() string { return strings.TrimSuffix(s.identity, "/") + avalara.PathToken }

// ask asks for a token, only when the ledger lets the run send something.
func (s *tokenSource) ask(ctx context.Context, scope string) (realToken, error) {
	if err := s.mayAsk(ctx); err != nil {
		return realToken{}, err
	}
	cfg := clientcredentials.Config{
		ClientID: s.credential.ClientID, ClientSecret: string(s.credential.ClientSecret),
		TokenURL: s.url(), Scopes: []string{scope},
		AuthStyle: oauth2.AuthStyleInParams, // probing would make two requests of each failure
	}
	asked := s.now()
	t, err := cfg.Token(context.WithValue(ctx, oauth2.HTTPClient, s.client))
	if err != nil {
		return realToken{}, credentialError(cfg.TokenURL, maskError(err, s.finder()))
	}
	if n := len(t.AccessToken); n > maxToken {
		return realToken{}, &CredentialError{URL: cfg.TokenURL, err: fmt.Errorf("its token has %d bytes, and may have %d", n, maxToken)}
	}
	life := t.Expiry.Sub(asked)
	if t.Expiry.IsZero() { // the answer had no expires_in
		life = avalara.TokenLifetime * time.Second
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	got := realToken{t.AccessToken, asked.Add(life - min(renewEarly, life/2)), s.resent[scope]}
	s.tokens[scope] = got
	// One that is too short to be told from other text is none that anybody uses.
	for _, spelling := range []string{got.value, strings.ToLower(got.value)} { // the second is that of a header's name
		if f, err := secret.NewFinder(secret.Secret{Name: tokenName, Value: spelling}); err == nil {
			s.latest = append(s.latest, f)
		}
	}
	s.latest = slices.Clone(s.latest[max(0, len(s.latest)-maxGiven):])
	s.given = s.own
	for _, f := range s.latest {
		s.given = f.With(s.given)
	}
	return got, nil
}

// maxGiven is how many spellings of tokens are looked for in answers: those of half as
// many tokens. A service whose tokens live a second gives one for each request.
const maxGiven = 40

// maxToken is how many bytes a token may have. Servers take headers of some kilobytes, and
// what is looked for in answers takes a multiple of its length.
const maxToken = 64 << 10

// finder finds the secret, and the tokens that were given last.
func (s *tokenSource) finder() *secret.Finder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.given
}

// secretFinder finds the account's secret; nil for one that can't be told from
// other text.
func secretFinder(c Credential) *secret.Finder {
	known := secret.Searchable(secret.Secret{Name: secretName, Value: string(c.ClientSecret)})
	if len(known) == 0 {
		return nil
	}
	f, _ := secret.NewFinder(known...) // which can be searched for
	return f
}

// tokenErrors are the codes of RFC 6749 §5.2. Any other text in their place is
// not shown: it might repeat what was sent.
var tokenErrors = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
}

// credentialError keeps of an error what may be shown. The library's own text
// repeats the answer's body, which is the service's to fill.
func credentialError(url string, err error) error {
	var retrieve *oauth2.RetrieveError
	if errors.As(err, &retrieve) && retrieve.Response != nil {
		e := &CredentialError{URL: url, Status: retrieve.Response.StatusCode}
		if slices.Contains(tokenErrors, retrieve.ErrorCode) {
			e.Code = retrieve.ErrorCode
		}
		return e
	}
	return &CredentialError{URL: url, err: err}
}

// refused drops a token that an API refused, unless a newer one has taken its
// place. The request may be sent again, once in a run for each scope: that is
// what a price list can promise.
func (s *tokenSource) refused(scope string, t realToken) (again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens[scope].value == t.value {
		delete(s.tokens, scope)
	}
	again = !s.resent[scope]
	s.resent[scope] = true
	return again
}
