package report_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

// now is a noon.
var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// spentDaily are days up to that of now with so much spent, the last one first.
func spentDaily(units ...int64) []quota.Day {
	var days []quota.Day
	for i := range units {
		ago := len(units) - 1 - i
		days = append(days, quota.Day{Start: now.Truncate(24*time.Hour).AddDate(0, 0, -ago), Tally: quota.Tally{Spent: units[ago]}})
	}
	return days
}

// forecast is that of a ledger that began with the first of these days.
func forecast(days []quota.Day, left int64) report.Forecast {
	return report.NewForecast(days, time.Time{}, left, now)
}

func TestForecastOfASteadyBurn(t *testing.T) {
	f := forecast(spentDaily(5, 10, 10, 10, 10, 10, 10, 10, 10, 10), 200) // half of today has passed
	assert.InDelta(t, 10, f.PerDay, 1e-9)
	assert.InDelta(t, 9.5, f.Days, 1e-9)
	assert.EqualValues(t, 95, f.Spent)
	assert.Equal(t, "2026-12-15", f.RunsOut)
	assert.Less(t, f.Low, 10.0, "chance has its share")
	assert.Greater(t, f.High, 10.0)
	assert.Equal(t, "At the pace of the last 9 days they last until 15 December 2026 (12 December 2026 to 18 December 2026)", f.String())
}

func TestForecastLooksAtTwoWeeks(t *testing.T) {
	days := spentDaily(append([]int64{7}, slices.Repeat([]int64{14}, 14)...)...)
	want := forecast(days, 1000)
	assert.InDelta(t, 14, want.PerDay, 1e-9)
	assert.InDelta(t, 14.5, want.Days, 1e-9)
	older := append([]quota.Day{{Start: now.AddDate(-2, 0, 0).Truncate(24 * time.Hour), Tally: quota.Tally{Spent: 1_000_000_000}}}, days...)
	assert.Equal(t, want, forecast(older, 1000), "what is older is forgotten")
}

func TestForecastIsWiderWhereDaysDiffer(t *testing.T) {
	even := forecast(spentDaily(5, 10, 10, 10, 10, 10, 10, 10), 1000)
	uneven := forecast(spentDaily(5, 40, 0, 0, 40, 0, 0, 10), 1000)
	assert.Greater(t, uneven.High-uneven.Low, even.High-even.Low)
}

// TestForecastNeedsAWeek: of a ledger of ten minutes nobody knows anything.
func TestForecastNeedsAWeek(t *testing.T) {
	f := report.NewForecast(spentDaily(44), now.Add(-10*time.Minute), 56, now)
	assert.True(t, f.TooEarly)
	assert.Equal(t, [3]float64{}, [3]float64{f.PerDay, f.Low, f.High}, "44 units in ten minutes are no rate per day")
	assert.Empty(t, f.RunsOut+f.Earliest+f.Latest)
	assert.Contains(t, f.String(), "too early to tell")
	days := spentDaily(1, 1, 1, 1, 1, 1, 1, 1)
	assert.True(t, report.NewForecast(days, now.Add(time.Minute).AddDate(0, 0, -7), 10, now).TooEarly)
	week := report.NewForecast(days, now.AddDate(0, 0, -7), 10, now)
	assert.False(t, week.TooEarly)
	assert.InDelta(t, 7, week.Days, 1e-9, "a day that half existed is half a day")
}

func TestForecastOfNothing(t *testing.T) {
	quiet := make([]int64, 9)
	assert.True(t, forecast(nil, 100).TooEarly)
	assert.Empty(t, forecast(spentDaily(quiet...), 100).RunsOut)
	assert.Contains(t, forecast(spentDaily(quiet...), 100).String(), "Nothing was spent in the last 8 days")
	quiet[0] = 1
	assert.Equal(t, "2026-11-25", forecast(spentDaily(quiet...), 0).RunsOut, "it is gone today")
	assert.Equal(t, "2026-11-25", forecast(spentDaily(quiet...), -5).RunsOut)
	assert.Empty(t, forecast(spentDaily(quiet...), 1_000_000_000).RunsOut, "more than a century")
}

func TestForecastProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SliceOfN(rapid.Int64Range(0, 1000), 9, 120).Draw(t, "units")
		left := rapid.Int64Range(0, 100_000).Draw(t, "left")
		at := now.Add(time.Duration(rapid.IntRange(0, 11*60).Draw(t, "minutes")) * time.Minute)
		days := spentDaily(units...)
		f := report.NewForecast(days, time.Time{}, left, at)
		if f.Low > f.PerDay || f.PerDay > f.High || f.Low < 0 {
			t.Fatalf("%v is not within %v to %v", f.PerDay, f.Low, f.High)
		}
		if f.Earliest > f.RunsOut && f.RunsOut != "" || f.RunsOut > f.Latest && f.Latest != "" {
			t.Fatalf("%s is not within %s to %s", f.RunsOut, f.Earliest, f.Latest)
		}
		more := report.NewForecast(days, time.Time{}, left+1000, at)
		if more.RunsOut < f.RunsOut && more.RunsOut != "" {
			t.Fatalf("more lasts until %s, less until %s", more.RunsOut, f.RunsOut)
		}
		days[len(days)-1].Spent += 50
		if burned := report.NewForecast(days, time.Time{}, left, at); burned.PerDay <= f.PerDay {
			t.Fatalf("50 units more today: %v a day, before %v", burned.PerDay, f.PerDay)
		}
	})
}

func sampleBudget() report.Budget {
	tally := quota.Tally{Attempts: 9, Spent: 8, Refunded: 1, Unknown: 1, Refused: 1, Failed: 1, Repeated: 2, Retried: 2, Again: 1, Answers: 2}
	days := spentDaily(2, 0, 6)
	days[0].Granted, days[0].Corrected, days[0].Left, days[2].Left = 1000, 37, 957, 955
	days = append(days[:1], days[2])
	return report.NewBudget(quota.Status{
		LedgerID: "LEDGER", Seq: 41, Allowance: "sandbox", Granted: 1000, Spent: 45, Unknown: 1, Held: 5, Available: 950, Floor: 100, Usable: 850,
		Warnings: []string{"run R is dead"},
	}, quota.Statement{
		Total: tally, Days: days, Begun: now.AddDate(0, 0, -2), From: now.AddDate(0, 0, -29).Truncate(24 * time.Hour),
		Lately:    quota.Group{Runs: 4, Replayed: 1320, Saved: 28, Tally: tally},
		SuiteDays: map[string][]quota.Day{"nightly": {{Start: days[1].Start, Tally: quota.Tally{Spent: 6}, Blocked: 3}}},
		Suites:    []quota.Group{{Name: "nightly", Runs: 3, Tally: quota.Tally{Attempts: 7, Spent: 6, Refused: 1}}, {Name: "pull|request", Runs: 1, Tally: quota.Tally{Attempts: 2, Spent: 2}}},
		Branches:  []quota.Group{{Name: "main", Runs: 4, Tally: tally}}, Actors: []quota.Group{{Runs: 4, Tally: tally}},
		Operations: []quota.Group{{Name: "POST /hscode/classify", Tally: tally}}, Tests: []quota.Group{{Name: "TestShop", Tally: tally}},
		Runs: 4, Replayed: 30, Missed: 1, Saved: 28, Recent: map[string][]int64{"nightly": {3, 2, 1}, "pull|request": {2}, "free": {0}},
		Blocked: []quota.Blocked{{Rule: "usable", Times: 2, Units: 4000, Last: now, Suite: "nightly"}, {Rule: "max_per_run", Budget: 2, Times: 1, Units: 30, Last: now, Suite: "nightly"}},
		Changes: []quota.Entry{
			{Seq: 1, Time: now.AddDate(0, 0, -2), Kind: quota.KindGrant, Units: 1000, ID: "init", Floor: 100, Note: "initial grant"},
			{Seq: 2, Time: now.AddDate(0, 0, -2), Kind: quota.KindReconcile, Units: 37, ID: "init", Note: "spent before this ledger"},
		},
	}, now)
}

// TestChangeOfTheFloorSaysIt: a change of the floor is an entry that grants nothing, and
// +0 says nothing to who reads it.
func TestChangeOfTheFloorSaysIt(t *testing.T) {
	b := sampleBudget()
	b.Changes = append(b.Changes, quota.Entry{Time: now, Kind: quota.KindGrant, Floor: 20, Note: "for releases"}, quota.Entry{Time: now, Kind: quota.KindGrant})
	var text strings.Builder
	require.NoError(t, report.BudgetText(&text, b, report.BySuite))
	assert.Regexp(t, `grant +\+0 +floor 20: for releases\n`, text.String())
	assert.Regexp(t, `grant +\+0 +floor 0\n`, text.String())
	assert.Regexp(t, `grant +\+1000 +initial grant\n`, text.String())
}

