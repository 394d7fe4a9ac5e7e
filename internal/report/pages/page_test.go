package pages_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"html/template"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

const markup = `<script>alert("x")</script>&'`

func budget(days int) report.Budget {
	var s quota.Statement
	for n := range days {
		s.Days = append(s.Days, quota.Day{
			Start: now.Truncate(24*time.Hour).AddDate(0, 0, n+1-days), Tally: quota.Tally{Spent: int64(n%7 + 1), Failed: int64(n % 2)}, Left: int64(1000 - n),
		})
	}
	s.Total = quota.Tally{Spent: 5}
	s.Suites = []quota.Group{{Name: markup, Runs: 1, Tally: quota.Tally{Spent: 3}}, {Tally: quota.Tally{Spent: 2}}}
	s.Tests = []quota.Group{{Name: "TestShop", Tally: quota.Tally{Spent: 5}}}
	s.Changes = []quota.Entry{{Kind: quota.KindReconcile, Note: markup}}
	return report.NewBudget(quota.Status{Allowance: markup, Granted: 1234, Spent: 234, Available: 1000, Floor: 100, Usable: 900, Warnings: []string{markup}}, s, now)
}

func render(t *testing.T, b report.Budget) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, pages.Budget(&out, b))
	return out.String()
}

func TestBudgetPageNeedsNothingElse(t *testing.T) {
	got := render(t, budget(30))
	for _, no := range []string{"http:", "https:", "@import", "url(", "<script>alert"} {
		assert.False(t, strings.Contains(got, no), "the page has %q in it", no) // a whole page helps nobody
	}
	assert.Equal(t, 2, strings.Count(got, "<script"), "the data and ours: texts stay texts")
	assert.True(t, strings.Contains(got, `<div id="granted"><dt>granted</dt><dd>1234</dd>`))
}

// charts are all of a report, by the names of what draws them.
func charts(t *testing.T, b report.Budget) map[string]string {
	t.Helper()
	all := map[string]string{}
	put := func(name string, svg template.HTML, err error) {
		require.NoError(t, err, name)
		all[name] = string(svg)
	}
	svg, err := pages.BurnDown(b)
	put("burn down", svg, err)
	svg, err = pages.PerDay(b)
	put("per day", svg, err)
	svg, err = pages.Bars(b, report.BySuite)
	put("bars", svg, err)
	svg, err = pages.Savings(b)
	put("savings", svg, err)
	return all
}

// TestThePolicyAllowsOursAlone computes the hashes again from what the page has in it.
func TestThePolicyAllowsOursAlone(t *testing.T) {
	t.Parallel()
	onlyOurs(t, render(t, budget(3)))
}

