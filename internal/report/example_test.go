package report_test

import (
	"fmt"
	"os"

	"github.com/hsharness/hsharness/internal/report"
)

// Whoever runs something fills a Run and has it written.
func ExampleText() {
	run := report.Run{
		Scenarios: []report.Scenario{{
			File: "classify.yaml", Name: "a known product", Verdict: report.Mocked, Spend: 1, Calls: 1,
			Cases: []report.Case{{Verdict: report.Mocked, Spend: 1, Calls: 1}},
		}},
		Bill: report.Bill{Mode: "offline", Requests: 1, Mocked: 1, WouldHaveSpent: 1},
	}
	if err := report.Text(os.Stdout, run, report.Style{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// mocked   a known product  1 call, 1 unit
	//
	// 1 scenario, all passed in 0s
	// spent 0 · would have spent 1 · no ledger
}
