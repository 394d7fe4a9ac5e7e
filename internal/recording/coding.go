package recording

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/secret"
)

// contentEncoding says in what a body is packed (RFC 9110 §8.4).
const contentEncoding = "Content-Encoding"

// mostPackings is how often a body may be packed, and mostUnpacked how long it may be then,
// in bytes: servers make room for the bodies that came alone, and callers are hundreds.
const (
	mostPackings = 4
	mostUnpacked = 256 << 10
)

// unpacked is what a request's body says. Gzip has the time in it, so that a body which is
// known by its bytes is another one each second. One that can't be unpacked, or to too
// much, stays as it is, and so does any where its encoding counts: who asks again for what
// was recorded would send that header with what it is no encoding of.
func (s *Store) unpacked(h http.Header, body []byte) []byte {
	lines := h.Values(contentEncoding)
	if len(body) == 0 || len(lines) == 0 || slices.Contains(s.headers, contentEncoding) {
		return body
	}
	codings := strings.Split(strings.ToLower(strings.Join(lines, ",")), ",")
	if len(codings) > mostPackings {
		return body
	}
	plain := body
	for _, coding := range slices.Backward(codings) {
		switch coding = strings.TrimSpace(coding); coding {
		case "", "identity":
			continue
		}
		inner, ok := secret.Unpack(strings.TrimPrefix(coding, "x-"), plain, mostUnpacked)
		if !ok {
			return body
		}
		plain = inner
	}
	return plain
}
