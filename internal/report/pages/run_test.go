package pages_test

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/quota"
)

// ran is a run of which everything may be told: a scenario that passed, one that failed in
// a case of two, and one with a score.
func ran() report.Run {
	allowance := budget(30)
	left := int(allowance.Left)
	r := report.Run{
		Elapsed: 1234 * time.Millisecond,
		Scenarios: []report.Scenario{
			{File: "a.yaml", Name: "a token", Verdict: report.Replayed, Cases: []report.Case{{Verdict: report.Replayed}}},
			{File: "b.yaml", Name: markup, Verdict: report.Failed, Spend: 2, Calls: 3, Again: "hsharness run b.yaml", Cases: []report.Case{
				{Name: "country=US", Verdict: report.Bought, Spend: 1, Calls: 1},
				{Name: "country=CA", Verdict: report.Failed, Spend: 1, Calls: 2, Failures: []report.Failure{{
					File: "b.yaml", Line: 7, Column: 15, Case: "country=CA", Step: "classify", Message: "100% of </details>\nit\x00 ]]>" + markup,
					Want: "200", Got: "404", Exchange: "POST /hscode/classify\n404\n",
				}}},
			}},
			{File: "c.yaml", Name: "goods", Verdict: report.Replayed, Cases: []report.Case{{Verdict: report.Replayed, Scores: []report.ScoreRow{
				{Step: "c", Want: "621420", Got: []string{"=cmd()"}, Right: map[string]bool{"six": false}},
			}}}, Scores: []report.Score{{Step: "c", By: "kind", Groups: []report.ScoreGroup{
				{All: true, Metrics: []report.Metric{report.Count("six", 1, 2, 0)}}, {Name: "knit", Metrics: []report.Metric{{Name: "six", Right: 0, Of: 2, Gate: ">= 50%"}}},
			}}}},
		},
		Bill: report.Bill{
			Mode: "record", ModeLimitedBy: "policy.ci", MaxSpend: 20, Requests: 12, Spent: 3, Replayed: 8, WouldHaveSpent: 8, Missed: 1, MissedUnits: 1,
			Left: &left, Exit: 1, Reason: "1 of 3 scenarios failed",
		},
		Allowance: &allowance,
	}
	r.Bill.By(now, quota.Attribution{Suite: markup, Branch: "feature/x", Commit: "0123456789abcdef0123456789abcdef01234567"})
	return r
}

func runPage(t testing.TB, r report.Run) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, pages.Run(&out, r))
	return out.String()
}

// answer is what a page says to one of the questions at its top.
func answer(t *testing.T, page, id string) string {
	t.Helper()
	match := regexp.MustCompile(`<(?:div|span) id="answer-` + id + `">(?:<dt>[^<]*</dt><dd>)?([^<]*)<`).FindStringSubmatch(page)
	require.NotNil(t, match, id)
	return html.UnescapeString(match[1])
}

