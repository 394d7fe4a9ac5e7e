package mockidp

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/mockidp/control"
)

// call is one request with everything that is read of it before it is
// answered: faults and the journal want to know its client and scopes.
type call struct {
	*http.Request
	isForm bool   // its content type says so, whatever its method
	raw    string // its body, when it can be used
	form   form
	// broken is the status for a body that can't be used, or 0; why is what is said of one
	// that was over a limit of who serves here.
	broken int
	why    string
	creds  credentials
	fault  *control.Fault
}

// read takes in the request. Of bodies that are not a urlencoded form, or not
// a good one, nothing is kept for the journal: their secrets could not be told
// from the rest.
func (s *Server) read(w http.ResponseWriter, r *http.Request) *call {
	// Several headers of a name are one, joined by commas, as the mirrored server's
	// platform reads them.
	c := &call{Request: r, isForm: isForm(strings.Join(r.Header.Values("Content-Type"), ","))}
	if c.isForm {
		var body []byte
		var err error
		if r.Body != nil && r.ContentLength <= maxBody { // a longer one is refused unread; nil is what a test made
			body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		}
		var tooLarge *http.MaxBytesError
		var over *bounded.Error
		switch {
		case r.ContentLength > maxBody, errors.As(err, &tooLarge):
			c.broken = http.StatusRequestEntityTooLarge
		case errors.As(err, &over):
			c.broken, c.why = over.Status, over.Text
		case err != nil:
			// The client is gone, or spoke bad HTTP: nobody reads an answer.
			panic(http.ErrAbortHandler)
		default:
			text := string(body)
			if c.form, err = parseForm(text); err != nil {
				c.broken = http.StatusInternalServerError
			} else if c.form.isPlain() {
				c.raw = text
			}
		}
	}
	c.creds = findCredentials(r.Header, c.form)
	return c
}

// askedScopes is the scopes a call asks for: when it names none, those of its device code,
// or all of its client's. Elsewhere than where tokens are asked for it is empty.
func (s *Server) askedScopes(endpoint string, c *call) []string {
	requested, cl := c.form.get("scope"), s.client(c.creds.id)
	switch grant := c.form.get("grant_type"); {
	case grant == grantDeviceCode && endpoint == endpointToken:
		return s.devices.scopes(c.form.get("device_code"))
	case requested != "":
		return parseScopes(requested)
	case cl != nil && endpoint == endpointDevice:
		return cl.userScopes
	case cl != nil && grant != "":
		return cl.scopes
	}
	return nil
}

// client returns the enabled client with this id, or nil. One of this protocol that may
// use no grant is misconfigured, and so unknown (ValidatingClientStore.cs,
// DefaultClientConfigurationValidator.cs).
func (s *Server) client(id string) *client {
	cl := s.clients[id]
	switch {
	case cl == nil && (s.anyClient || s.Anyone) && id != "":
		return s.compile(Client{ID: id})
	case cl == nil || cl.Disabled || cl.isOIDC() && len(cl.Grants) == 0:
		return nil
	}
	return cl
}

// isOIDC tells whether a client speaks the one protocol whose clients get tokens.
func (c *client) isOIDC() bool { return c.Protocol == "" || c.Protocol == "oidc" }

// nobodys are the secrets of a client that is not there.
var nobodys = []Secret{{SHA256: strings.Repeat("0", 64)}}

// authenticate returns the client that the credentials are of, or nil, of whatever
// protocol. Of a client that needs no secret none is looked at: one that may use the
// implicit grant alone needs none either (ClientSecretValidator.cs, ClientExtensions.cs).
func (s *Server) authenticate(c credentials) *client {
	cl := s.client(c.id)
	stranger := s.Anyone && s.clients[c.id] == nil
	switch {
	case cl == nil:
		accepts(nobodys, c.secret, s.clock.Now()) // it takes as long as a wrong secret does
		return nil
	case cl.Public || slices.Equal(cl.Grants, []string{grantImplicit}):
		return cl
	case c.secret == "" || !s.anyClient && !stranger && !accepts(cl.Secrets, c.secret, s.clock.Now()):
		return nil
	}
	return cl
}

// authenticateDevice is authenticate for the device flow. Where any client may come, one
// that is not known and brings no secret is a public client of this flow: SDKs bring none
// in it.
func (s *Server) authenticateDevice(c credentials) *client {
	if c.id != "" && c.secret == "" && s.clients[c.id] == nil && (s.anyClient || s.Anyone) {
		return s.compile(Client{ID: c.id, Public: true, Grants: []string{grantDeviceCode}})
	}
	return s.authenticate(c)
}
