package guard_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/guard"
)

// TestCrashMatrix has the row of docs/ledger.md that no ledger can see and
// the guard closes: net/http sends some requests twice by itself.
func TestCrashMatrix(t *testing.T) {
	// The first connection dies after the server read its second request.
	dies := func(x exchange) bool {
		if x.first && x.again {
			return false
		}
		x.ok()
		return true
	}
	for name, row := range map[string]struct {
		method, header string
		act            func(exchange) bool
	}{
		"row 20 a GET on a connection that dies":        {http.MethodGet, "", dies},
		"row 20 an idempotency key on one":              {http.MethodPost, "Idempotency-Key", dies},
		"row 20 a redirect that keeps method and body":  {http.MethodPost, "", redirectTo("/hscode/hints")},
		"row 20 a redirect of a GET to the same server": {http.MethodGet, "", redirectTo("/hscode/hints")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHostile(t, row.act)
			l := newLive(t, liveConfig{APIURL: h.url, Operations: guard.Operations{{Match: "GET /hscode/hints", Cost: 1}}})
			for range 3 {
				body := `{"a":1}`
				if row.method == http.MethodGet {
					body = ""
				}
				r := l.request(row.method, hints, body)
				if row.header != "" {
					r.Header.Set(row.header, "k")
				}
				l.do(r)
			}
			assert.EqualValues(t, 3, h.counted.Load(), "one request, one attempt on the wire")
			assert.EqualValues(t, 3, l.spent())
		})
	}
}

// redirectTo sends everything on to a path of the same server.
func redirectTo(path string) func(exchange) bool {
	return func(x exchange) bool {
		x.readBody()
		x.say("HTTP/1.1 307 Temporary Redirect\r\nLocation: " + path + "\r\nContent-Length: 0\r\n\r\n")
		return true
	}
}
