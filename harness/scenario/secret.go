package scenario

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	// looksSecret finds tokens and keys written out: a JWT, or a credential
	// after its scheme.
	looksSecret = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.|(?i)^(bearer|basic)\s+[A-Za-z0-9+/=._-]{8,}`)
	// secretName is how people call what nobody should read.
	secretName = regexp.MustCompile(`(?i)(secret|passw(or)?d|licen[cs]e_?key|api_?key|private_?key)`)
	// inLine finds both in a line of a file, where there is less to go by. What
	// is to be hidden is in the second and the third group.
	inLine = regexp.MustCompile(`(?i)()(\beyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9_.-]*|(?:\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._-]{16,})|` +
		secretName.String() + `["']?\s*:\s*["']?([^"'\s,}{$]{8,})`)
)

// maskLine hides what looks like a secret in a line of a file, character by
// character, so that a caret below it stays in its place.
func maskLine(line string) string {
	out := []byte(line)
	for _, m := range inLine.FindAllStringSubmatchIndex(line, -1) {
		for _, group := range []int{2, len(m)/2 - 1} {
			if from, to := m[2*group], m[2*group+1]; from >= 0 {
				copy(out[from:to], bytes.Repeat([]byte("*"), to-from))
			}
		}
	}
	return string(out)
}

// shortSecret is how long a text from the environment must be to be masked:
// hiding every "1" or "US" of a report would hide no secret.
const shortSecret = 4

// spellings lists the ways in which texts may stand in an exchange: as they
// are, in JSON, in a URL, in base64; the longest first.
func spellings(secrets []string) []string {
	var out []string
	for _, s := range secrets {
		if len(s) < shortSecret {
			continue
		}
		out = append(out, s, url.QueryEscape(s), url.PathEscape(s), strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "="),
			base64.RawURLEncoding.EncodeToString([]byte(s)))
		for _, html := range []bool{true, false} {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(html)
			if e.Encode(s) == nil { // a string always has a JSON form
				out = append(out, strings.Trim(strings.TrimSpace(b.String()), `"`))
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	return slices.Compact(out)
}
