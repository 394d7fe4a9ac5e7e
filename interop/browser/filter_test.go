package browser_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// counted are the figures of what is chosen, added up from the entries of the ledger alone:
// by table and name, spent and wasted, of the waste by cause, and of blocked runs.
type counted struct {
	groups                 map[string]map[string][2]int64
	waste                  map[string]int64
	spent, blocked, wanted int64
}

// count goes through the journal, and takes what is of a suite, nil for all, from a time on.
func count(t *testing.T, store quota.Store, suite *string, from time.Time) counted {
	t.Helper()
	c := counted{groups: map[string]map[string][2]int64{}, waste: map[string]int64{}}
	status := map[string]int{}
	runs, answered := map[string]quota.RunSpec{}, map[string]bool{}
	for e, err := range store.Entries(t.Context(), 0) {
		require.NoError(t, err)
		if e.Kind == quota.KindSettle {
			status[e.ID] = e.Status
		}
	}
	for e, err := range store.Entries(t.Context(), 0) {
		require.NoError(t, err)
		switch e.Kind {
		case quota.KindBegin:
			runs[e.Run] = *e.Spec
		case quota.KindBlock:
			if (suite == nil || e.Spec.Suite == *suite) && !e.Time.Before(from) {
				c.blocked, c.wanted = c.blocked+1, c.wanted+e.Spec.Max
			}
		case quota.KindSpend:
			cause := ""
			switch {
			case status[e.ID] >= 400:
				cause = "refused"
			case answered[e.RequestKey]:
				cause = "repeated"
			}
			answered[e.RequestKey] = answered[e.RequestKey] || status[e.ID] < 400
			run := runs[e.Run]
			if suite != nil && run.Suite != *suite || e.Time.Before(from) {
				continue
			}
			wasted := int64(0)
			if cause != "" {
				wasted = e.Units
				c.waste[cause] += e.Units
			}
			c.spent += e.Units
			for table, name := range map[string]string{
				"by-suite": run.Suite, "by-branch": run.Branch, "by-actor": run.Actor, "by-test": e.Test, "by-operation": e.Operation, "by-day": e.Time.Format(time.DateOnly),
			} {
				if c.groups[table] == nil {
					c.groups[table] = map[string][2]int64{}
				}
				sum := c.groups[table][name]
				c.groups[table][name] = [2]int64{sum[0] + e.Units, sum[1] + wasted}
			}
		}
	}
	return c
}

// chosen is what the page shows of each table, by the names of its visible rows.
func chosen(t *testing.T, ctx context.Context, table, figures string) map[string][]int64 {
	t.Helper()
	found := eval[map[string][]string](t, ctx, fmt.Sprintf(`Object.fromEntries([...document.querySelectorAll("#%s tbody tr")].filter((r) => r.checkVisibility()).map((r) => [r.cells[0].textContent, %s.map((n) => r.querySelector("[data-of=" + n + "]").textContent)]))`, table, figures))
	all := map[string][]int64{}
	for name, texts := range found {
		for _, text := range texts {
			n, err := strconv.ParseInt(text, 10, 64)
			require.NoError(t, err)
			all[name] = append(all[name], n)
		}
	}
	return all
}

// filtered is the page of a ledger with cells, in the browser.
func filtered(t *testing.T, ctx context.Context, store quota.Store, now time.Time) report.Budget {
	t.Helper()
	statement, journal, err := tally.Sum(t.Context(), store, time.Time{}, nil)
	require.NoError(t, err)
	b := report.NewBudget(statement.Status, statement, now).Spread(journal.Spread())
	do(t, ctx, chromedp.Navigate(written(t, b)))
	return b
}

func choose(t *testing.T, ctx context.Context, id, value string) {
	t.Helper()
	eval[any](t, ctx, fmt.Sprintf(`{ const s = document.getElementById(%q); s.value = %q; s.dispatchEvent(new Event("change", { bubbles: true })); null }`, id, value))
}

