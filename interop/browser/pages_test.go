package browser_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

var noon = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

// story is a ledger of so many days, which has spent some of what was granted on each.
func story(days int, granted, perDay int64, suites, tests []string, change func(*quota.Status)) report.Budget {
	begun := noon.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	s := quota.Statement{Begun: begun.Add(9 * time.Hour), From: noon.Truncate(24*time.Hour).AddDate(0, 0, -30), SuiteDays: map[string][]quota.Day{}}
	spent := int64(0)
	sums, tried := make([]quota.Group, len(suites)), make([]quota.Group, len(tests))
	for n := range days {
		at := begun.AddDate(0, 0, n)
		d := quota.Day{Start: at}
		for i, suite := range suites {
			units := perDay * int64(((n+1)*(i+2))%7) / int64(4+i)
			bought := quota.Tally{Attempts: units, Spent: units, Repeated: units / 5, Again: units / 4, Refused: units / 9}
			bought.Answers = units - bought.Repeated - bought.Again - bought.Refused
			saved := 3 * units
			parts := []*quota.Tally{&d.Tally, &s.Total, &sums[i].Tally, &tried[(n+i)%len(tests)].Tally}
			if !at.Before(s.From) {
				parts = append(parts, &s.Lately.Tally)
				s.Lately.Replayed += saved
			}
			for _, sum := range parts {
				tally.Add(sum, &bought)
			}
			tried[(n+i)%len(tests)].Name = tests[(n+i)%len(tests)]
			sums[i].Name, sums[i].Runs = suite, sums[i].Runs+1
			d.Saved, s.Saved, s.Replayed, s.Runs = d.Saved+saved, s.Saved+saved, s.Replayed+saved, s.Runs+1
			s.SuiteDays[suite] = append(s.SuiteDays[suite], quota.Day{Start: at, Tally: bought, Saved: saved})
		}
		spent += d.Spent
		switch {
		case n == 0:
			d.Granted = granted
			s.Changes = append(s.Changes, quota.Entry{Kind: quota.KindGrant, Units: granted, Time: s.Begun, Note: "initial grant"})
		case n == days*2/3:
			d.Corrected = spent / 10
			spent += d.Corrected
			s.Changes = append(s.Changes, quota.Entry{Kind: quota.KindReconcile, Units: d.Corrected, Time: at.Add(10 * time.Hour), Note: "usage page"})
		}
		d.Left = max(granted-spent, 0)
		s.Days = append(s.Days, d)
	}
	for _, groups := range [][]quota.Group{sums, tried} {
		slices.SortStableFunc(groups, func(a, b quota.Group) int { return cmp.Compare(b.Spent, a.Spent) })
	}
	s.Suites, s.Tests = sums, tried
	s.Branches, s.Actors = []quota.Group{{Name: "main", Runs: s.Runs, Tally: s.Total}}, []quota.Group{{Name: "ann", Runs: s.Runs, Tally: s.Total}}
	s.Blocked = []quota.Blocked{{Rule: "max_per_run", Budget: 2, Times: 3, Units: 90, Last: noon, Suite: suites[0]}}
	s.Recent = map[string][]int64{suites[0]: {perDay, perDay + 1}}
	status := quota.Status{LedgerID: "01JC0DE5EXAMPLE0LEDGER0000", Seq: spent * 3, Allowance: "sandbox", Granted: granted, Spent: spent, Available: granted - spent, Usable: granted - spent}
	if change != nil {
		change(&status)
	}
	return report.NewBudget(status, s, noon)
}

// strangeNames has one of 200 letters, one from right to left, one of pictures, and none.
func strangeNames() []string {
	return []string{strings.Repeat("extraordinarily_long", 10), "اختبار الدفع في المتجر", "👩‍👩‍👧 family 🎁", ""}
}

// stories are the ledgers whose pages are looked at.
func stories() map[string]report.Budget {
	suites := []string{"nightly", "pull requests", "release <candidates>"}
	var tests []string
	for n := range 40 {
		tests = append(tests, fmt.Sprintf("TestCheckout/goods_of_chapter_%d", n+1))
	}
	strange := strangeNames()
	return map[string]report.Budget{
		"day":   story(1, 100, 6, suites, tests[:3], nil),
		"sixty": story(60, 1500, 10, suites, tests, nil),
		"exhausted": story(30, 720, 12, suites, tests, func(s *quota.Status) {
			s.Exhausted, s.Floor, s.Usable = true, 20, s.Available-20
			s.Warnings = []string{"the service said on 2026-11-04 that nothing is left"}
		}),
		"names": story(20, 1000, 10, strange, strange, func(s *quota.Status) { s.Allowance = strange[0] }),
		"large": story(800, 2_000_000, 900, suites, tests, nil),
		"none":  report.NewBudget(quota.Status{Allowance: "sandbox"}, quota.Statement{}, noon),
	}
}

