package mockidp

import "strings"

// isForm tells whether a content type is that of a urlencoded form, whatever its case
// and parameters. It reads the header as ASP.NET Core does, which is not how package mime
// does it: a parameter may have no value, an empty one, or be there twice, white space
// may be anywhere between the parts, and the last semicolon may end the text
// (MediaTypeHeaderValue.cs, NameValueHeaderValue.cs, BaseHeaderParser.cs and
// HttpRuleParser.cs of Microsoft.Net.Http.Headers).
func isForm(contentType string) bool {
	kind, rest := cutToken(skipSpace(contentType))
	rest, ok := strings.CutPrefix(skipSpace(rest), "/")
	if !ok {
		return false
	}
	subtype, rest := cutToken(skipSpace(rest))
	rest = skipSpace(rest)
	for {
		if rest, ok = strings.CutPrefix(rest, ";"); !ok {
			break
		}
		var name string
		if name, rest = cutToken(skipSpace(rest)); name == "" {
			break
		}
		if value, has := strings.CutPrefix(skipSpace(rest), "="); has {
			rest = skipValue(skipSpace(value))
		}
		rest = skipSpace(rest)
	}
	return skipSpace(rest) == "" && strings.EqualFold(kind, "application") && strings.EqualFold(subtype, "x-www-form-urlencoded")
}

func skipSpace(s string) string { return strings.TrimLeft(s, " \t") }

// cutToken parts the token that s begins with from the rest, RFC 2616 §2.2.
func cutToken(s string) (token, rest string) {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7F || strings.IndexByte(`()<>@,;:\"/[]?={}`, s[i]) >= 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// skipValue skips the token or the quoted string that s begins with, if any.
func skipValue(s string) string {
	if !strings.HasPrefix(s, `"`) {
		_, rest := cutToken(s)
		return rest
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+2 < len(s) && s[i+1] < 0x80:
			i++
		case s[i] == '"':
			return s[i+1:]
		}
	}
	return s // without its end it is no value
}
