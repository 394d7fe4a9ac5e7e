package mockidp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Defect is one named way in which a token is bad.
type Defect string

// The defects. A token has one at most and is good in every other way.
const (
	// Expired tokens ran out an hour ago, well past validators' 5 minutes of
	// skew.
	Expired Defect = "expired"
	// NotYetValid tokens begin in an hour.
	NotYetValid Defect = "not_yet_valid"
	// WrongIssuer tokens say https://wrong-issuer.invalid.
	WrongIssuer Defect = "wrong_issuer"
	// WrongAudience tokens are for wrong-audience.
	WrongAudience Defect = "wrong_audience"
	// UnknownKID tokens name a key that is not in the JWKS.
	UnknownKID Defect = "unknown_kid"
	// BadSignature tokens have one bit of the signature flipped.
	BadSignature Defect = "bad_signature"
	// AlgNone tokens have no signature and say so.
	AlgNone Defect = "alg_none"
	// WrongScope tokens have the scope wrong-scope, which no API accepts.
	WrongScope Defect = "wrong_scope"
	// NoScope tokens have no scope member.
	NoScope Defect = "no_scope"
	// ScopeString tokens have their scopes in one string, as RFC 9068 §2.2.3
	// has it, where the mirrored server writes an array.
	ScopeString Defect = "scope_string"
)

// Defects lists all of them.
func Defects() []Defect {
	return []Defect{
		Expired, NotYetValid, WrongIssuer, WrongAudience, UnknownKID, BadSignature, AlgNone, WrongScope, NoScope, ScopeString,
	}
}

// Claims says which token [Server.Mint] makes. The zero Claims is a good token
// of the tenant's first client with all its scopes.
type Claims struct {
	// ClientID need not be a client of the tenant. Empty means the first one.
	ClientID string
	// Scopes need not be the client's. Nil means all that it may have; of an
	// unknown client nothing is said, see Client.
	Scopes []string
	// Lifetime is in whole seconds. Zero means the client's, or 3600 s.
	Lifetime time.Duration
	// Defect spoils the token. Empty makes a good one.
	Defect Defect
}

// Mint returns an access token as the token endpoint makes them, but for any
// client and scopes, checking neither, and bad where Claims says so.
func (s *Server) Mint(c Claims) (string, error) {
	if c.Defect != "" && !slices.Contains(Defects(), c.Defect) {
		return "", fmt.Errorf("token defect %q is none of %v", c.Defect, Defects())
	}
	if c.Lifetime < 0 || c.Lifetime%time.Second != 0 {
		return "", fmt.Errorf("token lifetime %v is not a positive number of whole seconds", c.Lifetime)
	}
	if c.ClientID == "" {
		c.ClientID = s.first
	}
	if c.ClientID == "" {
		return "", errors.New("the tenant has no client to mint a token for: name one")
	}
	cl := s.clients[c.ClientID]
	if cl == nil {
		cl = s.compile(Client{ID: c.ClientID})
	}
	if c.Scopes == nil {
		c.Scopes = cl.scopes
	}
	c.Scopes = parseScopes(strings.Join(c.Scopes, " "))
	return s.issue(cl, c, nil)
}

// hour is how far the defects move a token out of its time.
const hour = int64(time.Hour / time.Second)

// issue makes an access token of cl as c says, for a user or for none. The caller has
// filled in c's scopes and ordered them.
func (s *Server) issue(cl *client, c Claims, by *user) (string, error) {
	k, err := s.keys.current()
	if err != nil {
		return "", err
	}
	p := payload{
		nbf: s.clock.Now().Unix(), issuer: s.issuer, audience: audience(s.resources, c.Scopes),
		client: cl.ID, claims: cl.claims, scopes: c.Scopes, user: by,
	}
	lifetime := cl.lifetime
	if c.Lifetime != 0 {
		lifetime = int64(c.Lifetime.Seconds())
	}
	header := k.header
	switch c.Defect {
	case Expired:
		p.nbf -= lifetime + hour
	case NotYetValid:
		p.nbf += hour
	case WrongIssuer:
		p.issuer = "https://wrong-issuer.invalid"
	case WrongAudience:
		p.audience = []string{"wrong-audience"}
	case UnknownKID:
		header = jwtHeader("RS256", randomHex())
	case AlgNone:
		return jwtHeader("none", "") + base64url(p.json(lifetime)) + ".", nil
	case WrongScope:
		p.scopes = []string{"wrong-scope"}
	case NoScope:
		p.scopes = nil
	case ScopeString:
		p.scopeString = true
	}
	signed := header + base64url(p.json(lifetime))
	signature, err := k.sign(signed)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	if c.Defect == BadSignature {
		signature[len(signature)/2] ^= 1
	}
	return signed + "." + base64url(signature), nil
}

// payload is a token's claims.
type payload struct {
	nbf         int64 // Unix seconds; iat is the same
	issuer      string
	audience    []string
	client      string
	claims      []byte // the client's own, see client
	scopes      []string
	scopeString bool
	user        *user // nil without one
}

// json writes the claims in the mirrored server's order: nbf, exp, iss, aud,
// client_id, the client's own, jti, iat, scope. Without a user there is no sub. With one
// there are sub, auth_time and idp instead of the client's own, then sid after jti, and amr
// at the end (DefaultClaimsService.cs, DefaultTokenService.cs, TokenExtensions.cs).
func (p payload) json(lifetime int64) []byte {
	b := make([]byte, 0, 512)
	b = appendInt(append(b, '{'), "nbf", p.nbf)
	b = appendInt(b, "exp", p.nbf+lifetime)
	b = appendText(b, "iss", p.issuer)
	switch len(p.audience) {
	case 0:
	case 1:
		b = appendText(b, "aud", p.audience[0])
	default:
		b = appendList(b, "aud", p.audience)
	}
	b = appendText(b, "client_id", p.client)
	if p.user == nil {
		b = append(b, p.claims...)
	} else {
		b = p.user.append(b)
	}
	b = appendText(b, "jti", randomHex())
	if p.user != nil {
		b = appendText(b, "sid", p.user.session)
	}
	b = appendInt(b, "iat", p.nbf)
	switch {
	case len(p.scopes) == 0:
	case p.scopeString:
		b = appendText(b, "scope", strings.Join(p.scopes, " "))
	default:
		b = appendList(b, "scope", p.scopes)
	}
	if p.user != nil {
		b = appendList(b, "amr", signedIn)
	}
	return append(b, '}')
}