// written is the page of a report as a file.
func written(t *testing.T, b report.Budget) string {
	t.Helper()
	return inFile(t, func(w io.Writer) error { return pages.Budget(w, b) })
}

// inFile is the address of a page as a file.
func inFile(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var html bytes.Buffer
	require.NoError(t, write(&html))
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, html.Bytes(), 0o600))
	return "file://" + file
}

// axeCore is the release of the npm package that looks for what keeps people out.
const axeCore = "axe-core@4.14.1"

// axe is the text of its script; empty, where npm can't get it and CI is not set.
func axe(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error", axeCore)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		require.Empty(t, os.Getenv("CI"), "npm install: %v\n%s", err, out)
		t.Logf("NOT RUN: %s could not be installed: %v", axeCore, err)
		return ""
	}
	script, err := os.ReadFile(filepath.Join(dir, "node_modules/axe-core/axe.min.js"))
	require.NoError(t, err)
	return string(script)
}

// media shows pages in a scheme of colours.
func media(t *testing.T, ctx context.Context, scheme string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
}

// wide are the elements that stick out of the page to the right.
const wide = `[...document.querySelectorAll("body, body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
	.map((e) => e.tagName + "#" + e.id + " " + e.textContent.slice(0, 40)).concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls"] : [])`

// narrow are cells so narrow that words stand letter by letter.
const narrow = `[...document.querySelectorAll("tbody th")].filter((e) => e.textContent.length > 3 && e.getBoundingClientRect().width < 60 && e.checkVisibility()).map((e) => e.textContent)`

// TestPagesKeepNobodyOut has axe-core look at each page, on a desktop and on a phone,
// in light and dark, and looks whether anything is wider than the screen.
func TestPagesKeepNobodyOut(t *testing.T) {
	script := axe(t)
	ctx := open(t)
	for name, b := range stories() {
		do(t, ctx, chromedp.Navigate(written(t, b)))
		if script != "" {
			eval[any](t, ctx, script+";null")
		}
		for _, width := range []int64{1280, 390} {
			do(t, ctx, chromedp.EmulateViewport(width, 844))
			for _, scheme := range []string{"light", "dark"} {
				media(t, ctx, scheme)
				assert.Empty(t, eval[[]string](t, ctx, wide), "%s, %d, %s", name, width, scheme)
				assert.Empty(t, eval[[]string](t, ctx, narrow), "%s, %d, %s", name, width, scheme)
				// What looks at each element takes long; the others have no other elements.
				if script != "" && (name == "sixty" || name != "large" && name != "day" && width == 390 && scheme == "dark") {
					assert.Empty(t, violations(t, ctx), "%s, %d, %s", name, width, scheme)
				}
			}
		}
	}
}

// TestSeveralKeepNobodyOut does the same for the page of several allowances, whose first
// screen says on a phone how all of them stand.
func TestSeveralKeepNobodyOut(t *testing.T) {
	ctx := open(t)
	all := several()
	for i, name := range strangeNames() {
		b := stories()["names"]
		b.Allowance = name
		all = append(all, b.In(fmt.Sprint("sqlite:", i, name)))
	}
	do(t, ctx, chromedp.Navigate(inFile(t, func(w io.Writer) error { return pages.Several(w, all) })))
	keepsNobodyOut(t, ctx, axe(t), "several")
	do(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(inFile(t, func(w io.Writer) error { return pages.Several(w, several()) })))
	seen := eval[[]string](t, ctx, `[...document.querySelectorAll("#summary, #allowances tbody tr")].filter((e) => e.getBoundingClientRect().bottom <= innerHeight).map((e) => e.textContent.trim())`)
	require.Len(t, seen, 4)
	assert.Equal(t, several().Summary(), seen[0])
	for i, b := range several() {
		assert.Equal(t, fmt.Sprintf("%s%d%d%d%s", b.Allowance, b.Left, b.Granted, b.Spent, b.Until()), seen[i+1])
	}
}

// keepsNobodyOut looks at the page that is open: with axe-core, if it is there, and whether
// anything is wider than the screen, in both schemes, on a desktop and on a phone.
func keepsNobodyOut(t *testing.T, ctx context.Context, script, name string) {
	t.Helper()
	if script != "" {
		eval[any](t, ctx, script+";null")
	}
	for _, width := range []int64{1280, 390} {
		do(t, ctx, chromedp.EmulateViewport(width, 844))
		for _, scheme := range []string{"light", "dark"} {
			media(t, ctx, scheme)
			assert.Empty(t, eval[[]string](t, ctx, wide), "%s, %d, %s", name, width, scheme)
			assert.Empty(t, eval[[]string](t, ctx, narrow), "%s, %d, %s", name, width, scheme)
			if script != "" {
				assert.Empty(t, violations(t, ctx), "%s, %d, %s", name, width, scheme)
			}
		}
	}
}

