package recording

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// errAmbiguous says that canonical JSON does not tell a value from others.
var errAmbiguous = errors.New("no canonical form")

// canonical appends the canonical form of n (RFC 8785). Duplicate members, lone
// surrogates and numbers beyond a double have none (§3.1, I-JSON).
func (n node) canonical(dst []byte) ([]byte, error) {
	switch n.kind {
	case '{':
		return n.canonicalObject(dst)
	case '[':
		dst = append(dst, '[')
		for i := range n.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = n.items[i].canonical(dst); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case '"':
		if loneSurrogate(n.text) {
			return nil, fmt.Errorf("%w: lone surrogate", errAmbiguous)
		}
		return canonicalString(dst, value(n.text)), nil
	case 0:
		f, err := strconv.ParseFloat(string(n.text), 64)
		if err != nil {
			return nil, fmt.Errorf("%w: number out of range", errAmbiguous)
		}
		return canonicalNumber(dst, f), nil
	default:
		return append(dst, n.text...), nil
	}
}

func (n node) canonicalObject(dst []byte) ([]byte, error) {
	type member struct {
		name  []byte
		value *node
	}
	var room [8]member // enough for most
	members := room[:0]
	for i, name := range n.names {
		if loneSurrogate(name) {
			return nil, fmt.Errorf("%w: lone surrogate", errAmbiguous)
		}
		members = append(members, member{value(name), &n.items[i]})
	}
	slices.SortFunc(members, func(a, b member) int { return compareUTF16(a.name, b.name) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			if bytes.Equal(m.name, members[i-1].name) {
				return nil, fmt.Errorf("%w: member %q twice", errAmbiguous, m.name)
			}
			dst = append(dst, ',')
		}
		dst = append(canonicalString(dst, m.name), ':')
		var err error
		if dst, err = m.value.canonical(dst); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// compareUTF16 gives the order of RFC 8785 §3.2.3: by UTF-16 code units, in which the
// characters that need two of them, and begin with D800 to DBFF, come before those from
// E000. It is UTF-8's else.
func compareUTF16(a, b []byte) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i < len(a) && i < len(b) {
		if pair := a[i] >= 0xF0; pair != (b[i] >= 0xF0) { // by its first byte, which is another one
			if pair && b[i] >= 0xEE {
				return -1
			}
			if !pair && a[i] >= 0xEE {
				return 1
			}
		}
	}
	return bytes.Compare(a[i:], b[i:])
}

// canonicalString follows RFC 8785 §3.2.2.2.
func canonicalString[T string | []byte](dst []byte, s T) []byte {
	const short = "btn\x00fr" // U+0008 to U+000D; U+000B has no short form
	dst = append(dst, '"')
	done := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[done:i]...)
		done = i + 1
		switch {
		case c >= ' ':
			dst = append(dst, '\\', c)
		case c >= '\b' && c <= '\r' && c != '\v':
			dst = append(dst, '\\', short[c-'\b'])
		default:
			dst = fmt.Appendf(dst, `\u%04x`, c)
		}
	}
	return append(append(dst, s[done:]...), '"')
}

// canonicalNumber follows RFC 8785 §3.2.2.3: ECMAScript's Number to string.
func canonicalNumber(dst []byte, f float64) []byte {
	abs := math.Abs(f)
	switch {
	case f == 0:
		return append(dst, '0') // -0 too
	case 1e-6 <= abs && abs < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go writes two digits of exponent at least: 1e-07 is 1e-7.
	if e := bytes.IndexByte(dst[start:], 'e') + start; dst[e+2] == '0' {
		dst = slices.Delete(dst, e+2, e+3)
	}
	return dst
}

// exact tells that no number of n changes its value in canonical form. RFC 8785
// rounds to doubles, so it gives 9007199254740993 and 9007199254740992 one form.
func (n node) exact() bool {
	for i := range n.items {
		if !n.items[i].exact() {
			return false
		}
	}
	if n.kind != 0 || short(n.text) {
		return true
	}
	f, err := strconv.ParseFloat(string(n.text), 64)
	if err != nil {
		return false
	}
	spelled, e1, ok1 := decimal(string(n.text))
	written, e2, ok2 := decimal(string(canonicalNumber(nil, f)))
	return ok1 && ok2 && spelled == written && e1 == e2
}

// short tells whether a number has no exponent and so few digits that a double gives them
// back: every decimal of 15 digits survives it (IEEE 754, DBL_DIG).
func short(number []byte) bool {
	const digits = 15
	return len(number) <= digits && bytes.IndexByte(number, 'e') < 0 && bytes.IndexByte(number, 'E') < 0
}

// decimal splits a JSON number into its digits, without zeros at either end and
// without sign, and the power of ten of the last one. Zero is no digits. The
// sign is left out: rounding keeps it, and -0 is 0.
func decimal(text string) (digits string, exp int, ok bool) {
	text = strings.ToLower(strings.TrimPrefix(text, "-"))
	mantissa, power, found := strings.Cut(text, "e")
	if found {
		n, err := strconv.ParseInt(power, 10, 32)
		if err != nil {
			return "", 0, false
		}
		exp = int(n)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exp -= len(fraction)
	digits = strings.TrimLeft(whole+fraction, "0")
	trimmed := strings.TrimRight(digits, "0")
	if trimmed == "" {
		return "", 0, true
	}
	return trimmed, exp + len(digits) - len(trimmed), true
}

// loneSurrogate tells that a spelled string holds half a surrogate pair, which
// encoding/json would read as U+FFFD.
func loneSurrogate(text []byte) bool {
	if bytes.IndexByte(text, '\\') < 0 {
		return false
	}
	high := false // the last escape was a high surrogate
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			if high {
				return true
			}
			continue
		}
		i++
		if text[i] != 'u' {
			if high {
				return true
			}
			continue
		}
		// The text is valid: four hexadecimal digits follow.
		n, _ := strconv.ParseUint(string(text[i+1:i+5]), 16, 32)
		i += 4
		isHigh, isLow := 0xD800 <= n && n <= 0xDBFF, 0xDC00 <= n && n <= 0xDFFF
		if high != isLow {
			return true
		}
		high = isHigh
	}
	return high
}
