package scenarios_test

import (
	"fmt"

	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/scenarios"
)

// Whoever links the package has the files, and reads them like any others.
func Example() {
	const name = "classify_product.yaml"
	data, err := scenarios.FS.ReadFile(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := scenario.Parse(name, data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Name)
	// Output: everyday goods get a code of their heading
}
