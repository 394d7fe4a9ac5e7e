package plan_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hsharness/hsharness/cmd/internal/plan"
)

// FuzzReadPurchase checks that no plan file makes a panic, and that one without an error
// buys something.
func FuzzReadPurchase(f *testing.F) {
	for _, text := range []string{"", "{}", "[]", `{"format":1,"mode":"record","files":[{"file":"a.yaml"}]}`, `{"format":1,"mode":"live","files":null}`, "{\n\"format\": 2}", `{"format":1e9}`, "\xef\xbb\xbf{}"} {
		f.Add([]byte(text))
	}
	file := filepath.Join(f.TempDir(), "plan.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := plan.ReadPurchase(file)
		if (err == nil) != (got != nil) || err == nil && (got.Format != 1 || len(got.Files) == 0) {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

// FuzzParseAxes checks that what is read is a list of axes without twins.
func FuzzParseAxes(f *testing.F) {
	for _, text := range []string{"", "country", "country,kind", "country,country", ",", "country=US", "é"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		axes, err := plan.ParseAxes(text)
		if err == nil && text != "" && len(axes) == 0 {
			t.Fatalf("%q is no axis, and no error", text)
		}
	})
}
