package mockidp

import "net/http"

// metadata is GET /.well-known/openid-configuration, OpenID Connect Discovery
// §4. Nothing is said about caching, and no other method is allowed, HEAD
// included.
func (s *Server) metadata(w http.ResponseWriter, c *call) {
	if c.Method != http.MethodGet {
		writeEmpty(w, http.StatusMethodNotAllowed)
		return
	}
	writeJSON(w, http.StatusOK, s.discovery)
}

// jwks is GET /.well-known/openid-configuration/jwks, RFC 7517 §5: the signing
// key first, then the older ones. That order is assumed.
func (s *Server) jwks(w http.ResponseWriter, c *call) {
	if c.Method != http.MethodGet {
		writeEmpty(w, http.StatusMethodNotAllowed)
		return
	}
	keys, err := s.keys.all()
	if err != nil {
		writeEmpty(w, http.StatusInternalServerError)
		return
	}
	b := []byte(`{"keys":[`)
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = k.appendJWK(b)
	}
	writeJSON(w, http.StatusOK, append(b, "]}"...))
}
