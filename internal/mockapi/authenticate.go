package mockapi

import (
	"net/http"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bearer"
)

// authenticate says whose request it is. When the second result is not nil, it
// writes the refusal.
func (h *host) authenticate(r *http.Request) (bearer.Token, func(http.ResponseWriter)) {
	if id, secret, ok := r.BasicAuth(); ok && h.basic != nil && h.api == avalara.Managed {
		if h.basic(id, secret) {
			return bearer.Token{ClientID: id}, nil
		}
		return bearer.Token{}, func(w http.ResponseWriter) { unauthenticated.write(w, h.bare) }
	}
	token, refusal := h.checker.Check(bearer.Header(r.Header))
	if refusal == nil {
		return token, nil
	}
	return token, refusal.Write
}

// unauthenticated answers an id and secret that are not known. Source: the
// vendor's error list; that it has the envelope here is from the 2019 swagger.
var unauthenticated = func() reply {
	r := failure(http.StatusUnauthorized, targetHeaders, problem(avalara.AuthenticationException, ""))
	r.header = map[string]string{"WWW-Authenticate": "Basic"}
	return r
}()
