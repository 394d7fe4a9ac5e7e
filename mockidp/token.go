package mockidp

import (
	"net/http"
	"slices"
	"strings"
)

// Grant types that the mirrored server treats by name.
const (
	grantClientCredentials = "client_credentials"
	grantImplicit          = "implicit"
	grantRefreshToken      = "refresh_token"
	grantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
)

// userGrants need a user, a code or a device. None is mirrored; a client that
// may not use one gets another error than for an unknown grant.
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
	if c.broken != 0 {
		writeBroken(w, c)
		return
	}
	cl := s.authenticate(c.creds)
	if cl == nil || !cl.isOIDC() {
		writePrivateJSON(w, http.StatusBadRequest, invalidClient.body())
		return
	}
	if p := cl.checkGrant(c.form); p != "" {
		writePrivateJSON(w, http.StatusBadRequest, p.body())
		return
	}
	scopes, ok := cl.grantScopes(c.form.get("scope"))
	if !ok {
		writePrivateJSON(w, http.StatusBadRequest, invalidScope.body())
		return
	}
	claims := Claims{ClientID: cl.ID, Scopes: scopes}
	lifetime := true
	if c.fault != nil && c.fault.Token == missingExpiresIn {
		lifetime = false
	} else if c.fault != nil {
		claims.Defect = Defect(c.fault.Token)
	}
	jwt, err := s.issue(cl, claims)
	if err != nil {
		writeEmpty(w, http.StatusInternalServerError)
		return
	}
	b := appendText([]byte{'{'}, "access_token", jwt)
	if lifetime {
		b = appendInt(b, "expires_in", cl.lifetime)
	}
	b = appendText(b, "token_type", "Bearer")
	b = appendText(b, "scope", strings.Join(scopes, " "))
	writePrivateJSON(w, http.StatusOK, append(b, '}'))
}

// checkGrant returns "" for a client_credentials request that the client may
// make, or why not.
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
	case slices.Contains(userGrants, grant):
		return invalidGrant // nothing was ever granted
	default:
		return unsupportedGrantType
	}
}

// writeBroken answers a form that can't be used.
func writeBroken(w http.ResponseWriter, c *call) {
	if c.broken == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close")
	}
	writeEmpty(w, c.broken)
}
