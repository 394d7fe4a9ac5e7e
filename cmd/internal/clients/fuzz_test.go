package clients

import "testing"

// FuzzParseClient checks a client of the command line: what is taken has a name.
func FuzzParseClient(f *testing.F) {
	for _, text := range []string{"", "a", "a:b", "a:b:c", ":b", "a:b:x y", "a:b:x,y"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := Parse(text); err == nil && c.ID == "" {
			t.Fatalf("%q is a client without a name", text)
		}
	})
}
