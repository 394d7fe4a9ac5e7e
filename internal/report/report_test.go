package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

func sample() report.Run {
	return report.Run{
		Elapsed: 1234 * time.Millisecond,
		Scenarios: []report.Scenario{
			{File: "a.yaml", Name: "a token", Verdict: report.Mocked, Cases: []report.Case{{Verdict: report.Mocked}}},
			{File: "b.yaml", Name: "two countries", Verdict: report.Failed, Spend: 2, Calls: 3, Cases: []report.Case{
				{Name: "country=US", Verdict: report.Mocked, Spend: 1, Calls: 1},
				{Name: "country=CA", Verdict: report.Failed, Spend: 1, Calls: 2, Failures: []report.Failure{{
					File: "b.yaml", Line: 7, Column: 15, Case: "country=CA", Step: "classify", Message: "status is not as expected",
					Want: "200", Got: "404", Exchange: "POST /hscode/classify\n404\n",
				}}},
			}},
		},
		Bill: report.Bill{Mode: "offline", Requests: 3, Mocked: 3, WouldHaveSpent: 2, Next: "hsharness quota init --granted N", Exit: 1, Reason: "1 scenario failed"},
	}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.Text(&out, sample(), report.Style{}))
	assert.Equal(t, `mocked   a token        0 calls, 0 units
failed   two countries  2 cases, 3 calls, 2 units

b.yaml:7:15 (country=CA, step classify): status is not as expected
  - want 200
  + got  404
  POST /hscode/classify
  404

2 scenarios, 1 failed in 1.234s
spent 0 · would have spent 2 · no ledger (hsharness quota init --granted N)
`, out.String())
}

func TestTextCommandsNoTerminal(t *testing.T) {
	f := report.Failure{Message: "a\x1b[2Jb", Want: "\u009b", Got: "\r", Exchange: "\a\ttab"}
	assert.Equal(t, ": a\\x1b[2Jb\n  - want \\u009b\n  + got  \\r\n  \\x07\ttab", f.String())
}

func TestTextColors(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.Text(&out, sample(), report.Style{Color: true, Verbose: true}))
	assert.Contains(t, out.String(), "\x1b[31mfailed  \x1b[0m")
	assert.Contains(t, out.String(), "country=US")
}

func TestJSONEndsWithTheBill(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.JSON(&out, sample()))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	var bill map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[2]), &bill))
	keys := []string{"run", "mode", "mode_limited_by", "max_spend", "requests", "spent", "unknown", "replayed", "mocked", "missed", "refused", "would_have_spent", "left", "exit", "command_exit", "verdict", "reason"}
	assert.Len(t, bill, len(keys))
	for _, k := range keys {
		assert.Contains(t, bill, k)
	}
	assert.Nil(t, bill["left"], "without a ledger nobody knows what is left")
	text, err := json.Marshal(report.Bill{NotLeft: "the ledger can't be asked"})
	require.NoError(t, err)
	assert.Contains(t, string(text), `"left":null,"left_unknown":"the ledger can't be asked",`)
}

func TestBillLine(t *testing.T) {
	left := 858
	assert.Equal(t, "spent 3 (1 of them unknown) · 858 left", report.Bill{Mode: "live", Spent: 3, Unknown: 1, Left: &left}.Line())
	asked := report.Bill{Mode: "replay", Seal: "sealed", AskedFor: []string{"example.com", "pypi.org"}, Left: &left}
	assert.Equal(t, "spent 0 · asked for 2 hosts that are not here: example.com, pypi.org · 858 left", asked.Line())
	asked = report.Bill{Mode: "replay", Seal: "intercept", AskedFor: []string{"a\x1b.example"}, Left: &left}
	assert.Equal(t, `spent 0 · intercepted, not sealed · asked for 1 host that is not here: a\x1b.example · 858 left`, asked.Line())
	asked.AskedForMore = 7
	assert.Contains(t, asked.Line(), `asked for 8 hosts that are not here: a\x1b.example and 7 more`)
	assert.Equal(t, "spent 3 · asked again 2 · replayed 1 · 858 left", report.Bill{Mode: "record", Spent: 3, AskedAgain: 2, Replayed: 1, Left: &left}.Line())
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrorsAreReturned(t *testing.T) {
	assert.ErrorContains(t, report.Text(full{}, sample(), report.Style{}), "disk full")
	assert.ErrorContains(t, report.JSON(full{}, sample()), "disk full")
}
