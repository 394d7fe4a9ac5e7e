package mockidp

import (
	"encoding/json"
	"testing"
)

// FuzzScopes checks the two ways in which scopes are written.
func FuzzScopes(f *testing.F) {
	for _, text := range []string{"", "a b", `"a b"`, `["a","b"]`, "[1]", "null", "a  b\ta"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, scope := range parseScopes(text) {
			if scope == "" {
				t.Fatalf("%q has an empty scope", text)
			}
		}
		var s scopes
		_ = json.Unmarshal([]byte(text), &s)
	})
}
