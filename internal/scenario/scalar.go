package scenario

import (
	"fmt"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

var (
	// unsent is a number to YAML which JSON writes without the plus sign, or with
	// a digit on both sides of the point.
	unsent = pattern.New(`^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	// unclear is what one reader takes for a number, another for another number,
	// and a third for a text: an HS code with a leading zero, octal, hexadecimal,
	// digits with underscores, infinity.
	unclear = pattern.New(`^[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?$|` +
		`^[-+]?0[xXoObB][0-9a-fA-F_]+$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$`)
)

// resolve gives a plain scalar its kind: YAML 1.2's core schema, of which the
// numbers are those that JSON can send as they are written.
func (n *node) resolve() error {
	switch n.text {
	case "", "~", "null", "Null", "NULL":
		n.kind = Null
		return nil
	case "true", "True", "TRUE":
		n.kind, n.scalar = Bool, true
		return nil
	case "false", "False", "FALSE":
		n.kind, n.scalar = Bool, false
		return nil
	}
	switch {
	case !strings.ContainsRune("+-.0123456789", rune(n.text[0])): // no number begins otherwise
	case jsonNumber.MatchString(n.text):
		n.kind, n.scalar = Number, numberOf(n.text)
	case unsent.MatchString(n.text):
		return fmt.Errorf("%s is no number of JSON: write %s, or quote it", n.text, asJSON(n.text))
	case unclear.MatchString(n.text):
		return fmt.Errorf("%s is a number to some and a text to others: quote it, or write it as a plain decimal number", n.text)
	}
	return nil
}

// asJSON writes a number of YAML as JSON writes it.
func asJSON(text string) string {
	text, negative := strings.CutPrefix(strings.TrimPrefix(text, "+"), "-")
	whole, rest, point := strings.Cut(text, ".")
	if whole == "" {
		whole = "0"
	}
	if point {
		if rest == "" || rest[0] == 'e' || rest[0] == 'E' {
			text = whole + rest
		} else {
			text = whole + "." + rest
		}
	}
	if negative {
		return "-" + text
	}
	return text
}
