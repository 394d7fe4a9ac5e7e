package control

import (
	"net/http"
	"slices"
	"strings"
)

// masked stands where a secret stood.
const masked = "***"

// schemes are those of HTTP authentication that clients use, lower case. What stands
// before the first space and is none of them may be a secret itself: servers take
// Bearer and a token without a space between them.
var schemes = []string{"basic", "bearer", "digest", "dpop", "negotiate"}

// MaskHeader returns a copy of h in which credentials are replaced: of
// Authorization a known scheme stays, of cookies nothing.
func MaskHeader(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	out := h.Clone()
	for name, values := range out {
		switch http.CanonicalHeaderKey(name) {
		case "Authorization", "Proxy-Authorization":
			for i, v := range values {
				if scheme, _, ok := strings.Cut(v, " "); ok && slices.Contains(schemes, strings.ToLower(scheme)) {
					values[i] = scheme + " " + masked
				} else {
					values[i] = masked
				}
			}
		case "Cookie", "Set-Cookie":
			out[name] = []string{masked}
		}
	}
	return out
}

// secretKeys are the form keys whose values are never kept, lower case.
var secretKeys = []string{"client_secret", "client_assertion", "token", "access_token", "refresh_token", "password", "code", "device_code", "assertion"}

// MaskForm replaces the values of secret keys in a urlencoded form, in JSON and in the parts
// of a multipart form, and leaves every other text as it is. Keys are matched as the
// mirrored server matches them: by any case, also when they are percent-encoded. A form's
// value that has such a form or such JSON in it goes as a whole.
func MaskForm(body string) string {
	pairs := strings.Split(body, "&")
	changed := false
	for i, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if ok && value != masked && (isSecretKey(key) || isSecret(value, nesting)) {
			pairs[i] = key + "=" + masked
			changed = true
		}
	}
	if changed {
		body = strings.Join(pairs, "&")
	}
	return maskParts(maskJSON(body))
}

func isSecretKey(key string) bool {
	key = strings.ToLower(unescape(key))
	for _, s := range secretKeys {
		if key == s {
			return true
		}
	}
	return false
}

// unescape decodes percent escapes and leaves broken ones as they are.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