// TestARunsPageSaysWhatItWas: when, of what, what it cost and what is left, in the words
// and parts of the report.
func TestARunsPageSaysWhatItWas(t *testing.T) {
	t.Parallel()
	r := ran()
	page := runPage(t, r)
	assert.Equal(t, "25 November 2026, 12:00 UTC; it took 1.234s", answer(t, page, "when"))
	assert.Equal(t, "suite "+markup+", branch feature/x, commit 0123456789ab, mode record, by policy.ci", answer(t, page, "of"))
	assert.Equal(t, "The requests of this run cost 12 units: 3 bought and 8 saved, 1 without a recording.", answer(t, page, "price"))
	assert.Equal(t, r.Allowance.Summary, answer(t, page, "stands"))
	figures := numbered(regexp.MustCompile(`<div id="(\w+)"><dt>\w+</dt><dd>(-?\d+)</dd>`), page)
	assert.Equal(t, map[string]int64{
		"asked": 12, "bought": 3, "saved": 8, "missing": 1,
		"left": 900, "granted": 1234, "spent": 234, "held": 0, "floor": 100,
	}, figures)
	assert.Equal(t, figures["asked"], figures["bought"]+figures["saved"]+figures["missing"])
	assert.Contains(t, page, `<dt>What to type next</dt><dd><code><span>hsharness</span> <span>run</span> <span>b.yaml</span></code>`)
	assert.Contains(t, page, `<p class="warning">Exit 1: 1 of 3 scenarios failed</p>`)
	for _, part := range []string{
		`<td data-of="verdict" class="failed">failed</td>`, `&lt;/details&gt;`, `it\x00 ]]&gt;`, `<span>b.yaml</span></code></p>`,
		`1 row fell short</h2>`, `<td data-of="wanted">621420</td><td data-of="got">=cmd()</td><td class="words" data-of="why">six</td>`,
		`<th scope="row">six, <bdi>kind=knit</bdi></th><td data-of="right">0</td><td data-of="of">2</td><td data-of="share">0.0 %</td>`,
		`<td data-of="gate" class="failed">&gt;= 50%: not met</td>`,
	} {
		assert.Contains(t, page, part)
	}

	// What is not known is not made up.
	r.Allowance, r.Bill = nil, report.Bill{Mode: "offline", WouldHaveSpent: 5, Requests: 5, NotLeft: "the ledger can't be asked"}
	page = runPage(t, r)
	assert.Equal(t, "it took 1.234s", answer(t, page, "when"))
	assert.Equal(t, "mode offline", answer(t, page, "of"))
	assert.Equal(t, "The requests of this run would cost 5 units: the mock API answered, and nothing was bought.", answer(t, page, "price"))
	assert.Equal(t, "the ledger can't be asked", answer(t, page, "left"))
	assert.Equal(t, map[string]int64{"asked": 5, "bought": 0, "saved": 0, "mocked": 5}, numbered(regexp.MustCompile(`<div id="(\w+)"><dt>\w+</dt><dd>(-?\d+)</dd>`), page), "a mock saves nobody anything")
}

// TestARunsPageIsMadeOfTheReportsParts: one style, one script, one policy, and tables
// that are read aloud.
func TestARunsPageIsMadeOfTheReportsParts(t *testing.T) {
	t.Parallel()
	page := runPage(t, ran())
	assert.Contains(t, page, "<style>"+string(pages.Style())+"</style>")
	assert.Equal(t, 1, strings.Count(page, "<script"), "ours: texts stay texts")
	onlyOurs(t, page)
	for _, no := range []string{"http:", "https:", "@import", "url("} {
		assert.False(t, strings.Contains(page, no), "the page has %q in it", no)
	}
	tables := readAloud(t, page)
	assert.Equal(t, 4, tables, "scenarios, a score, what fell short, the cases of a matrix")
	many := ran()
	many.Scenarios[1].Cases = make([]report.Case, 1234)
	assert.Contains(t, runPage(t, many), "… and 734 more, in the JSON")
	assert.ErrorContains(t, pages.Run(full{}, ran()), "disk full")
}

// FuzzRun puts any text into every place that a scenario or an answer fills: none becomes
// an element of the page.
func FuzzRun(f *testing.F) {
	f.Add("plain")
	f.Add("<script>\"'&]]>\x00\x1b[31m</pre>\u202e")
	f.Fuzz(func(t *testing.T, text string) {
		filled := func(text string) string {
			r := ran()
			s := &r.Scenarios[1]
			s.Name, s.File, s.Again, s.Cases[1].Name, s.Cases[0].Why = text, "x "+text, "x", text, text
			s.Cases[1].Failures = []report.Failure{{File: text, Line: 1, Case: text, Step: text, Message: text, Want: text, Got: text, Exchange: text}}
			r.Bill.Reason, r.Bill.ModeLimitedBy, r.Bill.Suite, r.Bill.Branch = "x"+text, "x"+text, text, text
			r.Allowance.Allowance = text
			return runPage(t, r)
		}
		page := filled(text)
		assert.LessOrEqual(t, strings.Count(page, "<"), strings.Count(filled("x"), "<"), "an element more")
		for _, sign := range []string{"\x00", "\x1b", "\u202e"} {
			assert.NotContains(t, page, sign)
		}
	})
}
