package mockidp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// credentials are what a caller authenticates with. Without a secret the id
// alone was found.
type credentials struct{ id, secret string }

// findCredentials looks into the Basic header, then into the body. The first
// that has a secret wins, and what the other says is not compared. Malformed
// or over-long credentials count as not found.
func findCredentials(h http.Header, f form) credentials {
	basic := basicCredentials(h.Get("Authorization"))
	if basic.secret != "" {
		return basic
	}
	if body := bodyCredentials(f); body.id != "" {
		return body
	}
	return basic
}

func bodyCredentials(f form) credentials {
	c := credentials{f.get("client_id"), f.get("client_secret")}
	if c.id == "" || chars(c.id) > maxID || chars(c.secret) > maxSecret {
		return credentials{}
	}
	return c
}

// basicCredentials reads an Authorization header. Lengths are checked on what
// is still form-encoded, as the mirrored version does. White space inside the
// Base64 is skipped, as .NET's decoder does.
func basicCredentials(header string) credentials {
	const scheme = "Basic "
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return credentials{}
	}
	packed := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, header[len(scheme):])
	pair, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return credentials{}
	}
	id, secret, ok := strings.Cut(string(pair), ":")
	if !ok || isMissing(id) || chars(id) > maxID || chars(secret) > maxSecret {
		return credentials{}
	}
	c := credentials{}
	c.id, _ = unescape(id)
	if !isMissing(secret) {
		c.secret, _ = unescape(secret)
	}
	return c
}

// accepts tells whether secret is one of the secrets that have not expired.
func accepts(secrets []Secret, secret string, now time.Time) bool {
	ok := false
	for _, s := range secrets {
		if !s.Expires.IsZero() && now.After(s.Expires) {
			continue
		}
		if s.matches(secret) {
			ok = true
		}
	}
	return ok && secret != ""
}

// Accepts tells whether a client that is not disabled may authenticate with a
// secret at a moment: with one of its own that has not expired.
func (c Client) Accepts(secret string, now time.Time) bool {
	return !c.Disabled && accepts(c.Secrets, secret, now)
}

// matches compares in a time that tells nothing about either.
func (s Secret) matches(secret string) bool {
	if s.SHA256 == "" {
		return subtle.ConstantTimeCompare([]byte(s.Value), []byte(secret)) == 1
	}
	want, err := hex.DecodeString(s.SHA256)
	got := sha256.Sum256([]byte(secret))
	return err == nil && subtle.ConstantTimeCompare(want, got[:]) == 1
}