func violations(t *testing.T, ctx context.Context) []string {
	t.Helper()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`axe.run(document).then((r) => JSON.stringify(r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 200) + " " + (n.any[0] || n.all[0] || n.none[0] || {}).message)).concat(r.passes.length < 10 ? ["nothing was looked at"] : [])))`,
		chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	var all []string
	require.NoError(t, json.Unmarshal([]byte(found), &all))
	return all
}

// TestFirstScreenOfAPhoneAnswers reads five answers from what is seen without a touch.
func TestFirstScreenOfAPhoneAnswers(t *testing.T) {
	ctx := open(t)
	do(t, ctx, chromedp.EmulateViewport(390, 844))
	for _, name := range []string{"day", "sixty", "exhausted", "names", "large"} {
		b := stories()[name]
		do(t, ctx, chromedp.Navigate(written(t, b)))
		seen := eval[map[string]string](t, ctx, `Object.fromEntries([...document.querySelectorAll("[id^=answer-]")]
			.filter((e) => e.getBoundingClientRect().bottom <= innerHeight && e.checkVisibility()).map((e) => [e.id, (e.querySelector("dd") || e).textContent]))`)
		for _, a := range b.Answers() {
			assert.Equal(t, a.Text, seen["answer-"+a.ID], "%s: %s", name, a.Question)
		}
		assert.Equal(t, b.Summary, strings.TrimSpace(eval[string](t, ctx, `document.getElementById("summary").textContent`)), "one sentence everywhere")
	}
}

// size is that of a picture.
type size struct {
	name, media   string
	width, height int64
}

// sizes are those of a desktop, a phone and a sheet of paper.
var sizes = []size{{"desktop", "", 1100, 800}, {"phone", "", 390, 844}, {"paper", "print", 794, 1123}}

// pictures are the stories whose pictures are in the docs, and how they begin: that of a
// desktop, and with -phone that of a phone.
var pictures = map[string]string{
	"day": "report-day", "sixty": "report", "exhausted": "report-exhausted", "several": "report-several", "large": "report-large",
}

// several are the reports of three allowances.
func several() report.Several {
	var all report.Several
	for _, name := range []string{"sixty", "day", "exhausted"} {
		b := stories()[name]
		b.Allowance = map[string]string{"sixty": "sandbox", "day": "customs-eu", "exhausted": "returns"}[name]
		all = append(all, b.In("postgres://ledger.example/"+b.Allowance))
	}
	return all
}

// TestScreenshots shows each story in each size, and writes the pictures of the docs with
// -update. Letters differ from machine to machine, so it compares no picture: it looks
// whether all charts are there and visible, and whether a picture says what it shows.
func TestScreenshots(t *testing.T) {
	ctx := open(t)
	text, err := os.ReadFile("../../docs/report.md")
	require.NoError(t, err)
	addresses := map[string]string{"several": inFile(t, func(w io.Writer) error { return pages.Several(w, several()) })}
	for name, b := range stories() {
		addresses[name] = written(t, b)
	}
	for name, address := range addresses {
		do(t, ctx, chromedp.Navigate(address))
		for _, size := range sizes {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: size.media})
			require.NoError(t, err)
			do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
			charts := eval[[]string](t, ctx, `[...document.querySelectorAll("figure")].filter((f) => f.querySelector("svg").getBoundingClientRect().height > 50).map((f) => f.id)`)
			switch name {
			case "none":
				assert.Empty(t, charts)
			case "several":
				assert.Len(t, charts, 3*3, "those of each allowance")
			default:
				assert.Equal(t, []string{"burn-down", "per-day", "savings", "spent-by-suite", "spent-by-test"}, charts, "%s, %s", name, size.name)
			}
			assert.Equal(t, size.media != "print" && name != "none" && name != "several", eval[bool](t, ctx, `document.getElementById("filter")?.checkVisibility() || false`), "%s, %s", name, size.name)
			if file := pictures[name]; file != "" && size.media == "" {
				if size.name == "phone" {
					file += "-phone"
				}
				picture(t, ctx, file+".png", string(text), size)
			}
		}
	}
}

// picture is what is seen now, in a file of the docs, which a page shows with a text that
// says what is in it.
func picture(t *testing.T, ctx context.Context, file, text string, size size) {
	t.Helper()
	assert.Regexp(t, `!\[[^\]]{20,}\]\(`+file+`\)`, text)
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	assert.Less(t, len(shot), 200_000, file)
	if *update {
		require.NoError(t, os.WriteFile("../../docs/"+file, shot, 0o644))
	}
	kept, err := os.ReadFile("../../docs/" + file)
	require.NoError(t, err)
	config, err := dimensions(kept)
	require.NoError(t, err)
	assert.Equal(t, [2]int64{size.width, size.height}, config, file)
}

// dimensions is how wide and high a picture is.
func dimensions(file []byte) ([2]int64, error) {
	config, err := png.DecodeConfig(bytes.NewReader(file))
	return [2]int64{int64(config.Width), int64(config.Height)}, err
}
