package mockidp

import (
	"net/http"

	"github.com/hsharness/hsharness/mockidp/control"
)

// answer writes the journal's entry before the first byte of an answer leaves,
// so that a client that has the answer finds its request in the journal.
type answer struct {
	http.ResponseWriter
	journal  *control.Journal
	entry    control.Entry
	chunk    bool // the client understands chunks
	recorded bool
}

// WriteHeader makes a body whose length nobody gave a chunked one, as the
// mirrored server sends it.
func (a *answer) WriteHeader(status int) {
	a.record(status)
	h := a.Header()
	if a.chunk && h.Get("Content-Type") != "" && h.Get("Content-Length") == "" {
		h.Set("Transfer-Encoding", "chunked")
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) record(status int) {
	if a.recorded {
		return
	}
	a.recorded = true
	a.entry.Status = status
	a.journal.Record(a.entry)
}

// The three shapes of an answer. Nothing else may set headers: the mirrored
// server sends neither WWW-Authenticate nor Allow where others would.

// writeEmpty answers with a status and nothing else.
func writeEmpty(w http.ResponseWriter, status int) { w.WriteHeader(status) }

// writeJSON answers with a body that may be cached, because nothing is said.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	writeBody(w, status, body)
}

// writePrivateJSON answers with a body that must not be cached.
func writePrivateJSON(w http.ResponseWriter, status int, body []byte) {
	noCache(w)
	writeJSON(w, status, body)
}

func noCache(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store, no-cache, max-age=0")
	w.Header().Set("Pragma", "no-cache")
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.WriteHeader(status)
	// The client may be gone; then there is nobody to tell.
	_, _ = w.Write(body)
}

// problem is an error code of RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 8628 §3.5, or the
// mirrored server's own. It is described further only where the server does.
type problem string

const (
	invalidRequest       problem = "invalid_request"
	invalidClient        problem = "invalid_client"
	invalidGrant         problem = "invalid_grant"
	unauthorizedClient   problem = "unauthorized_client"
	unsupportedGrantType problem = "unsupported_grant_type"
	invalidScope         problem = "invalid_scope"
	missingToken         problem = "missing_token"
	unsupportedTokenType problem = "unsupported_token_type"
	authorizationPending problem = "authorization_pending"
	slowDown             problem = "slow_down"
	accessDenied         problem = "access_denied"
	expiredToken         problem = "expired_token"
)

func (p problem) body() []byte { return append(appendText([]byte{'{'}, "error", string(p)), '}') }

func (p problem) described(text string) []byte {
	return append(appendText(appendText([]byte{'{'}, "error", string(p)), "error_description", text), '}')
}
