package scenario

import (
	"strings"
	"testing"
)

// FuzzNumber checks that numbers and JSON are read without a loss: what is written
// again is the same number.
func FuzzNumber(f *testing.F) {
	for _, text := range []string{"0", "-0", "1e400", "1e-99999999999999999999", "0.10", "18446744073709551615", "[1e3,{\"a\":0.1}]", "1e+9", "\"a\"", "2xx", "200-299", "1e999999999", "1e-999999999", strings.Repeat("9", 1001), strings.Repeat("9", 995)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = parseStatus(text)
		_, _ = decodeJSON([]byte(text))
		e, ok := exactText(text)
		if !ok {
			return
		}
		written := e.String()
		if len(written) > maxExact { // 0. and an exponent are longer than a whole number
			return
		}
		again, ok := exactText(written)
		if !ok || again.compare(e) != 0 {
			t.Fatalf("%q is %s, and that is another number", text, e)
		}
	})
}

// FuzzRegexp checks that a regular expression that is taken has as many states as it
// may, whatever it is.
func FuzzRegexp(f *testing.F) {
	for _, text := range []string{"", "a", "(a{1000}){1000}", "(((a{10}){10}){10})", "[", "\\p{L}{1000}", "(?i)é{500}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := compileRegexp(text); err == nil && p.states > maxStates {
			t.Fatalf("%q has %d states", text, p.states)
		}
	})
}
