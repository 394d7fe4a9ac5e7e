package report_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
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

func TestForecastOfASteadyBurn(t *testing.T) {
	days := spentDaily(5, 10, 10, 10, 10, 10, 10, 10, 10, 10) // half of today has passed
	f := report.NewForecast(days, 200, now)
	assert.InDelta(t, 10, f.PerDay, 1e-9)
	assert.Equal(t, "2026-12-15", f.RunsOut)
	assert.Less(t, f.Low, 10.0, "chance has its share")
	assert.Greater(t, f.High, 10.0)
}

func TestForecastWeighsRecentDaysMore(t *testing.T) {
	rising := report.NewForecast(spentDaily(20, 20, 20, 20, 0, 0, 0, 0), 1000, now)
	falling := report.NewForecast(spentDaily(0, 0, 0, 0, 20, 20, 20, 20), 1000, now)
	assert.Greater(t, rising.PerDay, 10.0)
	assert.Less(t, falling.PerDay, 10.0)
	// A week ago weighs half: one day of 30 now, seven days ago one of 30.
	weekAgo := report.NewForecast(spentDaily(0, 0, 0, 0, 0, 0, 0, 30), 1000, now).PerDay
	today := report.NewForecast(spentDaily(30, 0, 0, 0, 0, 0, 0, 0), 1000, now).PerDay
	assert.InDelta(t, 2, today/weekAgo, 1e-9)
}

func TestForecastIsWiderWhereDaysDiffer(t *testing.T) {
	even := report.NewForecast(spentDaily(5, 10, 10, 10, 10, 10, 10, 10), 1000, now)
	uneven := report.NewForecast(spentDaily(5, 40, 0, 0, 40, 0, 0, 10), 1000, now)
	assert.Greater(t, uneven.High-uneven.Low, even.High-even.Low)
}

func TestForecastOfAnHour(t *testing.T) {
	f := report.NewForecast(spentDaily(6), 60, now.Add(-11*time.Hour))
	assert.InDelta(t, 6, f.PerDay, 1e-9, "an hour is not extrapolated to a day")
}

func TestForecastOfNothing(t *testing.T) {
	assert.Zero(t, report.NewForecast(nil, 100, now))
	assert.Empty(t, report.NewForecast(spentDaily(0, 0, 0), 100, now).RunsOut)
	assert.Equal(t, "2026-11-25", report.NewForecast(spentDaily(1), 0, now).RunsOut, "it is gone today")
	assert.Equal(t, "2026-11-25", report.NewForecast(spentDaily(1), -5, now).RunsOut)
	assert.Empty(t, report.NewForecast(spentDaily(1), 1_000_000_000, now).RunsOut, "more than a century")
}

func TestForecastForgets(t *testing.T) {
	days := append([]quota.Day{{Start: now.AddDate(-2, 0, 0).Truncate(24 * time.Hour), Tally: quota.Tally{Spent: 1_000_000_000}}}, spentDaily(5, 10)...)
	assert.Less(t, report.NewForecast(days, 100, now).PerDay, 10.0)
}

func TestForecastProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SliceOfN(rapid.Int64Range(0, 1000), 1, 120).Draw(t, "units")
		usable := rapid.Int64Range(0, 100_000).Draw(t, "usable")
		at := now.Add(time.Duration(rapid.IntRange(0, 11*60).Draw(t, "minutes")) * time.Minute)
		days := spentDaily(units...)
		f := report.NewForecast(days, usable, at)
		if f.Low > f.PerDay || f.PerDay > f.High || f.Low < 0 {
			t.Fatalf("%v is not within %v to %v", f.PerDay, f.Low, f.High)
		}
		if f.Earliest > f.RunsOut && f.RunsOut != "" || f.RunsOut > f.Latest && f.Latest != "" {
			t.Fatalf("%s is not within %s to %s", f.RunsOut, f.Earliest, f.Latest)
		}
		more := report.NewForecast(days, usable+1000, at)
		if more.RunsOut < f.RunsOut && more.RunsOut != "" {
			t.Fatalf("more lasts until %s, less until %s", more.RunsOut, f.RunsOut)
		}
		days[len(days)-1].Spent += 50
		if burned := report.NewForecast(days, usable, at); burned.PerDay <= f.PerDay {
			t.Fatalf("50 units more today: %v a day, before %v", burned.PerDay, f.PerDay)
		}
	})
}

