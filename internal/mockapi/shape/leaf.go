package shape

import (
	"math"
	"strconv"
	"strings"
)

// leaf is a placeholder.
type leaf struct{ value func(c *scene) (Value, bool) }

func (n *leaf) render(c *scene) (Value, bool) { return n.value(c) }
func (n *leaf) visit(f func(node))            { f(n) }

// compileLeaf understands a text that begins with $.
func compileLeaf(v Value) (node, error) {
	name, rest, _ := strings.Cut(v.Text, " ")
	made := func(f func(c *scene) Value) (node, error) {
		return &leaf{func(c *scene) (Value, bool) { return f(c), true }}, nil
	}
	switch name {
	case "$code":
		return compileCode(v, rest)
	case "$title":
		if rest == "" {
			return made(func(c *scene) Value {
				if m := c.best(); m != nil {
					return Of(m.Title)
				}
				return Value{Kind: Null}
			})
		}
	case "$confidence":
		return compileConfidence(v, rest)
	case "$echo", "$echo?":
		return compileEcho(v, name, rest)
	case "$text":
		return compileText(v, rest)
	case "$uuid":
		return compileUUID(v, rest)
	case "$id":
		return compileID(v, rest)
	case "$time":
		switch rest {
		case "":
		case "unix":
			return made(func(c *scene) Value { return number(c.root.Now.Unix()) })
		case "unixmilli":
			return made(func(c *scene) Value { return number(c.root.Now.UnixMilli()) })
		default:
			return made(func(c *scene) Value { return Of(c.root.Now.UTC().Format(rest)) })
		}
	case "$rank", "$sequence":
		n, err := strconv.ParseInt(rest, 10, 53)
		if err != nil {
			break
		}
		return made(func(c *scene) Value {
			if name == "$rank" {
				return number(n + int64(c.rank))
			}
			return number(n + int64(c.root.Serial%math.MaxInt32))
		})
	case "$count":
		what, most, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(most)
		if what == "items" && most == "" {
			return made(func(c *scene) Value { return number(int64(len(c.root.Items))) })
		}
		if what == "found" && err == nil && n > 0 {
			return made(func(c *scene) Value { return number(int64(min(n, len(c.item.Found)))) })
		}
	}
	return nil, bad(v, "%q is no placeholder that there is; a text that begins with $ is written with two", v.Text)
}

func number(n int64) Value { return Value{Kind: Number, Text: strconv.FormatInt(n, 10)} }

// typed cuts a first word off.
func typed(text, word string) (rest string, there bool) {
	if text == word {
		return "", true
	}
	return strings.CutPrefix(text, word+" ")
}

// compileCode understands [number] MASK, with a # for each digit.
func compileCode(v Value, rest string) (node, error) {
	mask, asNumber := typed(rest, "number")
	if !asNumber {
		mask = rest
	}
	switch {
	case strings.Trim(mask, "#. -/") != "" || len(mask) > 40:
		return nil, bad(v, "%q: a code is written as # for its digits, with dots or spaces between them", v.Text)
	case asNumber && strings.Trim(mask, "#") != "":
		return nil, bad(v, "%q: a number is written as # for its digits, and nothing else", v.Text)
	}
	return &leaf{func(c *scene) (Value, bool) {
		m := c.best()
		if m == nil {
			return Value{Kind: Null}, true
		}
		text := masked(m.Code, mask)
		if asNumber {
			return Value{Kind: Number, Text: strings.TrimLeft(text[:len(text)-1], "0") + text[len(text)-1:]}, true
		}
		return Of(text), true
	}}, nil
}

// masked puts digits into a mask: zeros where there are too few. Without a mask they
// stay as they are.
func masked(digits, mask string) string {
	if !strings.Contains(mask, "#") {
		if digits == "" {
			return "0"
		}
		return digits
	}
	var b strings.Builder
	for _, c := range mask {
		switch {
		case c != '#':
			b.WriteRune(c)
		case digits == "":
			b.WriteByte('0')
		default:
			b.WriteByte(digits[0])
			digits = digits[1:]
		}
	}
	return b.String()
}

// compileConfidence understands [text] [percent] 0.00 [then SUFFIX].
func compileConfidence(v Value, rest string) (node, error) {
	rest, asText := cutWord(rest, "text")
	rest, percent := cutWord(rest, "percent")
	form, suffix, _ := strings.Cut(rest, " then ")
	decimals := strings.TrimPrefix(form, "0")
	fraction := strings.TrimPrefix(decimals, ".")
	if !strings.HasPrefix(form, "0") || strings.Trim(fraction, "0") != "" && strings.Trim(fraction, "#") != "" || len(fraction) > 17 || (decimals != "" && decimals == fraction) || suffix != "" && !asText {
		return nil, bad(v, "%q: a confidence is written as 0.00, or 0.## for decimals that need not be there", v.Text)
	}
	return &leaf{func(c *scene) (Value, bool) {
		n := 0.0
		if m := c.best(); m != nil {
			n = m.Confidence
		}
		if percent {
			n *= 100
		}
		text := strconv.FormatFloat(n, 'f', len(fraction), 64)
		if strings.HasPrefix(fraction, "#") {
			text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
			if text == "" || text == "-" {
				text = "0"
			}
		}
		if asText {
			return Of(text + suffix), true
		}
		return Value{Kind: Number, Text: text}, true
	}}, nil
}

func cutWord(text, word string) (string, bool) {
	if rest, ok := typed(text, word); ok {
		return rest, true
	}
	return text, false
}

// compileEcho understands [upper|lower|digits] POINTER.
func compileEcho(v Value, name, rest string) (node, error) {
	change := func(s string) string { return s }
	for word, f := range map[string]func(string) string{"upper": strings.ToUpper, "lower": strings.ToLower, "digits": digitsOf, "trim": strings.TrimSpace} {
		if cut, ok := typed(rest, word); ok {
			rest, change = cut, f
			break
		}
	}
	if err := checkPointer(rest); err != nil {
		return nil, bad(v, "%v", err)
	}
	return &leaf{func(c *scene) (Value, bool) {
		found, ok := c.repeat(rest)
		if !ok {
			return Value{Kind: Null}, name == "$echo"
		}
		if found.Kind == Text {
			found.Text = change(found.Text)
		}
		return found, true
	}}, nil
}

func digitsOf(s string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, s)
}

// compileText understands a text with {pointers}; {{ is a brace.
func compileText(v Value, rest string) (node, error) {
	type part struct{ literal, pointer string }
	var parts []part
	for rest != "" {
		before, after, ok := strings.Cut(rest, "{")
		parts = append(parts, part{literal: before})
		if !ok {
			break
		}
		if strings.HasPrefix(after, "{") {
			parts = append(parts, part{literal: "{"})
			rest = after[1:]
			continue
		}
		pointer, after, ok := strings.Cut(after, "}")
		if !ok || checkPointer(pointer) != nil {
			return nil, bad(v, "%q: want {pointer}, and {{ for a brace", v.Text)
		}
		parts = append(parts, part{pointer: pointer})
		rest = after
	}
	return &leaf{func(c *scene) (Value, bool) {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(p.literal)
			if p.pointer != "" {
				if found, ok := c.repeat(p.pointer); ok {
					b.WriteString(Key(found))
				}
			}
		}
		return Of(b.String()), true
	}}, nil
}