func onlyOurs(t *testing.T, got string) {
	t.Helper()
	policy := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(got)[1])
	assert.NotContains(t, policy, "unsafe")
	for _, tag := range []string{"style", "script"} {
		match := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(got)
		sum := sha256.Sum256([]byte(match[1]))
		assert.Contains(t, policy, tag+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	assert.Contains(t, policy, "default-src 'none'; base-uri 'none'; form-action 'none'")
	assert.NotContains(t, got, " style=", "an attribute that the policy forbids")
}

// TestCommandsBreakBetweenWords: a phone would break --note behind its first dash.
func TestCommandsBreakBetweenWords(t *testing.T) {
	t.Parallel()
	b := budget(3)
	b.Exhausted = true
	command := regexp.MustCompile(`<dt>What to type next</dt><dd><code>(.*)</code>`).FindStringSubmatch(render(t, b))[1]
	assert.Contains(t, command, "<span>--observed</span> <span>")
	assert.Equal(t, b.Next().Command, html.UnescapeString(regexp.MustCompile("</?span>").ReplaceAllString(command, "")), "what is copied is the command")
}

// TestTablesAreReadAloud is for who hears a table: each has a caption, and each figure
// the heads of its column and row.
func TestTablesAreReadAloud(t *testing.T) {
	t.Parallel()
	b := budget(3)
	b.Blocked = []quota.Blocked{{Rule: "floor", Times: 1}}
	b.Waste = []report.Waste{{Cause: "failed", Units: 1}}
	b.RunsLeft = []report.RunsLeft{{Suite: "nightly"}}
	got := render(t, b)
	assert.Equal(t, 7, readAloud(t, got))
}

// readAloud looks at all tables of a page, and says how many there are.
func readAloud(t *testing.T, got string) int {
	t.Helper()
	tables := regexp.MustCompile(`(?s)<table (?:id|class)="[a-z-]+">.*?</table>`).FindAllString(got, -1)
	require.Len(t, tables, strings.Count(got, "<table"))
	for _, table := range tables {
		assert.Regexp(t, `^<table (?:id|class)="[a-z-]+"><caption><h2>[A-Z<]`, table)
		columns := strings.Count(table, `<th scope="col">`)
		rows := strings.Count(table, `<th scope="row">`)
		assert.Equal(t, strings.Count(table, "<tr"), rows+1, table)
		assert.Equal(t, (columns-1)*rows, strings.Count(table, "<td"), table)
		assert.Equal(t, (columns-1)*rows, strings.Count(table, " data-of="), "a phone shows which figure it is")
	}
	return len(tables)
}

// TestEachFigureSaysWhereItComesFrom: what to type stands on the page, for each figure, cause,
// refusal and table; and each group has what it spent lately and in as long before.
func TestEachFigureSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	b := budget(3)
	b.Earlier, b.Suites[0].Lately, b.Suites[0].Before = quota.Group{Replayed: 1}, 7, 5
	b.Blocked = []quota.Blocked{{Rule: "floor", Times: 1}}
	b.Waste = []report.Waste{{Cause: "failed", Units: 1, Source: "hsharness quota history --became failed"}}
	page := render(t, b)
	readAloud(t, page)
	text := html.UnescapeString(regexp.MustCompile("</?(?:span|code)>").ReplaceAllString(page, ""))
	commands := []string{b.Waste[0].Source, b.BlockedSource(b.Blocked[0]), b.Source(report.BySuite, "NAME"), b.Source(report.ByTest, "NAME")}
	for _, f := range b.Figures() {
		commands = append(commands, f.Source)
	}
	for _, a := range b.Answers() {
		commands = append(commands, a.Command)
	}
	for _, c := range commands {
		assert.Contains(t, text, c+"</")
	}
	assert.Contains(t, page, `<td data-of="lately">7</td><td data-of="before">5</td>`)
	assert.NotContains(t, render(t, budget(3)), `data-of="before"`, "there was no time before")
}

// TestTheFilterHasTheDaysOfEachSuite reads what the script does.
func TestTheFilterHasTheDaysOfEachSuite(t *testing.T) {
	t.Parallel()
	b := budget(3)
	b.SuiteDays = map[string][]quota.Day{markup: {{Start: b.Days[1].Start, Tally: quota.Tally{Spent: 9, Failed: 2, Refunded: 3, Again: 4}, Saved: 5, Blocked: 6}}}
	b.Cells.Tests = []tally.Cell{{Name: "TestShop", Suite: markup, Bands: [tally.Bands]tally.Sums{0: {Spent: 2}, 4: {Spent: 3, Wasted: 1}}, Lately: 7}, {Name: "gone", Suite: "", Before: 8}}
	got := render(t, b)
	text := regexp.MustCompile(`id="data">(.*)</script>`).FindStringSubmatch(got)[1]
	var data struct {
		Days   int
		Suites [][][]int
		Tables map[string][][]int
		Words  []string
		From   map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(text), &data))
	assert.Equal(t, 3, data.Days)
	assert.Equal(t, [][][]int{{{1, 9, 0, 0, 2, 0, 3, 4, 5, 0, 0, 6}}, {}}, data.Suites)
	assert.Equal(t, map[string][][]int{"test": {{0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 4, 0, 3, 1, 0, 0}, {-1, 1, 0, 8}}}, data.Tables)
	assert.Equal(t, "''", data.Words[1])
	assert.Equal(t, map[string]string{"1": "2026-11-25"}, data.From, "the others are the whole report")
	assert.Equal(t, 1, strings.Count(got, "leaves this table whole"), "that of the suites has no cells")
	assert.Contains(t, got, `<tr data-suite="0"><th scope="row"><bdi>&lt;script&gt;`)
	assert.Contains(t, got, `<tr data-day="2"><th scope="row"><bdi>2026-11-25</bdi>`)
	assert.Contains(t, got, `<form id="filter" hidden>`, "without a script there is nothing to choose")
}

