package mockidp

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// refused answers what introspection and revocation refuse before they look at
// anything else, and tells whether it did.
func refused(w http.ResponseWriter, c *call) bool {
	switch {
	case c.Method != http.MethodPost:
		writeEmpty(w, http.StatusMethodNotAllowed)
	case !c.isForm:
		writeEmpty(w, http.StatusUnsupportedMediaType)
	default:
		return false
	}
	return true
}

// introspect is POST /connect/introspect, RFC 7662. The caller is an API, never
// a client, and a refusal carries no WWW-Authenticate.
func (s *Server) introspect(w http.ResponseWriter, c *call) {
	if refused(w, c) {
		return
	}
	i := slices.IndexFunc(s.resources, func(r Resource) bool { return r.Name == c.creds.id })
	known := i >= 0 && accepts(s.resources[i].Secrets, c.creds.secret, s.clock.Now())
	if c.isBroken(known) {
		writeBroken(w, c)
		return
	}
	if !known {
		writeEmpty(w, http.StatusUnauthorized)
		return
	}
	token, given := c.form["token"]
	if !given {
		writePrivateJSON(w, http.StatusBadRequest, missingToken.body())
		return
	}
	if t, err := s.verify(token); err == nil {
		if body, ok := t.introspection(s.resources[i]); ok {
			writePrivateJSON(w, http.StatusOK, body)
			return
		}
	}
	writePrivateJSON(w, http.StatusOK, []byte(`{"active":false}`))
}

// revocation is POST /connect/revocation, RFC 7009. A JWT can't be revoked, and
// there are no other tokens here: the answer is 200 and nothing changes.
func (s *Server) revocation(w http.ResponseWriter, c *call) {
	if refused(w, c) {
		return
	}
	hint, known := c.form.get("token_type_hint"), s.authenticate(c.creds) != nil
	switch {
	case c.isBroken(known):
		writeBroken(w, c)
	case !known:
		writeJSON(w, http.StatusBadRequest, invalidClient.body())
	case c.form.get("token") == "":
		writeJSON(w, http.StatusBadRequest, invalidRequest.body())
	case hint != "" && hint != "access_token" && hint != "refresh_token":
		writeJSON(w, http.StatusBadRequest, unsupportedTokenType.body())
	default:
		writeEmpty(w, http.StatusOK)
	}
}

// userinfo is GET and POST /connect/userinfo, OpenID Connect Core §5.3. It
// wants a token of a user, as the device flow gives with openid, and says no more than
// who it is: which claims Avalara's users have is not public. Every other token is
// refused: a client's for its scope, one minted with openid for having no subject.
func (s *Server) userinfo(w http.ResponseWriter, c *call) {
	if c.Method != http.MethodGet && c.Method != http.MethodPost {
		writeEmpty(w, http.StatusMethodNotAllowed)
		return
	}
	token := bearer(c)
	if token == "" && c.broken != 0 {
		writeBroken(w, c)
		return
	}
	status, challenge := http.StatusUnauthorized, `error="invalid_token"`
	t, err := s.verify(token)
	switch {
	case errors.Is(err, errExpired):
		challenge += `,error_description="The access token expired"`
	case err == nil && !slices.Contains(t.Scope, scopeOpenID):
		status, challenge = http.StatusForbidden, `error="insufficient_scope"`
	case err == nil && t.Subject != "":
		writePrivateJSON(w, http.StatusOK, append(appendText([]byte{'{'}, "sub", t.Subject), '}'))
		return
	}
	noCache(w)
	w.Header().Set("WWW-Authenticate", `Bearer realm="IdentityServer",`+challenge)
	writeEmpty(w, status)
}

// bearer is the token of the Authorization header, else of the form, RFC 6750
// §2.1 and §2.2, of whatever method. One in the query is not looked at. The scheme is
// case-sensitive, and what follows it is the token: no space has to part them, a tab
// may, and a header of the scheme alone has no token (BearerTokenUsageValidator.cs).
func bearer(c *call) string {
	after, ok := strings.CutPrefix(strings.TrimSpace(c.Header.Get("Authorization")), "Bearer")
	if token := strings.TrimSpace(after); ok && token != "" {
		return token
	}
	return c.form.get("access_token")
}
