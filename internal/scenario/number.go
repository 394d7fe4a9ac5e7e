package scenario

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Decimal is a number that neither an int nor a float64 gives back as it is
// written: 6109.10, 1e3, 18446744073709551615. It is compared by its exact
// value, and sent and printed as it was written.
type Decimal struct{ text string }

// String returns the number as it was written.
func (d Decimal) String() string { return d.text }

// MarshalJSON returns the number as it was written.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(d.text), nil }

// jsonNumber is how JSON writes a number (RFC 8259 §6).
var jsonNumber = pattern.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// numberOf reads a number that is written as JSON writes it: an int or a
// float64 where that is written back the same, else a Decimal.
func numberOf(text string) any {
	if i, err := strconv.Atoi(text); err == nil && strconv.Itoa(i) == text {
		return i
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		if back, err := json.Marshal(f); err == nil && string(back) == text && strings.ContainsAny(text, ".eE") {
			return f
		}
	}
	return Decimal{text}
}

// maxValues is how many values a text of JSON may have that is read: in memory each takes
// many times its length there, and several cases read at the same time.
const maxValues = 500_000

var errValues = fmt.Errorf("has more than %d values of JSON, the most that one answer or text may have where it is read", maxValues)

// decodeJSON reads one JSON value and keeps its numbers as they are written.
func decodeJSON(text []byte) (any, error) {
	if values(text) > maxValues {
		return nil, errValues
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return numbered(v), nil
}

// values is how many values a text of JSON has: one, one more behind each comma, and one
// more in each array and object that is not empty. Within a string there is none.
func values(text []byte) int {
	n, quoted, opened := 1, false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if opened && c > ' ' { // else it is white space
			if opened = false; c != ']' && c != '}' {
				n++
			}
		}
		switch {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == ',':
			n++
		case c == '[' || c == '{':
			opened = true
		}
	}
	return n
}

// numbered puts our numbers in the place of encoding/json's.
func numbered(v any) any {
	switch v := v.(type) {
	case json.Number:
		return numberOf(v.String())
	case []any:
		for i := range v {
			v[i] = numbered(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbered(v[k])
		}
	}
	return v
}

// exact is the value of a number: 0.digits × 10^point. Zero has no digits.
type exact struct {
	negative bool
	digits   string // no zero at either end
	point    *big.Int
}

// exactOf reads any number; false for what is none, and for infinity and NaN.
// A float64 has the value of the shortest decimal number that makes it: 0.1 is
// 0.1.
func exactOf(v any) (exact, bool) {
	var text string
	switch v := v.(type) {
	case int:
		return readNumber(strconv.Itoa(v))
	case int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		b, _ := json.Marshal(v) // an integer always has a JSON form
		text = string(b)
	case float32:
		text = strconv.FormatFloat(float64(v), 'g', -1, 32)
	case float64:
		if !finite(v) {
			return exact{}, false
		}
		return readNumber(strconv.FormatFloat(v, 'g', -1, 64))
	case Decimal:
		text = v.text
	case json.Number:
		text = v.String()
	default:
		return exact{}, false
	}
	return exactText(text)
}

// How many characters a number may have that is compared by its value, and how many its
// exponent: a longer one takes longer to read than all else, and no number of a test has
// it. A longer text is no number.
const (
	maxExact    = 1000
	maxExponent = 100
)

// exactText reads a number that is written as JSON writes it.
func exactText(text string) (exact, bool) {
	if len(text) > maxExact || !jsonNumber.MatchString(text) {
		return exact{}, false
	}
	return readNumber(text)
}

// readNumber reads a text that is a number.
func readNumber(text string) (exact, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	e := exact{negative: negative, point: new(big.Int)}
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		if len(digits)-i > maxExponent {
			return exact{}, false
		}
		if _, ok := e.point.SetString(strings.TrimPrefix(digits[i+1:], "+"), 10); !ok {
			return exact{}, false
		}
		digits = digits[:i]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	e.point.Add(e.point, big.NewInt(int64(len(whole))))
	all := whole + fraction
	e.digits = strings.TrimLeft(all, "0")
	e.point.Sub(e.point, big.NewInt(int64(len(all)-len(e.digits))))
	if e.digits = strings.TrimRight(e.digits, "0"); e.digits == "" {
		return exact{point: new(big.Int)}, true // -0 is 0
	}
	return e, true
}

// compare orders two numbers: below, at or above 0 as a is below b, b, or above.
func (e exact) compare(b exact) int {
	if c := cmp.Compare(e.sign(), b.sign()); c != 0 || e.digits == "" {
		return c
	}
	c := e.point.Cmp(b.point)
	if c == 0 {
		c = strings.Compare(e.digits, b.digits)
	}
	return c * e.sign()
}

func (e exact) sign() int {
	switch {
	case e.digits == "":
		return 0
	case e.negative:
		return -1
	default:
		return 1
	}
}

// compareNumbers orders two numbers by their exact values; ok is false where one
// of them is none.
func compareNumbers(a, b any) (order int, ok bool) {
	switch i := a.(type) { // of one kind they are in that order already
	case int:
		if j, ok := b.(int); ok {
			return cmp.Compare(i, j), true
		}
	case float64:
		if j, ok := b.(float64); ok && finite(i) && finite(j) {
			return cmp.Compare(i, j), true
		}
	}
	x, okX := exactOf(a)
	y, okY := exactOf(b)
	if !okX || !okY {
		return 0, false
	}
	return x.compare(y), true
}

// finite tells whether f is a number.
func finite(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }
