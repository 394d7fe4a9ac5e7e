package mockidp

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/mockidp/control"
)

// Grant types that the mirrored server treats by name.
const (
	grantClientCredentials = "client_credentials"
	grantImplicit          = "implicit"
	grantRefreshToken      = "refresh_token"
	grantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
)

// userGrants need a user, a code or a device. A client that may not use one gets
// another error than for an unknown grant. That of a device alone is mirrored.
var userGrants = []string{"authorization_code", "password", grantDeviceCode}

// missingExpiresIn is the one token defect that is in the answer around the
// token, see control.TokenDefects.
const missingExpiresIn = "missing_expires_in"

// token is POST /connect/token. The order of its checks is the mirrored
// server's, and the first that fails decides.
func (s *Server) token(w http.ResponseWriter, c *call) {
	if c.Method != http.MethodPost || !c.isForm {
		writePrivateJSON(w, http.StatusBadRequest, invalidRequest.body())
		return
	}
	byDevice := c.form.get("grant_type") == grantDeviceCode
	authenticate := s.authenticate
	if byDevice {
		authenticate = s.authenticateDevice
	}
	cl := authenticate(c.creds)
	if c.isBroken(cl != nil) {
		writeBroken(w, c)
		return
	}
	if cl == nil || !cl.isOIDC() {
		writePrivateJSON(w, http.StatusBadRequest, invalidClient.body())
		return
	}
	if p := cl.checkGrant(c.form); p != "" {
		writePrivateJSON(w, http.StatusBadRequest, p.body())
		return
	}
	var scopes []string
	var by *user
	if byDevice {
		d, p := s.devices.poll(c.form.get("device_code"), cl.ID, s.clock.Now())
		if p != "" {
			writePrivateJSON(w, http.StatusBadRequest, p.body())
			return
		}
		scopes, by = d.scopes, d.user
	} else {
		var ok bool
		if scopes, ok = cl.grantScopes(c.form.get("scope")); !ok {
			writePrivateJSON(w, http.StatusBadRequest, invalidScope.body())
			return
		}
	}
	body, err := s.tokens(cl, scopes, by, c.fault)
	if err != nil {
		writeEmpty(w, http.StatusInternalServerError)
		return
	}
	writePrivateJSON(w, http.StatusOK, body)
}

// tokens is the body of an answer with tokens, in the mirrored server's order
// (TokenResult.cs): those of a user, nil without one.
func (s *Server) tokens(cl *client, scopes []string, by *user, fault *control.Fault) ([]byte, error) {
	claims := Claims{ClientID: cl.ID, Scopes: scopes}
	lifetime := true
	if fault != nil && fault.Token == missingExpiresIn {
		lifetime = false
	} else if fault != nil {
		claims.Defect = Defect(fault.Token)
	}
	access, err := s.issue(cl, claims, by)
	if err != nil {
		return nil, err
	}
	b := []byte{'{'}
	if by != nil && slices.Contains(scopes, scopeOpenID) {
		id, err := s.identityToken(cl, by, access)
		if err != nil {
			return nil, err
		}
		b = appendText(b, "id_token", id)
	}
	b = appendText(b, "access_token", access)
	if lifetime {
		b = appendInt(b, "expires_in", cl.lifetime)
	}
	b = appendText(b, "token_type", "Bearer")
	return append(appendText(b, "scope", strings.Join(scopes, " ")), '}'), nil
}

// checkGrant returns "" for a request of client_credentials or with a device code
// that the client may make, or why not.
func (c *client) checkGrant(f form) problem {
	grant := f.get("grant_type")
	allowed := slices.Contains(c.Grants, grant)
	switch {
	case grant == "" || chars(grant) > maxGrantType:
		return unsupportedGrantType
	case grant == grantRefreshToken && f.get("refresh_token") == "":
		return invalidRequest // whether or not the client may use the grant
	case grant == grantRefreshToken:
		return invalidGrant // no refresh token was ever issued
	case grant == grantClientCredentials && !allowed, slices.Contains(userGrants, grant) && !allowed:
		return unauthorizedClient
	case grant == grantClientCredentials:
		return ""
	case grant == grantDeviceCode && f.get("device_code") == "":
		return invalidRequest
	case grant == grantDeviceCode && chars(f.get("device_code")) <= maxGrant:
		return ""
	case slices.Contains(userGrants, grant):
		return invalidGrant // nothing was ever granted
	default:
		return unsupportedGrantType
	}
}

// isBroken tells whether a form that can't be used ends the call. The mirrored server reads
// it when it looks for a secret there, which it does unless the header has one, and else once
// the caller is authenticated (SecretParser.cs).
func (c *call) isBroken(authenticated bool) bool {
	return c.broken != 0 && (authenticated || c.creds.secret == "")
}

// writeBroken answers a form that can't be used.
func writeBroken(w http.ResponseWriter, c *call) {
	if c.why != "" {
		http.Error(w, c.why, c.broken)
		return
	}
	if c.broken == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close")
	}
	writeEmpty(w, c.broken)
}