// TestLongTextsOfABudget: a row that somebody wrote past the ledger's limits may have texts of
// any length, of which the beginning is for people; JSON has them whole.
func TestLongTextsOfABudget(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	b := sampleBudget()
	b.Changes = []quota.Entry{{Time: now, Kind: quota.KindGrant, Note: long}}
	b.Warnings, b.Blocked[0].Suite, b.Suites[0].Name = []string{long}, long, long
	var text, data strings.Builder
	require.NoError(t, report.BudgetText(&text, b, report.BySuite))
	require.NoError(t, report.BudgetMarkdown(&text, b, report.BySuite))
	assert.Greater(t, strings.Count(text.String(), "xxx… (1048576 bytes)"), 3)
	assert.Less(t, text.Len(), 100_000)
	require.NoError(t, report.BudgetJSON(&data, b))
	assert.Contains(t, data.String(), `"`+long+`"`)
}

func TestBudgetFigures(t *testing.T) {
	b := sampleBudget()
	assert.Equal(t, [8]int64{1000, 45, 1, 5, 950, 100, 850, 850}, [8]int64{b.Granted, b.Spent, b.Unknown, b.Held, b.Available, b.Floor, b.Usable, b.Left})
	assert.EqualValues(t, 5, b.Wasted, "unknown, refused, failed and repeated; retries are among them, what was bought again on purpose is not")
	require.Len(t, b.Days, 3, "the day without a spend is there too")
	assert.EqualValues(t, []int64{957, 957, 850}, []int64{b.Days[0].Left, b.Days[1].Left, b.Days[2].Left})
	assert.Equal(t, report.NewForecast(b.Days, b.Begun, 850, now), b.Forecast, "what is left: not the floor")

	require.Len(t, b.RunsLeft, 2, "a suite that spends nothing has no end of runs")
	assert.Equal(t, "nightly", b.RunsLeft[0].Suite)
	assert.InDelta(t, 2.09, b.RunsLeft[0].PerRun, 0.01, "the newer ones weigh more than the mean of 2")
	assert.Equal(t, [2]int64{406, 283}, [2]int64{b.RunsLeft[0].Left, b.RunsLeft[0].AtLeast})
	assert.Equal(t, report.RunsLeft{Suite: "pull|request", PerRun: 2, Left: 425, AtLeast: 425}, b.RunsLeft[1])
}

func TestBudgetSinceDoesNotMoveTheForecast(t *testing.T) {
	all := spentDaily(2, 4, 6, 8, 10, 12, 14, 16, 18)
	since := now.AddDate(0, 0, -1).Truncate(24 * time.Hour)
	b := report.NewBudget(quota.Status{Available: 510, Floor: 500, Usable: 10}, quota.Statement{Since: since, Days: all}, now)
	assert.Equal(t, report.NewForecast(all, time.Time{}, 10, now), b.Forecast)
	require.Len(t, b.Days, 2)
	assert.Equal(t, since, b.Days[0].Start)
}

func TestBudgetWithoutASpend(t *testing.T) {
	b := report.NewBudget(quota.Status{Granted: 10, Available: 10, Usable: 10}, quota.Statement{}, now)
	assert.NotNil(t, b.Days)
	assert.NotNil(t, b.RunsLeft)
	assert.Empty(t, b.Forecast.RunsOut)
}

func TestBudgetGoldenFormats(t *testing.T) {
	b := sampleBudget()
	for name, write := range map[string]func(io.Writer) error{
		"budget.txt":  func(w io.Writer) error { return report.BudgetText(w, b, report.BySuite) },
		"budget.md":   func(w io.Writer) error { return report.BudgetMarkdown(w, b, report.BySuite) },
		"budget.csv":  func(w io.Writer) error { return report.BudgetCSV(w, b, report.BySuite) },
		"budget.json": func(w io.Writer) error { return report.BudgetJSON(w, b) },
	} {
		var out bytes.Buffer
		require.NoError(t, write(&out))
		file := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(file, out.Bytes(), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err, "make it with: go test ./internal/report -run TestBudgetGoldenFormats -update")
		assert.Equal(t, string(want), out.String(), name)
	}
}

func TestBudgetTextIsNoCommand(t *testing.T) {
	b := sampleBudget()
	b.Suites = []quota.Group{{Name: "a\x1b[2J|b\n", Tally: quota.Tally{Spent: 1}}}
	var out bytes.Buffer
	require.NoError(t, report.BudgetText(&out, b, report.BySuite))
	assert.NotContains(t, out.String(), "\x1b")
	b.Suites[0].Name = "=cmd()"
	out.Reset()
	require.NoError(t, report.BudgetCSV(&out, b, report.BySuite))
	assert.Contains(t, out.String(), "\n'=cmd(),", "no formula of a spreadsheet")
	assert.ErrorContains(t, report.BudgetText(full{}, b, report.BySuite), "disk full")
	assert.ErrorContains(t, report.BudgetMarkdown(full{}, b, report.BySuite), "disk full")
	assert.ErrorContains(t, report.BudgetCSV(full{}, b, report.BySuite), "disk full")
}

