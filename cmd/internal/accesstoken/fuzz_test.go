package accesstoken_test

import (
	"io"
	"testing"

	"github.com/hsharness/hsharness/cmd/internal/accesstoken"
)

// FuzzDecode checks that whatever looks like a token is printed or refused.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{"", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjFlMzA4fQ.AA", "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOi05MjIzMzcyMDM2ODU0Nzc1ODA4fQ.AA"} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, token string) {
		if d, err := accesstoken.Decode(token); err == nil {
			_ = d.Print(io.Discard)
		}
	})
}
