package secret

import (
	"fmt"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// markForm is a mark as it is or as a query or a path spells it.
var markForm = pattern.New(`^(?:\{|%7[Bb]){2}secret(?::|%3[Aa])([a-z0-9_.-]+)(?:#|%23)([0-9a-f]+)(?:\}|%7[Dd]){2}`)

// IsMark tells whether text is a mark and nothing else.
func IsMark(text string) bool { return text != "" && markForm.FindString(text) == text }

// markAt is the mark that begins at t[i], with its name and its digits; nil
// without one.
func markAt(t []byte, i int) [][]byte {
	if c := t[i]; c != '{' && c != '%' || i+1 >= len(t) || t[i+1] != '{' && t[i+1] != '7' && t[i+1] != '%' {
		return nil
	}
	return markForm.Regexp().FindSubmatch(t[i:])
}

// Redact returns t with each secret replaced by its mark, see [Mark], and the
// names of those it replaced, in order. Marks that are there already stay, in
// one spelling. Without either it is t itself. It finds what stands in t in a
// spelling or an encoding of its own; of what is encoded twice or packed
// [Finder.Names] tells that it is there.
func (f *Finder) Redact(t []byte) ([]byte, []string) {
	var out []byte
	var names []string
	s := scan{t: t}
	done := 0
	for i := 0; ; {
		if i = mayBegin(f, t, i); i >= len(t) {
			break
		}
		if m := markAt(t, i); m != nil {
			out = fmt.Appendf(append(out, t[done:i]...), "{{secret:%s#%s}}", m[1], m[2])
			i += len(m[0])
			done = i
			continue
		}
		if f == nil || !f.begins(t, i) {
			i++
			continue
		}
		h, ok := f.at(&s, i)
		if !ok {
			i++
			continue
		}
		names = append(names, h.name)
		out = append(out, t[done:i+h.before]...)
		i, out = h.replace(out, t, h.mark)
		done = i
	}
	if done == 0 {
		return t, nil
	}
	return append(out, t[done:]...), names
}

// RedactText is the same for a string, with no copy of one that it leaves as it is.
func (f *Finder) RedactText(t string) (string, []string) {
	if mayBegin(f, t, 0) == len(t) {
		return t, nil
	}
	out, names := f.Redact([]byte(t))
	return string(out), names
}

// mayBegin is the next place from i at which a mark or something that f finds may begin;
// the length of t where there is none.
func mayBegin[T string | []byte](f *Finder, t T, i int) int {
	for ; i+1 < len(t); i++ {
		c := t[i]
		if c == '{' || c == '%' {
			return i
		}
		if f == nil {
			continue
		}
		if pair := uint(c)<<8 | uint(t[i+1]); f.pairs[pair/64]&(1<<(pair%64)) != 0 {
			return i
		}
	}
	return len(t)
}

// replace appends what stands for a hit to what was before it. The bits that
// its neighbours in a base64 text share with it stay, and its own do not.
func (h hit) replace(out, t []byte, with string) (end int, _ []byte) {
	end = h.end
	n := h.needle
	if n != nil {
		out = maskLast(out, n.lead)
	}
	out = append(out, with...)
	if n != nil && n.tail != 0 && end < len(t) {
		if v := sixBits[t[end]]; v < 64 {
			out = append(out, base64Alphabet[v&n.tail])
			end++
		}
	}
	return end, out
}

// maskLast clears the secret's bits in the base64 character that out ends with.
func maskLast(out []byte, mask byte) []byte {
	if mask == 0 || len(out) == 0 {
		return out
	}
	if len(out) >= 3 && out[len(out)-3] == '%' {
		if u, used := percent(out[len(out)-3:]); used == 3 {
			out = append(out[:len(out)-3], u...)
		}
	}
	if v := sixBits[out[len(out)-1]]; v < 64 {
		out[len(out)-1] = base64Alphabet[v&mask]
	}
	return out
}

// stars stand for what nobody is to see.
const stars = "***"

// Mask returns text with *** wherever it holds a secret, however it is packed:
// of what can't be replaced where it stands the whole word goes, or the line,
// or all. Afterwards [Finder.Names] finds nothing in it.
func (f *Finder) Mask(text string) string {
	if f.idle() || !f.Has([]byte(text)) {
		return text
	}
	t := []byte(text)
	var out []byte
	done := 0
	for from, h := range f.direct(t) {
		out = append(out, t[done:max(done, from)+h.before]...)
		done, out = h.replace(out, t, stars)
	}
	text = string(append(out, t[done:]...))
	for _, apart := range []string{" \t\r\n\"'`<>(){}[],;", "\n"} {
		if !f.Has([]byte(text)) {
			return text
		}
		text = f.maskParts(text, apart)
	}
	if f.Has([]byte(text)) {
		return stars
	}
	return text
}

// maskParts hides each part of text between the characters given that holds a
// secret.
func (f *Finder) maskParts(text, apart string) string {
	var b strings.Builder
	for len(text) > 0 {
		end := strings.IndexAny(text, apart)
		if end < 0 {
			end = len(text)
		}
		if part := text[:end]; f.Has([]byte(part)) {
			b.WriteString(stars)
		} else {
			b.WriteString(part)
		}
		if end < len(text) {
			b.WriteByte(text[end])
			end++
		}
		text = text[end:]
	}
	return b.String()
}