// TestNextIsPossible: what a report asks for is what helps.
func TestNextIsPossible(t *testing.T) {
	next := func(s quota.Status) report.Decision { return report.NewBudget(s, quota.Statement{}, now).Next() }
	assert.Equal(t, "Ask the service for more.", next(quota.Status{Granted: 100, Spent: 100}).Text)
	assert.Equal(t, "Ask the service for more: the floor keeps the last 50 units back.", next(quota.Status{Granted: 100, Spent: 50, Floor: 60, Available: 50, Usable: -10}).Text)
	assert.Equal(t, "Ask the service for more, or wait until runs give back what they hold.", next(quota.Status{Granted: 100, Held: 100}).Text)

	const reconcile = "hsharness quota reconcile --observed N --note WHY"
	assert.Equal(t, reconcile, next(quota.Status{Granted: 100, Exhausted: true}).Command)
	for reason, want := range map[quota.BarReason]string{
		quota.Moved: "hsharness quota status", quota.Copying: "hsharness quota status", quota.Arriving: "hsharness quota status", quota.Imported: reconcile,
	} {
		barred := quota.Status{Granted: 100, Available: 100, Usable: 100, Exhausted: true, Bar: quota.Bar{Reason: reason, ID: "1", From: "sqlite:old.db", To: "sqlite:new.db"}}
		assert.Equal(t, want, next(barred).Command, "no other reconciliation opens it: %s", reason)
		assert.Contains(t, report.Standing(barred, now), "No run may spend any of it: "+barred.Bar.String()+".")
	}
}

// TestTheTimeThatIsSaidIsTheTimeThatIsCounted: 30 days with today, since the ledger began where
// that is later, or since what was asked for, to the minute.
func TestTheTimeThatIsSaidIsTheTimeThatIsCounted(t *testing.T) {
	t.Parallel()
	bought := func(begun, since, from time.Time) string {
		b := report.NewBudget(quota.Status{Granted: 9}, quota.Statement{Begun: begun, Since: since, From: from, Lately: quota.Group{Tally: quota.Tally{Answers: 4}}, Earlier: quota.Group{Replayed: 1}}, now)
		return b.Answers()[2].Text + b.Answers()[3].Text
	}
	from, old := now.Truncate(24*time.Hour).AddDate(0, 0, -29), now.AddDate(-1, 0, 0)
	assert.Contains(t, bought(old, time.Time{}, from), "The last 30 days bought 4 new answers and saved 0 requests; as long before that: 0 and 1.")
	assert.Contains(t, bought(from.Add(time.Hour), time.Time{}, from), "This ledger bought 4 new answers")
	day := now.Truncate(24 * time.Hour)
	assert.Contains(t, bought(old, day, day), "The time since 25 November bought 4 new answers")
	assert.Contains(t, bought(old, day, day), "Nobody spent anything since 25 November.")
	half := now.Add(-12*time.Hour + 7*time.Minute)
	assert.Contains(t, bought(old, half, half), "The time since 25 November, 00:07 UTC bought 4 new answers")
}

// TestNextCountsWholeDays: the command beside the sentence looks at the days that it counted.
func TestNextCountsWholeDays(t *testing.T) {
	since := now.AddDate(0, 0, -3)
	b := report.NewBudget(quota.Status{Granted: 100, Available: 100, Usable: 100}, quota.Statement{
		Begun: now.AddDate(0, 0, -40), Since: since, From: since,
		SuiteDays: map[string][]quota.Day{"nightly": {{Start: since.Truncate(24 * time.Hour), Blocked: 2}}},
	}, now)
	assert.Equal(t, report.Decision{
		Text: "Suite nightly asks for more than it gets: blocked 2 times.", Command: "hsharness quota history --kind block --suite nightly --since 2026-11-22",
	}, b.Next())
}

func TestBudgetBy(t *testing.T) {
	b := sampleBudget()
	b.Keys, b.Requests = b.Actors, b.Actors
	for _, d := range report.Dimensions() {
		assert.NotEmpty(t, b.By(d), d)
	}
	assert.Equal(t, "2026-11-23", b.By(report.ByDay)[0].Name)
}