func TestChartsAreWellFormed(t *testing.T) {
	t.Parallel()
	for _, days := range []int{1, 2, 30, 700, 4000} {
		for name, svg := range charts(t, budget(days)) {
			var err error
			for d := xml.NewDecoder(strings.NewReader(svg)); err == nil; {
				_, err = d.Token()
			}
			require.ErrorIs(t, err, io.EOF, "%s of %d days is XML", name, days)
			assert.Contains(t, svg, `role="img"><title>`)
			assert.Contains(t, svg, "<desc>")
			assert.NotContains(t, svg, "NaN", name)
			assert.NotContains(t, svg, "Inf", name)
			for _, own := range []string{"fill=", "stroke=", "style=", `="#`, "rgb("} {
				assert.NotContains(t, svg, own, "%s takes the colours of its page", name)
			}
			assert.Less(t, len(svg), 40_000, "%s of %d days", name, days)
		}
	}
}

var (
	ticks  = regexp.MustCompile(`<text class="end" [^>]*>([^<]*)</text>`)
	places = regexp.MustCompile(`<text class="middle" [^>]*>([^<]*)</text>`)
)

func found(pattern *regexp.Regexp, svg string) (all []string) {
	for _, match := range pattern.FindAllStringSubmatch(svg, -1) {
		all = append(all, match[1])
	}
	return all
}

func TestAxesAreOfWholeUnitsAndRealDays(t *testing.T) {
	t.Parallel()
	for most, want := range map[int64][]string{
		1: {"0", "1"}, 3: {"0", "1", "2", "3"}, 11: {"0", "5", "10", "15"}, 37: {"0", "10", "20", "30", "40"}, 74: {"0", "20", "40", "60", "80"},
		12_345: {"0", "5000", "10k", "15k"}, 3_000_000: {"0", "1M", "2M", "3M"},
	} {
		b := budget(10)
		for i := range b.Days {
			b.Days[i].Tally = quota.Tally{Spent: most}
		}
		svg := charts(t, b)["per day"]
		assert.Equal(t, want, found(ticks, svg))
		assert.Equal(t, []string{"16 Nov", "18 Nov", "20 Nov", "22 Nov"}, found(places, svg))
		assert.Contains(t, svg, ">today</text>")
	}
}

func TestOneBarADayUpToNinety(t *testing.T) {
	t.Parallel()
	for days, bars := range map[int]int{1: 1, 60: 60, 90: 90, 91: 4, 700: 24} {
		b := budget(days)
		for i := range b.Days {
			b.Days[i].Failed = 0
		}
		svg := charts(t, b)["per day"]
		assert.Equal(t, bars, strings.Count(svg, `<path class="useful"`), "%d days", days)
		title := "<title>Spent, by day</title>"
		if days > 90 {
			title = "<title>Spent, by month</title>"
		}
		assert.Contains(t, svg, title)
		for _, n := range found(places, svg) {
			_, err := time.Parse(map[bool]string{true: "Jan 2006", false: "2 Jan"}[days > 90], n)
			assert.NoError(t, err)
		}
	}
}

// ends is the last point of the path of a class.
func ends(t *testing.T, svg, class string) (x, y float64) {
	t.Helper()
	match := regexp.MustCompile(`<path class="` + class + `" d="[^"]*L([0-9.]+) ([0-9.]+)z?"`).FindStringSubmatch(svg)
	require.NotNil(t, match, class)
	x, err := strconv.ParseFloat(match[1], 64)
	require.NoError(t, err)
	y, err = strconv.ParseFloat(match[2], 64)
	require.NoError(t, err)
	return x, y
}

func TestTheLineDrawnIsTheForecastSaid(t *testing.T) {
	t.Parallel()
	b := budget(30)
	b.Left, b.Usable, b.Floor = 200, 100, 100
	b.Forecast = report.Forecast{PerDay: 10, Low: 8, High: 12, RunsOut: "2026-12-05", Earliest: "2026-12-03", Latest: "2026-12-08"}
	svg := charts(t, b)["burn down"]
	now, _ := ends(t, svg, "left")
	gone, floor := ends(t, svg, "ahead")
	late, same := ends(t, svg, "range")
	assert.Equal(t, floor, same, "both end on the floor")
	assert.InDelta(t, (late-now)/13, (gone-now)/10, 0.1, "noon of the day that is said")
	assert.Contains(t, svg, `<title>gone between 2026-12-03 and 2026-12-08</title>`)
	assert.Contains(t, svg, "</i> gone in these days</li>")

	b.Forecast = report.Forecast{}
	svg = charts(t, b)["burn down"]
	assert.NotContains(t, svg, `"ahead"`, "none is drawn that is not said")
	assert.NotContains(t, svg, `"gone"`)
}

