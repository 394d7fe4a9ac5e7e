package browser_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/quota"
)

// runs are those whose pages are looked at: one that passed, one that failed in all that a
// page can show, and one with strange names and without a ledger.
func runs() map[string]report.Run {
	allowance := stories()["sixty"]
	left := int(allowance.Left)
	passed := report.Run{Elapsed: 3210 * time.Millisecond, Allowance: &allowance, Bill: report.Bill{
		Mode: "record", ModeLimitedBy: "--mode", MaxSpend: 20, Requests: 40, Replayed: 37, Spent: 3, WouldHaveSpent: 37, Left: &left, Verdict: "ok",
	}}
	passed.Bill.By(noon, quota.Attribution{Suite: "nightly", Branch: "main", Commit: "5e0b5e6c3e9c2a7a1f0d9f6f7f3f1f8a2b3c4d5e"})
	for n := range 8 {
		passed.Scenarios = append(passed.Scenarios, report.Scenario{
			File: fmt.Sprintf("scenarios/chapter_%d.yaml", 61+n), Name: fmt.Sprintf("goods of chapter %d get codes of their heading", 61+n), Verdict: report.Replayed,
			Cases: make([]report.Case, 5), Spend: 5, Calls: 5, ElapsedMS: int64(n*37%90 + 4),
		})
		for i := range passed.Scenarios[n].Cases {
			passed.Scenarios[n].Cases[i] = report.Case{Name: "country=" + []string{"US", "CA", "DE", "JP", "GB"}[i], Verdict: report.Replayed, Spend: 1, Calls: 1}
		}
	}
	failed := passed
	failed.Scenarios = append([]report.Scenario{}, passed.Scenarios...)
	failed.Bill.Exit, failed.Bill.Reason, failed.Bill.Missed, failed.Bill.MissedUnits, failed.Bill.Replayed, failed.Bill.WouldHaveSpent = 1, "1 of 8 scenarios failed", 2, 2, 35, 35
	bad := &failed.Scenarios[2]
	bad.Verdict, bad.Again = report.Failed, "hsharness run --mode replay scenarios/chapter_63.yaml"
	bad.Cases = append([]report.Case{}, bad.Cases...)
	bad.Cases[1].Verdict, bad.Cases[1].Failures = report.Failed, []report.Failure{{
		File: bad.File, Line: 7, Column: 15, Case: "country=CA", Step: "classify", Message: "json.hsCode is not as expected", Want: "/^6302/", Got: `"630790"`,
		Exchange: "POST /hscode/classify\n" + strings.Repeat(`{"description":"a bed sheet of cotton","countryOfDestination":"CA"}`, 3) + "\n200 OK\n",
	}}
	bad.Cases[1].Scores = []report.ScoreRow{{Step: "classify", Want: "630210", Got: []string{"630790"}, Right: map[string]bool{"six": false}}}
	bad.Scores = []report.Score{{Step: "classify", By: "kind", Groups: []report.ScoreGroup{{All: true, Metrics: []report.Metric{report.Count("six", 4, 5, 0)}}}}}
	strange := report.Run{Bill: report.Bill{Mode: "offline", WouldHaveSpent: 4, Requests: 4, Next: "hsharness quota init --granted N"}}
	for _, name := range strangeNames() {
		strange.Bill.By(noon, quota.Attribution{Suite: name, Branch: name})
		strange.Scenarios = append(strange.Scenarios, report.Scenario{File: name + ".yaml", Name: name, Verdict: report.Failed, Again: "hsharness run " + name, Cases: []report.Case{
			{Name: name, Verdict: report.Mocked}, {Name: name, Verdict: report.Failed, Failures: []report.Failure{{File: name, Case: name, Message: name, Want: name, Got: name, Exchange: name}}},
		}})
	}
	return map[string]report.Run{"passed": passed, "failed": failed, "strange": strange, "none": {}}
}

// TestRunsKeepNobodyOut has axe-core look at the page of a run, and at its width.
func TestRunsKeepNobodyOut(t *testing.T) {
	script := axe(t)
	ctx := open(t)
	for name, r := range runs() {
		do(t, ctx, chromedp.Navigate(inFile(t, func(w io.Writer) error { return pages.Run(w, r) })))
		keepsNobodyOut(t, ctx, script, name)
	}
}

// TestRunScreenshots writes the pictures of the docs, and looks whether the first screen of
// a phone has the answers.
func TestRunScreenshots(t *testing.T) {
	ctx := open(t)
	text, err := os.ReadFile("../../docs/running.md")
	require.NoError(t, err)
	r := runs()["failed"]
	do(t, ctx, chromedp.Navigate(inFile(t, func(w io.Writer) error { return pages.Run(w, r) })))
	for _, size := range sizes {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: size.media})
		require.NoError(t, err)
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		seen := eval[[]string](t, ctx, `[...document.querySelectorAll("[id^=answer-], #type-next")].filter((e) => e.getBoundingClientRect().bottom <= innerHeight && e.checkVisibility()).map((e) => e.id)`)
		assert.Equal(t, []string{"answer-price", "answer-stands", "answer-when", "answer-of", "type-next"}, seen, size.name)
		file := map[string]string{"desktop": "run.png", "phone": "run-phone.png"}[size.name]
		if file != "" {
			picture(t, ctx, file, string(text), size)
		}
	}
}
