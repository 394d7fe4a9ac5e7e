package scenario_test

import (
	"fmt"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/scenario"
)

func ExampleParse() {
	_, err := scenario.Parse("scenarios/tea.yaml", []byte(`version: 1
name: classify tea
steps:
  - requst: POST /hscode/classify
    expect: { assert: [ res.jsn.confidence > 0 ] }
`))
	fmt.Println(err)
	// Output:
	// scenarios/tea.yaml:4:5: unknown key "requst" (did you mean "request"?)
	//   4 |   - requst: POST /hscode/classify
	//     |     ^
	// scenarios/tea.yaml:5:29: res has no field "jsn" (did you mean "json"?)
	//   5 |     expect: { assert: [ res.jsn.confidence > 0 ] }
	//     |                             ^
}

func ExampleScenario_Price() {
	s, err := scenario.Parse("tea.yaml", []byte(`version: 1
name: classify tea in two countries, with one retry allowed
matrix: { country: [US, CA] }
steps:
  - request: POST /hscode/classify
    body: { description: green tea, countryOfDestination: "{{ matrix.country }}" }
    retry: { max: 1, on: 5xx }
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	one := func(avalara.Environment, avalara.API, string, string, any) (int, bool) { return 1, true }
	p := s.Price(nil, one)
	for _, c := range p.Cases {
		fmt.Printf("%s: sure %d, worst %d\n", c.Name, c.Sure, c.Worst)
	}
	fmt.Printf("all: sure %d, worst %d\n", p.Sure, p.Worst)
	// Output:
	// country=US: sure 1, worst 2
	// country=CA: sure 1, worst 2
	// all: sure 2, worst 5
}

func ExampleMatch() {
	s, err := scenario.Parse("tea.yaml", []byte(`version: 1
name: x
steps:
  - request: POST /hscode/classify
    expect: { json: { hsCode: "/^0902/", confidence: ">= 0.5" } }
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	got := map[string]any{"hsCode": "210120", "confidence": 0.7}
	for _, m := range scenario.Match("json", s.Steps[0].Expect.JSON, got, scenario.Env{}) {
		fmt.Printf("%d:%d %s\n", m.Pos.Line, m.Pos.Column, m)
	}
	// Output:
	// 5:31 json.hsCode: want a text like /^0902/, got "210120"
}