// TestFilteredPageIsTheLedgerFiltered chooses each suite and each time, and finds in all
// tables, figures and charts what the ledger's entries add up to, filtered by the same.
func TestFilteredPageIsTheLedgerFiltered(t *testing.T) {
	store, now := ledger(t)
	ctx := open(t)
	b := filtered(t, ctx, store, now)
	tables := []string{"by-suite", "by-branch", "by-actor", "by-test", "by-operation", "by-day"}
	for place := range len(b.Suites) + 1 {
		var suite *string
		choose(t, ctx, "suite", "")
		if place < len(b.Suites) {
			suite = &b.Suites[place].Name
			choose(t, ctx, "suite", strconv.Itoa(place))
		}
		for _, days := range []int{0, 1, 7, 30} {
			from, value := time.Time{}, ""
			if days > 0 {
				from, value = now.Truncate(24*time.Hour).AddDate(0, 0, 1-days), strconv.Itoa(days)
			}
			choose(t, ctx, "days", value)
			what := fmt.Sprintf("suite %d, %d days", place, days)
			want := count(t, store, suite, from)
			for _, table := range tables {
				got := map[string][2]int64{}
				for name, n := range chosen(t, ctx, table, `["spent", "wasted"]`) {
					if n[0] != 0 {
						got[name] = [2]int64{n[0], n[1]}
					}
				}
				assert.Equal(t, want.groups[table], got, "%s: %s", what, table)
			}
			waste := map[string]int64{}
			for cause, n := range chosen(t, ctx, "waste", `["units"]`) {
				waste[cause] = n[0]
			}
			assert.Equal(t, want.waste, waste, what)
			blocked := chosen(t, ctx, "blocked", `["times", "units"]`)
			if want.blocked == 0 {
				assert.Empty(t, blocked, what)
			} else {
				assert.Equal(t, [][]int64{{want.blocked, want.wanted}}, slices.Collect(maps.Values(blocked)), what)
			}
			wasted := strconv.FormatInt(want.waste["repeated"]+want.waste["refused"], 10)
			assert.Equal(t, wasted, eval[string](t, ctx, `document.querySelector("#wasted dd").textContent`), what)
			if place < len(b.Suites) || days > 0 {
				assert.Contains(t, eval[string](t, ctx, `document.getElementById("filtered").textContent`), fmt.Sprintf(": %d spent, %s of them wasted", want.spent, wasted), what)
			}
			drawn := eval[[]string](t, ctx, `[...document.querySelectorAll("#spent-by-suite svg text.end")].map((e) => e.textContent)`)
			sum := int64(0)
			for _, text := range drawn {
				n, err := strconv.ParseInt(text, 10, 64)
				require.NoError(t, err)
				sum += n
			}
			assert.Equal(t, want.spent, sum, "%s: the chart", what)
		}
	}
}

// shapes are where the bars of a chart are.
const shapes = `[...document.querySelectorAll("#%s svg :is(.useful, .again, .wasted, .track)")].map((e) => { const b = e.getBBox(); return [e.getAttribute("class"), ...[b.x, b.y, b.width, b.height].map(Math.round)].join(" ") }).sort().concat([...document.querySelectorAll("#%s svg text")].map((e) => e.textContent))`

