package shape

import (
	"encoding/hex"
	"strings"
)

// compileUUID understands [upper] [plain].
func compileUUID(v Value, rest string) (node, error) {
	rest, upper := cutWord(rest, "upper")
	rest, plain := cutWord(rest, "plain")
	if rest != "" {
		return nil, bad(v, "%q: want $uuid, with upper or plain behind it", v.Text)
	}
	return &leaf{func(c *scene) (Value, bool) {
		sum := c.random()
		b := sum[:16]
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		text := hex.EncodeToString(b)
		if !plain {
			text = strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
		}
		if upper {
			text = strings.ToUpper(text)
		}
		return Of(text), true
	}}, nil
}

// classes are what a character of an id's form stands for.
var classes = map[byte]string{
	'9': "0123456789", 'h': "0123456789abcdef", 'H': "0123456789ABCDEF",
	'a': "abcdefghijklmnopqrstuvwxyz", 'A': "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	'x': "0123456789abcdefghijklmnopqrstuvwxyz", 'X': "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	'z': "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
}

// maxForm is how long the form of an id may be, in bytes.
const maxForm = 1000

// compileID understands a form such as 'req-'9999hh; two quotes within quotes are one.
func compileID(v Value, form string) (node, error) {
	type part struct{ literal, class string }
	var parts []part
	if len(form) == 0 || len(form) > maxForm {
		return nil, bad(v, "%.100q: an id has a form such as 'req-'9999, of %d characters at most", v.Text, maxForm)
	}
	for i := 0; i < len(form); i++ {
		if form[i] != '\'' {
			class, ok := classes[form[i]]
			if !ok {
				return nil, bad(v, "%q: %q is none of 9 h H a A x X z, and not in quotes", v.Text, form[i:i+1])
			}
			parts = append(parts, part{class: class})
			continue
		}
		literal, closed := "", false
		for i++; i < len(form); i++ {
			if form[i] == '\'' {
				if i+1 < len(form) && form[i+1] == '\'' {
					i++
				} else {
					closed = true
					break
				}
			}
			literal += form[i : i+1]
		}
		if !closed {
			return nil, bad(v, "%q: a quote is not closed", v.Text)
		}
		parts = append(parts, part{literal: literal})
	}
	return &leaf{func(c *scene) (Value, bool) {
		var b strings.Builder
		var sum [32]byte
		for i, p := range parts {
			if i%32 == 0 {
				sum = c.random()
			}
			b.WriteString(p.literal)
			if p.class != "" {
				b.WriteByte(p.class[int(sum[i%32])%len(p.class)])
			}
		}
		return Of(b.String()), true
	}}, nil
}
