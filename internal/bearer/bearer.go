// Package bearer checks access tokens as the mirrored classification API is
// taken to check them: as ASP.NET Core's JwtBearer handler does, with its exact
// WWW-Authenticate texts. The mock API and the guard share it, so that the code
// under test can't tell one from the other.
//
// It may touch the facts of internal/avalara; keys and clock are its caller's.
//
// [Checker.Check] takes an Authorization header and gives a [Token] or a
// [Refusal]. That the vendor's API is an ASP.NET one is assumed: its identity
// service is IdentityServer, and nothing public shows a 401 of the API itself.
//
// # What is not checked
//
// The audience is not: which one the identity service writes is unknown. The
// type is not: ASP.NET checks none by default. Nor are revocation lists: a
// self-contained token lives until it expires.
package bearer

import (
	"cmp"
	"crypto/rsa"
	"net/http"
	"slices"
	"strings"
	"time"
)

// DefaultSkew is how far the two clocks may differ. Source: the default
// ClockSkew of Microsoft.IdentityModel's TokenValidationParameters, 300 s.
const DefaultSkew = 5 * time.Minute

// Checker says which tokens one API host accepts. The zero Checker accepts
// none: it knows no key. It is safe for concurrent use as long as Key and Now
// are, and its fields don't change.
type Checker struct {
	// Issuers are the accepted iss values, compared byte by byte.
	Issuers []string
	// Key returns the public key of a key id, or nil when there is none. A
	// token without a kid asks for the empty one. A nil Key knows no key.
	Key func(kid string) *rsa.PublicKey
	// Scopes are those of which a token must carry at least one. Empty means
	// that it needs none.
	Scopes []string
	// Client tells whether a client, by its id, may call at all. Nil means any.
	Client func(id string) bool
	// Skew is how long after its expiry, and before its start, a token is still
	// accepted, both ends included. Zero means DefaultSkew, negative none.
	Skew time.Duration
	// Now tells the time. Nil means time.Now.
	Now func() time.Time
	// Memory spares a token that comes again its signature check, which is most
	// of the work. Nil checks each time.
	Memory *Memory
}

// Token is what an accepted token says.
type Token struct {
	// ClientID is the client_id claim. It is empty when there is none.
	ClientID string
	// Scopes are in the token's order.
	Scopes []string
	// Expires is the exp claim in UTC, without skew.
	Expires time.Time
}

// Header is what Check looks at of a request: RFC 9110 §11.6.2 has one Authorization, and
// ASP.NET reads several as one, with commas, which is no token. Nothing may look at the
// first alone: who else reads the request might take another one.
func Header(h http.Header) string { return strings.Join(h.Values("Authorization"), ",") }

// Check judges the value of an Authorization header. A nil Refusal means that
// the token is accepted.
//
// The order is Microsoft.IdentityModel's: form, key, signature, and only then
// the claims, since an unsigned claim says nothing. Of the claims, the lifetime
// and the issuer are both looked at and their refusals joined with "; ", the
// lifetime's first. ASP.NET joins in this way too; that it would for these two
// at once is assumed. The scope comes last: a policy is only asked about a
// caller who is authenticated.
func (c Checker) Check(authorization string) (Token, *Refusal) {
	const scheme = "Bearer "
	if len(authorization) < len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return Token{}, challenge()
	}
	raw := strings.TrimSpace(authorization[len(scheme):])
	if raw == "" {
		return Token{}, challenge()
	}
	claims, refusal := c.signed(raw)
	if refusal != nil {
		return Token{}, refusal
	}
	if reasons := c.judge(claims); len(reasons) > 0 {
		return Token{}, invalid(reasons...)
	}
	if c.Client != nil && !c.Client(claims.clientID) {
		return Token{}, invalid("The client is not known any more") // ours: the mirrored API has no such list
	}
	if len(c.Scopes) > 0 && !slices.ContainsFunc(claims.scopes, func(s string) bool { return slices.Contains(c.Scopes, s) }) {
		return Token{}, forbidden()
	}
	return Token{ClientID: claims.clientID, Scopes: claims.scopes, Expires: claims.exp}, nil
}

// signed returns the claims of a token that is well formed and signed by a key
// that is known now.
func (c Checker) signed(raw string) (claims, *Refusal) {
	if cl, ok := c.Memory.recall(raw, c.key); ok {
		return cl, nil
	}
	t, err := parse(raw)
	if err != nil {
		return claims{}, invalid()
	}
	key := c.key(t.kid)
	if key == nil {
		return claims{}, invalid("The signature key was not found")
	}
	if !t.signedBy(key) {
		return claims{}, invalid("The signature is invalid")
	}
	cl, err := t.claims()
	if err != nil {
		return claims{}, invalid()
	}
	c.Memory.keep(raw, t.kid, key, cl)
	return cl, nil
}

func (c Checker) key(kid string) *rsa.PublicKey {
	if c.Key == nil {
		return nil
	}
	return c.Key(kid)
}

// judge returns what is wrong with the claims, in ASP.NET's words.
func (c Checker) judge(cl claims) []string {
	var reasons []string
	if r := c.lifetime(cl); r != "" {
		reasons = append(reasons, r)
	}
	if !slices.Contains(c.Issuers, cl.issuer) {
		reasons = append(reasons, "The issuer '"+printable(cmp.Or(cl.issuer, "(null)"))+"' is invalid")
	}
	return reasons
}

// lifetime follows Microsoft.IdentityModel's ValidateLifetime, check by check.
func (c Checker) lifetime(cl claims) string {
	now, skew := time.Now, c.Skew
	if c.Now != nil {
		now = c.Now
	}
	switch {
	case skew == 0:
		skew = DefaultSkew
	case skew < 0:
		skew = 0
	}
	at := now()
	switch {
	case cl.exp.IsZero():
		return "The token has no expiration"
	case !cl.nbf.IsZero() && cl.nbf.After(cl.exp):
		return "The token lifetime is invalid; NotBefore: '" + date(cl.nbf) + "', Expires: '" + date(cl.exp) + "'"
	case !cl.nbf.IsZero() && cl.nbf.After(at.Add(skew)):
		return "The token is not valid before '" + date(cl.nbf) + "'"
	case cl.exp.Before(at.Add(-skew)):
		return "The token expired at '" + date(cl.exp) + "'"
	}
	return ""
}
