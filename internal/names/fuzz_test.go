package names

import (
	"strings"
	"testing"
)

// FuzzParse checks that what is taken is NAME=TEXT with known placeholders, and can be
// filled.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "A=b", "A={api_url}", "A={", "A={{}}", "=", "1=2", "A={nothing}", "A=}{"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text)
		if err != nil {
			return
		}
		if err := CheckName(v.Name); err != nil || strings.ContainsAny(v.Name, "=\x00") {
			t.Fatalf("%q has the name %q: %v", text, v.Name, err)
		}
		List{v}.Fill([]string{"A=b"})
	})
}
