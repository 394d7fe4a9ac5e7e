package mockidp

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// pathDevicePage is where the user of a device answers for it. It is assumed: the mirrored
// server's default (Constants.cs), and what Avalara's discovery document does not say.
const pathDevicePage = "/device"

// defaultSubject is who approves where nobody says who does.
const defaultSubject = "hsharness-user"

// deviceAuthorization is POST /connect/deviceauthorization, RFC 8628 §3.1, in the order of
// the mirrored server's checks (DeviceAuthorizationEndpoint.cs,
// DeviceAuthorizationRequestValidator.cs).
func (s *Server) deviceAuthorization(w http.ResponseWriter, c *call) {
	if c.Method != http.MethodPost || !c.isForm {
		writePrivateJSON(w, http.StatusBadRequest, invalidRequest.body())
		return
	}
	cl := s.authenticateDevice(c.creds)
	if c.isBroken(cl != nil) {
		writeBroken(w, c)
		return
	}
	if cl == nil {
		writePrivateJSON(w, http.StatusBadRequest, invalidClient.body())
		return
	}
	scopes, refusal := cl.deviceScopes(c.form.get("scope"))
	switch {
	case !cl.isOIDC():
		refusal = unauthorizedClient.described("Invalid protocol")
	case !slices.Contains(cl.Grants, grantDeviceCode):
		refusal = unauthorizedClient.body()
	}
	if refusal != nil {
		writePrivateJSON(w, http.StatusBadRequest, refusal)
		return
	}
	code, userCode := s.devices.add(cl.ID, scopes, s.clock.Now())
	page := s.issuer + pathDevicePage
	b := appendText([]byte{'{'}, "device_code", code)
	b = appendText(b, "user_code", userCode)
	b = appendText(b, "verification_uri", page)
	b = appendText(b, "verification_uri_complete", page+"?userCode="+userCode)
	b = appendInt(b, "expires_in", int64(deviceLifetime.Seconds()))
	b = appendInt(b, "interval", int64(deviceInterval.Seconds()))
	writePrivateJSON(w, http.StatusOK, append(b, '}'))
}

// deviceScopes returns what a device asks for, in its order, or the body of the refusal.
// Unlike at the token endpoint nothing is sorted, asking for nothing asks for identity
// scopes too, and a text that is too long is no invalid_scope. offline_access is never
// had: it is as with a client that is not allowed it, which is the mirrored server's
// default.
func (c *client) deviceScopes(requested string) (scopes []string, refusal []byte) {
	if isMissing(requested) {
		requested = strings.Join(c.userScopes, " ")
	}
	if chars(requested) > maxScope {
		return nil, invalidRequest.described("Invalid scope")
	}
	scopes = unique(strings.FieldsFunc(strings.TrimSpace(requested), func(r rune) bool { return r == ' ' }))
	isUnknown := func(scope string) bool { return !slices.Contains(c.userScopes, scope) }
	aboutUser := len(onlyAPI(scopes)) < len(scopes)
	if len(scopes) == 0 || slices.ContainsFunc(scopes, isUnknown) || aboutUser && !slices.Contains(scopes, scopeOpenID) {
		return nil, invalidScope.body()
	}
	return scopes, nil
}

// devicePage answers where the mirrored server has its page for the user: that of Avalara
// is not public, and the way past it is.
func (s *Server) devicePage(w http.ResponseWriter, _ *call) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	writeBody(w, http.StatusNotImplemented, []byte(`not mirrored: no source. Approve or deny with POST /device at the control endpoint, or Server.AnswerDevice in Go`))
}

// AnswerDevice is what the user of a device does in a browser: it approves all that was
// asked for with the user code, or denies it. The tokens are then those of subject; empty
// is hsharness-user. The last answer counts, until the device has its tokens. It returns the
// scopes that the user was asked for, or an error where there is no such user code.
func (s *Server) AnswerDevice(userCode string, approve bool, subject string) (scopes []string, err error) {
	var by *user
	if approve {
		by = &user{subject: subject, session: randomHex(), since: s.clock.Now().Unix()}
		if subject == "" {
			by.subject = defaultSubject
		}
	}
	scopes, ok := s.devices.answer(userCode, by)
	if !ok {
		return nil, errors.New("no device waits with this user code: it was never given, or its tokens were fetched")
	}
	return slices.Clone(scopes), nil
}

// Reset forgets what devices asked for. Everything else of the tenant stays.
func (s *Server) Reset() { s.devices.clear() }
