package recording

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// needle is one spelling of a secret. Each of its bytes may be found as it is,
// percent-encoded or as a JSON escape, in any mix.
type needle struct {
	name, mark string
	text       []byte
	// base64 tells that text is the part of an encoded secret that its
	// neighbours do not change. The characters before and after it hold bits of
	// both: lead and tail mask the neighbour's bits, 0 where nothing is shared.
	base64     bool
	lead, tail byte
}

// needles are the spellings of one secret: itself, and base64 at the three
// places where it can begin within a group of three bytes. base64url is the same
// but for two characters, which the search folds.
func needles(name, value string) []needle {
	m := mark(name, value, namedDigits)
	all := []needle{{name: name, mark: m, text: []byte(value)}}
	for offset := range 3 {
		coded := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), value...))
		n := needle{name: name, mark: m, base64: true}
		n.lead = [3]byte{0, 0b110000, 0b111100}[offset]
		from, to := (offset*8+5)/6, (offset+len(value))*8/6
		n.tail = [3]byte{0, 0b001111, 0b000011}[(offset+len(value))%3]
		n.text = []byte(coded[from:to])
		all = append(all, n)
	}
	return all
}

// text returns t with its secrets replaced and their names. Without any it is t
// itself.
func (r *redactor) text(t []byte) ([]byte, []string) {
	var out []byte
	var names []string
	done := 0
	for i := 0; i < len(t); {
		if !r.first[t[i]] {
			i++
			continue
		}
		if t[i] == '{' || t[i] == '%' {
			if m := markForm.FindSubmatch(t[i:]); m != nil {
				out = fmt.Appendf(append(out, t[done:i]...), "{{secret:%s#%s}}", m[1], m[2])
				i += len(m[0])
				done = i
				continue
			}
		}
		name, mark, n, end := r.at(t, i)
		if end == 0 {
			i++
			continue
		}
		names = append(names, name)
		out = append(out, t[done:i]...)
		if n != nil {
			out = maskLast(out, n.lead)
		}
		out = append(out, mark...)
		i = end
		if n != nil && n.tail != 0 && i < len(t) {
			if v, ok := sixBits(t[i]); ok {
				out = append(out, base64Alphabet[v&n.tail])
				i++
			}
		}
		done = i
	}
	if done == 0 {
		return t, nil
	}
	return append(out, t[done:]...), names
}

// at finds the secret that begins at t[i] and where it ends; 0 is none. A secret
// that was given comes with its needle, a token that was recognised with nil.
func (r *redactor) at(t []byte, i int) (name, with string, found *needle, end int) {
	rest := t[i:]
	for j := range r.needles {
		n := &r.needles[j]
		if used := spelled(rest, n.text, n.base64); used > 0 {
			return n.name, n.mark, n, i + used
		}
	}
	switch rest[0] {
	case 'e':
		if bytes.HasPrefix(rest, []byte("eyJ")) {
			if token := jwtForm.Find(rest); token != nil {
				return "jwt", mark("jwt", string(token), tokenDigits), nil, i + len(token)
			}
		}
	case 'b', 'B':
		if len(rest) > 26 && bytes.EqualFold(rest[:6], []byte("bearer")) {
			at := bearerForm.FindSubmatchIndex(rest)
			if at == nil {
				break
			}
			// A token that is known by another name keeps that name.
			if _, _, _, end := r.at(t, i+at[2]); end > 0 {
				break
			}
			token := string(rest[at[2]:at[3]])
			return "bearer", string(rest[:at[2]]) + mark("bearer", token, tokenDigits), nil, i + at[3]
		}
	}
	return "", "", nil, 0
}

// spelled is how many bytes at the start of t spell want; 0 is none.
func spelled(t, want []byte, base64 bool) int {
	if len(want) == 0 || len(t) == 0 {
		return 0
	}
	c := t[0]
	switch {
	case base64 && c == '-':
		c = '+'
	case base64 && c == '_':
		c = '/'
	case c == '+' && want[0] == ' ':
		c = ' '
	}
	if c == want[0] {
		if len(want) == 1 {
			return 1
		}
		if n := spelled(t[1:], want[1:], base64); n > 0 {
			return n + 1
		}
	}
	if c != '%' && c != '\\' {
		return 0
	}
	u, used := escaped(t)
	if used == 0 || !bytes.HasPrefix(want, u) {
		return 0
	}
	if len(u) == len(want) {
		return used
	}
	if n := spelled(t[used:], want[len(u):], base64); n > 0 {
		return n + used
	}
	return 0
}

// escaped decodes the percent or JSON escape that t begins with; 0 used is none.
func escaped(t []byte) (value []byte, used int) {
	switch {
	case len(t) < 2:
		return nil, 0
	case t[0] == '%':
		if len(t) < 3 {
			return nil, 0
		}
		n, err := strconv.ParseUint(string(t[1:3]), 16, 8)
		if err != nil {
			return nil, 0
		}
		return []byte{byte(n)}, 3
	case t[1] == 'u':
		for _, n := range []int{12, 6} { // a surrogate pair first
			if len(t) >= n {
				text := slices.Concat([]byte{'"'}, t[:n], []byte{'"'})
				if v, ok := parseJSON(text); ok && !loneSurrogate(v.text) {
					if s := unquote(v.text); utf8.RuneCountInString(s) == 1 {
						return []byte(s), n
					}
				}
			}
		}
		return nil, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, t[1]); i >= 0 {
		return []byte{"\"\\/\b\f\n\r\t"[i]}, 2
	}
	return nil, 0
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func sixBits(c byte) (byte, bool) {
	switch c {
	case '-':
		c = '+'
	case '_':
		c = '/'
	}
	i := strings.IndexByte(base64Alphabet, c)
	return byte(i), i >= 0
}

// maskLast clears the secret's bits in the base64 character that out ends with.
func maskLast(out []byte, mask byte) []byte {
	if mask == 0 || len(out) == 0 {
		return out
	}
	if len(out) >= 3 && out[len(out)-3] == '%' {
		if u, used := escaped(out[len(out)-3:]); used == 3 {
			out = append(out[:len(out)-3], u...)
		}
	}
	if v, ok := sixBits(out[len(out)-1]); ok {
		out[len(out)-1] = base64Alphabet[v&mask]
	}
	return out
}
