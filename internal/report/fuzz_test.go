package report_test

import (
	"bytes"
	"testing"

	"github.com/hsharness/hsharness/internal/report"
)

// FuzzReadBaseline checks that no file of an earlier run makes a panic.
func FuzzReadBaseline(f *testing.F) {
	for _, text := range []string{"", "{}", "null", "[1]", `{"exit":0}`, `{"file":"a.yaml","name":"x","scores":[{"step":"a","of":1}]}`, "{\"file\":\"a\"}\n{\"exit\":1}\n", `{"scores":[{"rows":[{"case":"a"},{"case":"a"}]}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, err := report.ReadBaseline("run.json", bytes.NewReader(data)); (err == nil) != (b != nil) {
			t.Fatalf("%v, %v", b, err)
		}
	})
}

// FuzzParseGate checks that no rule of a gate makes a panic.
func FuzzParseGate(f *testing.F) {
	for _, text := range []string{"", "2%", "heading 2%", "six>=0.9", "legal=-1", "=", "a=b=c", "1e400"} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) { _, _ = report.ParseGate(report.Metrics[0], text) })
}
