package ledger

import (
	"strings"
	"testing"

	"github.com/hsharness/hsharness/internal/project"
)

// FuzzAddress checks that an address of a ledger is a path or a server, and that what
// is shown of one has no password.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{"", "none", "sqlite:", "sqlite:a.db", "postgres://u:secretword@h/d", "postgres://u:secretword@h:99999/d?sslmode=x", "postgres://[::1", "postgresql://%zz:secretword@h", "postgres://h/d?password=secretword", "postgres:///:secretword@", "postgres:///u:secretword@h/d", "postgres://h/d?user=u:secretword@h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := Source{Project: &project.Project{}, Getenv: func(string) string { return "" }}
		at, err := s.AddressOf(text, "/x")
		if err != nil {
			if len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("%q is repeated", text)
			}
			return
		}
		if (at.DSN == "") == (at.Path == "") {
			t.Fatalf("%+v", at)
		}
		shown := at.Public()
		if _, after, ok := strings.Cut(text, ":secretword@"); ok && at.DSN != "" && !strings.Contains(after, "secretword") && strings.Contains(shown, "secretword") {
			t.Fatalf("%q shows its password as %q", text, shown)
		}
	})
}
