package mockidp

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// skew is how long past exp the mirrored server still takes a token, and how
// long before nbf: its library's default.
const skew = 5 * time.Minute

var (
	errToken   = errors.New("not a token of this issuer")
	errExpired = errors.New("an expired token")
)

// accessToken is a token that was checked.
type accessToken struct {
	raw      []byte // its claims as JSON
	ClientID string `json:"client_id"`
	Subject  string `json:"sub"`
	Issuer   string `json:"iss"`
	NBF      int64  `json:"nbf"`
	Exp      int64  `json:"exp"`
	Scope    scopes `json:"scope"`
}

// scopes is a scope claim, an array or a string.
type scopes []string

func (s *scopes) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte{'"'}) {
		var text string
		err := json.Unmarshal(b, &text)
		*s = parseScopes(text)
		return err
	}
	return json.Unmarshal(b, (*[]string)(s))
}

// verify checks a token that this server may have issued: type, algorithm,
// signature, issuer, time and that its client is still enabled. Not its
// audience: the server does not.
func (s *Server) verify(token string) (*accessToken, error) {
	if chars(token) > maxJWT {
		return nil, errToken
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errToken
	}
	var header struct{ Alg, KID, Typ string }
	rawHeader, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	raw, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	signature, err3 := base64.RawURLEncoding.DecodeString(parts[2])
	if errors.Join(err1, err2, err3, json.Unmarshal(rawHeader, &header)) != nil || header.Alg != "RS256" || header.Typ != "at+jwt" {
		return nil, errToken
	}
	public := s.keys.PublicKey(header.KID)
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if public == nil || rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) != nil {
		return nil, errToken
	}
	t := &accessToken{raw: raw}
	if json.Unmarshal(raw, t) != nil || t.Issuer != s.issuer || s.client(t.ClientID) == nil {
		return nil, errToken
	}
	now := s.clock.Now()
	switch {
	case time.Unix(t.Exp, 0).Before(now.Add(-skew)):
		return nil, errExpired
	case time.Unix(t.NBF, 0).After(now.Add(skew)):
		return nil, errToken
	}
	return t, nil
}

// asClaims is the value of a member once it went through the mirrored server's claims, of
// which an array is several: one of an element is that element, one of none is nil, and
// what is there twice is there once (JwtPayload.cs, ClaimsExtensions.cs).
func asClaims(value json.RawMessage) json.RawMessage {
	var list []json.RawMessage
	if !bytes.HasPrefix(value, []byte{'['}) || json.Unmarshal(value, &list) != nil {
		return value
	}
	var once [][]byte
	for _, one := range list {
		if !slices.ContainsFunc(once, func(o []byte) bool { return bytes.Equal(o, one) }) {
			once = append(once, one)
		}
	}
	switch len(once) {
	case 0:
		return nil
	case 1:
		return once[0]
	}
	return slices.Concat([]byte{'['}, bytes.Join(once, []byte{','}), []byte{']'})
}

// introspection is the answer about t to an API: every claim but scope in the
// token's order, then active, then those of the scopes that are the API's.
// ok is false when none is.
func (t *accessToken) introspection(api Resource) (body []byte, ok bool) {
	var theirs []string
	for _, s := range t.Scope {
		if slices.Contains(api.Scopes, s) {
			theirs = append(theirs, s)
		}
	}
	if len(theirs) == 0 {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(t.raw))
	b := []byte{'{'}
	for _, err := d.Token(); err == nil && d.More(); {
		name, _ := d.Token()
		var value json.RawMessage
		if err = d.Decode(&value); err == nil && name != "scope" {
			if value = asClaims(value); value != nil {
				b = append(appendMember(b, name.(string)), value...)
			}
		}
	}
	b = append(appendMember(b, "active"), "true"...)
	return append(appendText(b, "scope", strings.Join(theirs, " ")), '}'), true
}
