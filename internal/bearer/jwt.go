package bearer

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"
)

// maxToken is the longest token looked at, in bytes. Source: the default of
// MaximumTokenSizeInBytes in Microsoft.IdentityModel, 250 KiB.
const maxToken = 250 << 10

// errForm is every way in which a token can be unreadable: the answer to all
// of them is the same.
var errForm = errors.New("not a JWT signed with RS256")

// jwt is a token in compact serialization (RFC 7515 §7.1) that is not yet
// verified.
type jwt struct {
	kid       string
	signed    string // header and payload as they stand in the token
	payload   string // still encoded
	signature []byte
}

// parse reads the form and the header. It takes exactly three parts of
// unpadded base64url with no stray bits, and the one algorithm that the
// identity service signs with (RS256 is all its discovery document lists).
// RFC 7515 §4.1.11: a crit header it does not understand refuses the token.
func parse(raw string) (jwt, error) {
	if len(raw) > maxToken || strings.Count(raw, ".") != 2 {
		return jwt{}, errForm
	}
	last := strings.LastIndexByte(raw, '.')
	head, payload, _ := strings.Cut(raw[:last], ".")
	header, err := object(head)
	if err != nil {
		return jwt{}, err
	}
	if _, crit := header["crit"]; crit || text(header["alg"]) != "RS256" {
		return jwt{}, errForm
	}
	signature, err := decode(raw[last+1:])
	if err != nil {
		return jwt{}, err
	}
	return jwt{kid: text(header["kid"]), signed: raw[:last], payload: payload, signature: signature}, nil
}

func (t jwt) signedBy(key *rsa.PublicKey) bool {
	sum := sha256.Sum256([]byte(t.signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) == nil
}

// claims are those that are looked at. A zero time means that there is none.
type claims struct {
	issuer, clientID string
	scopes           []string
	exp, nbf         time.Time
}

func (t jwt) claims() (claims, error) {
	m, err := object(t.payload)
	if err != nil {
		return claims{}, err
	}
	c := claims{issuer: text(m["iss"]), clientID: text(m["client_id"]), scopes: scopes(m["scope"])}
	if c.exp, err = instant(m["exp"]); err != nil {
		return claims{}, err
	}
	if c.nbf, err = instant(m["nbf"]); err != nil {
		return claims{}, err
	}
	return c, nil
}

// object decodes one part of a token. Names are exact: encoding/json would
// match a struct's fields by any case. Of members with the same name the last
// one counts, which RFC 7519 §4 allows.
func object(part string) (map[string]json.RawMessage, error) {
	data, err := decode(part)
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil || m == nil {
		return nil, errForm
	}
	return m, nil
}

// decode is strict: package base64 skips line ends, which no token has.
func decode(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, errForm
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, errForm
	}
	return data, nil
}

// text is the string in raw, or empty when it is something else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// scopes reads both forms in use: the JSON array of IdentityServer 4 and the
// space-separated string of RFC 9068 §2.2.3.
func scopes(raw json.RawMessage) []string {
	if s := text(raw); s != "" {
		return strings.Fields(s)
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// instant reads a NumericDate (RFC 7519 §2), fractions cut off. Dates outside
// .NET's years 1 to 9999 are moved to their end.
func instant(raw json.RawMessage) (time.Time, error) {
	if raw == nil {
		return time.Time{}, nil
	}
	var seconds *float64
	if json.Unmarshal(raw, &seconds) != nil || seconds == nil {
		return time.Time{}, errForm
	}
	const first, last = -62135596799, 253402300799
	return time.Unix(int64(math.Trunc(min(max(*seconds, first), last))), 0).UTC(), nil
}
