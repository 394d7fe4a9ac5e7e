package mockidp

import (
	"errors"
	"io"
	"net/http"

	"github.com/hsharness/hsharness/mockidp/control"
)

// call is one request with everything that is read of it before it is
// answered: faults and the journal want to know its client and scopes.
type call struct {
	*http.Request
	isForm bool   // a POST with a urlencoded form
	raw    string // its body, when it can be used
	form   form
	// broken is the status for a body that can't be used, or 0.
	broken int
	creds  credentials
	fault  *control.Fault
}

// read takes in the request. Of bodies that are not a urlencoded form, or not
// a good one, nothing is kept for the journal: their secrets could not be told
// from the rest.
func (s *Server) read(w http.ResponseWriter, r *http.Request) *call {
	c := &call{Request: r, isForm: r.Method == http.MethodPost && isForm(r.Header.Get("Content-Type"))}
	if c.isForm {
		var body []byte
		var err error
		if r.ContentLength <= maxBody { // a longer one is refused unread
			body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		}
		var tooLarge *http.MaxBytesError
		switch {
		case r.ContentLength > maxBody, errors.As(err, &tooLarge):
			c.broken = http.StatusRequestEntityTooLarge
		case err != nil:
			// The client is gone, or spoke bad HTTP: nobody reads an answer.
			panic(http.ErrAbortHandler)
		default:
			text := string(body)
			if c.form, err = parseForm(text); err != nil {
				c.broken = http.StatusInternalServerError
			} else {
				c.raw = text
			}
		}
	}
	c.creds = findCredentials(r.Header, c.form)
	return c
}

// askedScopes is the scopes a call asks for: all of its client's when it names
// none. Outside the token endpoint it is empty, because nobody asks there.
func (s *Server) askedScopes(c *call) []string {
	if requested := c.form.get("scope"); requested != "" {
		return parseScopes(requested)
	}
	if c.form.get("grant_type") != "" {
		if cl := s.client(c.creds.id); cl != nil {
			return cl.scopes
		}
	}
	return nil
}

// client returns the enabled client with this id, or nil.
func (t *tenant) client(id string) *client {
	cl := t.clients[id]
	switch {
	case cl == nil && t.anyClient && id != "":
		return t.compile(Client{ID: id})
	case cl == nil || cl.Disabled:
		return nil
	}
	return cl
}

// protocolOIDC is the one protocol whose clients get tokens.
const protocolOIDC = "oidc"

// authenticate returns the client that the credentials are of, or nil.
func (t *tenant) authenticate(c credentials) *client {
	cl := t.client(c.id)
	if cl == nil || c.secret == "" {
		return nil
	}
	if !t.anyClient && !accepts(cl.Secrets, c.secret, t.clock.Now()) {
		return nil
	}
	if len(cl.Grants) == 0 || cl.Protocol != "" && cl.Protocol != protocolOIDC {
		return nil
	}
	return cl
}