// TestTheLineBeginsWithTheLedger: before its grant nothing was left.
func TestTheLineBeginsWithTheLedger(t *testing.T) {
	t.Parallel()
	b := budget(1)
	b.Days[0].Start, b.Begun = now.Truncate(24*time.Hour), now.Add(-3*time.Hour)
	b.Changes = []quota.Entry{{Kind: quota.KindGrant, Units: 500, Time: b.Begun}}
	svg := charts(t, b)["burn down"]
	line := regexp.MustCompile(`<path class="left" d="M([0-9.]+) ([0-9.]+)L([0-9.]+) `).FindStringSubmatch(svg)
	mark := regexp.MustCompile(`<path class="mark" d="M([0-9.]+) ([0-9.]+)L`).FindStringSubmatch(svg)
	require.NotNil(t, line)
	require.NotNil(t, mark)
	assert.Equal(t, line[1], mark[1], "the grant stands where the line begins")
	start, err := strconv.ParseFloat(line[1], 64)
	require.NoError(t, err)
	end, err := strconv.ParseFloat(line[3], 64)
	require.NoError(t, err)
	assert.InDelta(t, 3, (start-44)/(end-start), 0.01, "at nine of twelve hours")
}

func TestChangesAreMarked(t *testing.T) {
	t.Parallel()
	b := budget(30)
	b.Changes = []quota.Entry{
		{Kind: quota.KindGrant, Units: 500, Time: now.AddDate(0, 0, -20), Note: markup},
		{Kind: quota.KindGrant, Time: now.AddDate(0, 0, -19)}, // of the floor
		{Kind: quota.KindReconcile, Units: -3, Time: now.AddDate(0, 0, -10)},
		{Kind: quota.KindExhaust, Time: now.AddDate(0, 0, -1)},
	}
	svg := charts(t, b)["burn down"]
	assert.Equal(t, 3, strings.Count(svg, `<path class="mark`))
	for _, name := range []string{"▲</i> grant<", "◆</i> reconciliation<", "✕</i> exhausted<", "5 Nov 2026: grant of &#43;500", "15 Nov 2026: reconciliation of -3<", "24 Nov 2026: exhausted<"} {
		assert.Contains(t, svg, name)
	}
	assert.NotContains(t, svg, "<script")
}

func TestNamesOfAnyLengthAndScript(t *testing.T) {
	t.Parallel()
	b := budget(3)
	b.Suites = nil
	for _, name := range []string{strings.Repeat("long", 50), "اختبار الدفع " + strings.Repeat("نص", 60), strings.Repeat("👩‍👩‍👧", 40), "", "a\x00b\x1b[31m\u202e" + markup, "\xff"} {
		b.Suites = append(b.Suites, quota.Group{Name: name, Tally: quota.Tally{Spent: 3}})
	}
	svg := charts(t, b)["bars"]
	for _, name := range regexp.MustCompile(`<text class="" [^>]*>([^<]*)</text>`).FindAllStringSubmatch(svg, -1) {
		assert.LessOrEqual(t, len([]rune(html.UnescapeString(name[1]))), 41)
	}
	assert.Contains(t, svg, ">none</text>")
	assert.NotContains(t, svg, "\u202e")
	require.NoError(t, xml.Unmarshal([]byte(svg), new(struct{})))
	require.NoError(t, pages.Budget(io.Discard, b))
}

// What a row that somebody changed has is shown in part.
func TestLongTextsOfAPage(t *testing.T) {
	t.Parallel()
	b := budget(3)
	long := strings.Repeat("x", 1<<20)
	b.Changes = []quota.Entry{{Kind: quota.KindGrant, Units: 1, Note: long}}
	got := render(t, b)
	assert.True(t, strings.Contains(got, "xxx… (1048576 bytes)"))
	assert.False(t, strings.Contains(got, long), "the note is whole")
}

func TestChartsOfNothing(t *testing.T) {
	var b report.Budget
	burn, err := pages.BurnDown(b)
	require.NoError(t, err)
	perDay, err := pages.PerDay(b)
	require.NoError(t, err)
	bars, err := pages.Bars(b, report.ByActor)
	require.NoError(t, err)
	savings, err := pages.Savings(b)
	require.NoError(t, err)
	assert.Empty(t, burn+perDay+bars+savings)
	assert.False(t, strings.Contains(render(t, b), "<svg"))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrorsAreReturned(t *testing.T) {
	assert.ErrorContains(t, pages.Budget(full{}, budget(3)), "disk full")
}