func sampleBudget() report.Budget {
	tally := quota.Tally{Attempts: 9, Spent: 8, Refunded: 1, Unknown: 1, Refused: 1, Failed: 1, Repeated: 2, Retried: 2}
	days := spentDaily(2, 0, 6)
	days[0].Granted, days[0].Corrected, days[0].Left, days[2].Left = 1000, 37, 957, 955
	days = append(days[:1], days[2])
	return report.NewBudget(quota.Status{
		LedgerID: "LEDGER", Seq: 41, Allowance: "sandbox", Granted: 1000, Spent: 45, Unknown: 1, Held: 5, Available: 950, Floor: 100, Usable: 850,
		Warnings: []string{"run R is dead"},
	}, quota.Statement{
		Total: tally, Days: days,
		Suites:   []quota.Group{{Name: "nightly", Runs: 3, Tally: quota.Tally{Attempts: 7, Spent: 6, Refused: 1}}, {Name: "pull|request", Runs: 1, Tally: quota.Tally{Attempts: 2, Spent: 2}}},
		Branches: []quota.Group{{Name: "main", Runs: 4, Tally: tally}}, Actors: []quota.Group{{Runs: 4, Tally: tally}},
		Operations: []quota.Group{{Name: "POST /hscode/classify", Tally: tally}}, Tests: []quota.Group{{Name: "TestShop", Tally: tally}},
		Runs: 4, Replayed: 30, Missed: 1, Saved: 28, Recent: map[string][]int64{"nightly": {3, 2, 1}, "pull|request": {2}, "free": {0}},
		Blocked: []quota.Blocked{{Rule: "usable", Times: 2, Units: 4000, Last: now, Suite: "nightly"}, {Rule: "max_per_run", Budget: 2, Times: 1, Units: 30, Last: now, Suite: "nightly"}},
		Changes: []quota.Entry{
			{Seq: 1, Time: now.AddDate(0, 0, -2), Kind: quota.KindGrant, Units: 1000, ID: "init", Floor: 100, Note: "initial grant"},
			{Seq: 2, Time: now.AddDate(0, 0, -2), Kind: quota.KindReconcile, Units: 37, ID: "init", Note: "spent before this ledger"},
		},
	}, now)
}

func TestBudgetFigures(t *testing.T) {
	b := sampleBudget()
	assert.Equal(t, [7]int64{1000, 45, 1, 5, 950, 100, 850}, [7]int64{b.Granted, b.Spent, b.Unknown, b.Held, b.Left, b.Floor, b.Usable})
	assert.EqualValues(t, 5, b.Wasted, "unknown, refused, failed and repeated; retries are among them")
	require.Len(t, b.Days, 3, "the day without a spend is there too")
	assert.EqualValues(t, []int64{957, 957, 955}, []int64{b.Days[0].Left, b.Days[1].Left, b.Days[2].Left})
	assert.Equal(t, report.NewForecast(b.Days, 850, now), b.Forecast, "what is usable: not the floor")

	require.Len(t, b.RunsLeft, 2, "a suite that spends nothing has no end of runs")
	assert.Equal(t, "nightly", b.RunsLeft[0].Suite)
	assert.InDelta(t, 2.09, b.RunsLeft[0].PerRun, 0.01, "the newer ones weigh more than the mean of 2")
	assert.Equal(t, [2]int64{406, 283}, [2]int64{b.RunsLeft[0].Left, b.RunsLeft[0].AtLeast})
	assert.Equal(t, report.RunsLeft{Suite: "pull|request", PerRun: 2, Left: 425, AtLeast: 425}, b.RunsLeft[1])
}

func TestBudgetSinceDoesNotMoveTheForecast(t *testing.T) {
	all := spentDaily(2, 4, 6, 8)
	since := now.AddDate(0, 0, -1).Truncate(24 * time.Hour)
	b := report.NewBudget(quota.Status{Usable: 10}, quota.Statement{Since: since, Days: all}, now)
	assert.Equal(t, report.NewForecast(all, 10, now), b.Forecast)
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

func TestBudgetBy(t *testing.T) {
	b := sampleBudget()
	for _, d := range report.Dimensions() {
		assert.NotEmpty(t, b.By(d), d)
	}
	assert.Equal(t, "2026-11-23", b.By(report.ByDay)[0].Name)
}
