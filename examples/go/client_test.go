package classify_test

import (
	"strings"
	"testing"

	classify "github.com/hsharness/hsharness/examples/go"
	"github.com/hsharness/hsharness/harness"
)

func TestCode(t *testing.T) {
	h := harness.Start(t, harness.Options{})
	h.Need(2)
	client := classify.New(t.Context(), h.APIURL(), h.TokenURL(), h.ClientID(), h.ClientSecret())
	for description, heading := range map[string]string{"men's cotton t-shirt": "6109", "laptop computer": "8471"} {
		code, err := client.Code(t.Context(), description, "US")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(code, heading) {
			t.Errorf("%s: code %s, want heading %s", description, code, heading)
		}
	}
	h.ExpectSpend(2)
}
