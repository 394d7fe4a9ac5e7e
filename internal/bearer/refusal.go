package bearer

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Refusal is the answer to a token that is not accepted. It is an error, too.
type Refusal struct {
	// Status is 401, or 403 for a good token without the scope.
	Status int
	// WWWAuthenticate is the header's exact value. It is empty with 403, which
	// ASP.NET sends without the header.
	WWWAuthenticate string
}

// Write answers a request: the status, the header, nothing else. The body is
// empty and has no content type.
func (r *Refusal) Write(w http.ResponseWriter) {
	if r.WWWAuthenticate != "" {
		w.Header().Set("WWW-Authenticate", r.WWWAuthenticate)
	}
	w.WriteHeader(r.Status)
}

// Error names the status and what the header says. It never holds the token.
func (r *Refusal) Error() string {
	if r.WWWAuthenticate == "" {
		return strconv.Itoa(r.Status) + ": the token has none of the scopes of this host"
	}
	return strconv.Itoa(r.Status) + ": WWW-Authenticate: " + r.WWWAuthenticate
}

// challenge is the answer to a request without a token.
func challenge() *Refusal {
	return &Refusal{Status: http.StatusUnauthorized, WWWAuthenticate: "Bearer"}
}

// forbidden is bare: the framework sends no insufficient_scope.
func forbidden() *Refusal { return &Refusal{Status: http.StatusForbidden} }

// invalid is the answer to a bad token. Without reasons there is no
// description: ASP.NET gives none for a token it can't read.
func invalid(reasons ...string) *Refusal {
	value := `Bearer error="invalid_token"`
	if len(reasons) > 0 {
		value += `, error_description="` + strings.Join(reasons, "; ") + `"`
	}
	return &Refusal{Status: http.StatusUnauthorized, WWWAuthenticate: value}
}

// date writes a time as .NET's invariant culture does.
func date(t time.Time) string { return t.UTC().Format("01/02/2006 15:04:05") }

// printable keeps a claim from breaking out of its header: what is not
// printable ASCII, and the quote that would end the description, becomes "?".
func printable(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' {
			return '?'
		}
		return r
	}, s)
}
