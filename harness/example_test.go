package harness_test

import (
	"fmt"
	"testing"

	"github.com/hsharness/hsharness/harness"
)

// A whole test. The code under test is classify: it gets a base URL and a
// client from its configuration.
func TestClassify(t *testing.T) {
	h := harness.Start(t, harness.Options{})
	code, err := classify(h.Client(), h.APIURL(), "men's cotton t-shirt")
	if err != nil {
		t.Fatal(err)
	}
	if code != "6109100012" {
		t.Errorf("got %s", code)
	}
}

// The same where there is no test: Close returns what would have failed one.
func ExampleNew() {
	h, err := harness.New(harness.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	code, err := classify(h.Client(), h.APIURL(), "men's cotton t-shirt")
	fmt.Println(code, err)
	fmt.Println(h.Tally().Units, "unit would have been spent")
	h.ExpectSpend(2)
	fmt.Println(h.Close())
	// Output:
	// 6109100012 <nil>
	// 1 unit would have been spent
	// harness: the requests cost 1 units, want 2 (1 requests)
}
