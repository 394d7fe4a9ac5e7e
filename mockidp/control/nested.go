package control

import "strings"

// nesting is how often a value may be escaped that is looked into.
const nesting = 3

// isSecret tells whether a form's value is JSON or a form with a secret of its own.
func isSecret(value string, depth int) bool {
	if !strings.ContainsAny(value, `%"=`) {
		return false
	}
	if maskJSON(value) != value {
		return true
	}
	for pair := range strings.SplitSeq(value, "&") {
		if key, _, ok := strings.Cut(pair, "="); ok && isSecretKey(key) {
			return true
		}
	}
	plain := unescape(strings.ReplaceAll(value, "+", " "))
	return depth > 0 && plain != value && isSecret(plain, depth-1)
}

// maskJSON replaces the values of secret members, also in JSON that is a string of other
// JSON, where each quote has backslashes before it.
func maskJSON(text string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		next := strings.IndexByte(text[i:], ':')
		if next < 0 {
			break
		}
		i += next
		name, quote := member(text[done:i])
		if strings.EqualFold(name, "code") || !isSecretKey(name) { // a code of goods is no secret
			continue
		}
		from, end := value(text, i+1, quote)
		b.WriteString(text[done:from])
		b.WriteString(masked)
		done, i = end, end-1
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// member is the name that text ends with, and how its quotes are written.
func member(text string) (name, quote string) {
	text, ok := strings.CutSuffix(strings.TrimRight(text, " \t\r\n"), `"`)
	if !ok {
		return "", ""
	}
	whole := strings.TrimRight(text, `\`)
	return whole[strings.LastIndexByte(whole, '"')+1:], text[len(whole):] + `"`
}

// value is where the value stands that begins behind text[:from], without its quotes. Of a
// list or an object it is the rest of the text: secrets have neither.
func value(text string, from int, quote string) (start, end int) {
	for from < len(text) && strings.IndexByte(" \t\r\n", text[from]) >= 0 {
		from++
	}
	rest := text[from:]
	if !strings.HasPrefix(rest, quote) {
		if n := strings.IndexAny(rest, ",}] \t\r\n"); n >= 0 && !strings.HasPrefix(rest, "[") && !strings.HasPrefix(rest, "{") {
			return from, from + n
		}
		return from, len(text)
	}
	from += len(quote)
	for i := from; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		slashes := i - len(strings.TrimRight(text[from:i], `\`)) - from
		if slashes == len(quote)-1 { // a quote within the value has more
			return from, i - slashes
		}
	}
	return from, len(text)
}

// maxPartHead bounds what stands between a part's name and its value, in bytes.
const maxPartHead = 4 << 10

// maskParts replaces the values of secret parts of a multipart form, whose names may have no
// quotes.
func maskParts(text string) string {
	const sign, head, end = "name=", "\r\n\r\n", "\r\n--"
	var b strings.Builder
	rest := text
	for {
		_, after, ok := strings.Cut(rest, sign)
		if !ok {
			return b.String() + rest
		}
		headers, _, ok := strings.Cut(after[:min(len(after), maxPartHead)], head)
		name := strings.TrimPrefix(headers, `"`)
		name = name[:min(uint(len(name)), uint(strings.IndexAny(name, "\"; \r\n")))]
		if !ok || strings.Contains(headers, end) || !isSecretKey(name) {
			b.WriteString(rest[:len(rest)-len(after)])
			rest = after
			continue
		}
		value := after[len(headers)+len(head):]
		b.WriteString(rest[:len(rest)-len(value)] + masked)
		rest = value[min(uint(len(value)), uint(strings.Index(value, end))):] // without an end nothing is left
	}
}