// TestAllChosenIsTheWholePage: a choice that leaves nothing out shows what nothing chosen
// does, but for groups of blocked runs alone, and so does nothing chosen again.
func TestAllChosenIsTheWholePage(t *testing.T) {
	store, now := ledger(t)
	ctx := open(t)
	filtered(t, ctx, store, now)
	charts := []string{"per-day", "spent-by-suite", "spent-by-test", "savings"}
	look := func() (all []string) {
		for _, id := range charts {
			all = append(all, eval[[]string](t, ctx, fmt.Sprintf(shapes, id, id))...)
		}
		return append(all, eval[[]string](t, ctx, `[...document.querySelectorAll("tbody tr")].filter((r) => r.checkVisibility()).map((r) => r.textContent).filter((text) => !text.startsWith("none0")).sort()`)...)
	}
	whole := look()
	require.Greater(t, len(whole), 80)
	choose(t, ctx, "days", "90")
	assert.Equal(t, whole, look())
	choose(t, ctx, "suite", "0")
	assert.NotEqual(t, whole, look())
	assert.Contains(t, eval[string](t, ctx, `document.querySelector("#by-test + .each").textContent`), "--test NAME --suite 'pull requests'")
	choose(t, ctx, "days", "7")
	assert.Contains(t, eval[string](t, ctx, `document.querySelector("#by-test + .each").textContent`), "--test NAME --suite 'pull requests' --since 2026-11-19")
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	require.NoError(t, err)
	assert.Regexp(t, `^pull requests, 7 days: \d+ spent`, strings.TrimSpace(eval[string](t, ctx, `document.getElementById("filter").innerText`)), "paper says what was chosen")
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
	require.NoError(t, err)
	assert.True(t, eval[bool](t, ctx, `document.querySelector("#burn-down .veil").getBBox().width > 50`))
	assert.Less(t, len(eval[[]string](t, ctx, `[...document.querySelectorAll("#changes tbody tr")].filter((r) => r.checkVisibility()).map((r) => r.textContent)`)), 2)
	choose(t, ctx, "suite", "")
	choose(t, ctx, "days", "")
	assert.Equal(t, whole, look())
	assert.Empty(t, eval[string](t, ctx, `document.getElementById("filtered").textContent`))
	assert.NotContains(t, eval[string](t, ctx, `document.querySelector("#by-test + .each").textContent`), "--suite")
}

// TestAChartIsOfWhatIsChosen or is hidden: tests that have no row are a bar together, and
// those of a table that stays whole have none.
func TestAChartIsOfWhatIsChosen(t *testing.T) {
	store, now := ledger(t)
	ctx := open(t)
	b := filtered(t, ctx, store, now)
	place := slices.IndexFunc(b.Suites, func(g quota.Group) bool { return g.Name == "pull requests" })
	cheap := b.Tests
	b.Tests = nil
	for n := range 500 {
		name := fmt.Sprintf("TestDear%d", n)
		b.Tests = append(b.Tests, quota.Group{Name: name, Tally: quota.Tally{Spent: 900}})
		b.Cells.Tests = append(b.Cells.Tests, tally.Cell{Name: name, Suite: "nightly", Bands: [tally.Bands]tally.Sums{{Spent: 900}}})
	}
	b.Tests = append(b.Tests, cheap...)
	const texts = `[...document.querySelectorAll("#spent-by-test svg text")].map((e) => e.textContent)`
	const there = `document.getElementById("spent-by-test").checkVisibility()`

	do(t, ctx, chromedp.Navigate(written(t, b)))
	choose(t, ctx, "suite", strconv.Itoa(place))
	assert.Equal(t, []string{fmt.Sprint(len(cheap), " more, in the CSV"), fmt.Sprint(b.Suites[place].Spent)}, eval[[]string](t, ctx, texts))

	b.Cells.Tests = nil
	do(t, ctx, chromedp.Navigate(written(t, b)))
	assert.True(t, eval[bool](t, ctx, there))
	choose(t, ctx, "suite", strconv.Itoa(place))
	assert.False(t, eval[bool](t, ctx, there))
	assert.True(t, eval[bool](t, ctx, `document.querySelector("#by-test + .unfiltered").checkVisibility()`))
	choose(t, ctx, "suite", "")
	assert.True(t, eval[bool](t, ctx, there))
}

// TestFilterByKeys chooses with a keyboard alone, and what came of it is said.
func TestFilterByKeys(t *testing.T) {
	store, now := ledger(t)
	ctx := open(t)
	b := filtered(t, ctx, store, now)
	do(t, ctx, chromedp.Focus(chromedp.CSS("#suite")), chromedp.KeyEvent("p"))
	assert.Equal(t, "pull requests", eval[string](t, ctx, `document.getElementById("suite").selectedOptions[0].textContent`))
	spent := b.Suites[slices.IndexFunc(b.Suites, func(g quota.Group) bool { return g.Name == "pull requests" })].Spent
	assert.Contains(t, eval[string](t, ctx, `document.querySelector("output[for='suite days']").textContent`), fmt.Sprint(spent, " spent"))
	keepsNobodyOut(t, ctx, axe(t), "filtered")
}
