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
	if code != "6109100000" {
		t.Errorf("got %s", code)
	}
}

// The whole of TestClassify, as a reader would write it.
func Example() {
	var t harness.TB = exampleTB{} // a *testing.T in a test

	h := harness.Start(t, harness.Options{})
	code, err := classify(h.Client(), h.APIURL(), "men's cotton t-shirt")
	fmt.Println(code, err)
	fmt.Println(h.Tally().Price, "unit would have been spent")
	// Output:
	// 6109100000 <nil>
	// 1 unit would have been spent
}

// exampleTB stands in for the test that an example does not have.
type exampleTB struct{}

func (exampleTB) Helper()                           {}
func (exampleTB) Cleanup(func())                    {}
func (exampleTB) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (exampleTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
