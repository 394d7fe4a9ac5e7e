package browser_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// ledger has three weeks of three suites in it, and is at the noon of its last
// day.
func ledger(t *testing.T) (store quota.Store, now time.Time) {
	t.Helper()
	ctx := t.Context()
	now = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Init(ctx, sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return now }},
		quota.InitSpec{Account: "account", Granted: 1000, SpentBefore: 37, Floor: 100})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	for n := range 21 {
		for s, suite := range []string{"nightly", "pull requests", "release <candidates>"} {
			run := fmt.Sprintf("%s %d", suite, n)
			_, err := store.Begin(ctx, quota.RunSpec{ID: run, Mode: "record", Max: 20, Attribution: quota.Attribution{
				Suite: suite, Branch: []string{"main", "fix/duty", "release/2"}[s], Actor: []string{"ann", "ben"}[n%2],
			}, Process: quota.ThisProcess()}, nil)
			require.NoError(t, err)
			for i := range (n*(s+2))%11 + 2 - s/2 {
				spend(t, store, run, i, n)
			}
			_, err = store.End(ctx, run, quota.Counters{Requests: 30, Replayed: 20, WouldSpend: 20})
			require.NoError(t, err)
		}
		now = now.AddDate(0, 0, 1)
	}
	now = now.AddDate(0, 0, -1)
	_, err = store.Begin(ctx, quota.RunSpec{ID: "much", Max: 5000, Attribution: quota.Attribution{Suite: "nightly"}}, nil)
	require.ErrorIs(t, err, quota.ErrBlocked)
	_, err = store.Reconcile(ctx, quota.ReconcileSpec{ID: "page", Observed: 420, Note: "usage page"})
	require.NoError(t, err)
	return store, now
}

func spend(t *testing.T, store quota.Store, run string, i, day int) {
	t.Helper()
	id := fmt.Sprintf("%s/%d", run, i)
	key := id
	if i == 1 {
		key = fmt.Sprint(day / 2) // bought by another run already
	}
	_, err := store.Spend(t.Context(), quota.SpendSpec{
		ID: id, Run: run, Units: 1, Operation: "POST /hscode/classify", RequestKey: key, Test: fmt.Sprintf("TestGoods%d", i),
	})
	require.NoError(t, err)
	settled := quota.Settlement{Spend: id, Outcome: quota.Answered, Status: 200}
	if i == 3 {
		settled.Status = 429
	}
	require.NoError(t, store.Settle(t.Context(), settled))
}

// column is the texts of a column of a table.
func column(t *testing.T, ctx context.Context, table string, n int) []string {
	t.Helper()
	return eval[[]string](t, ctx, fmt.Sprintf(`[...document.querySelectorAll("#%s tbody tr")].map((row) => row.cells[%d].textContent)`, table, n))
}

func TestReport(t *testing.T) {
	store, now := ledger(t)
	status, err := store.Status(t.Context())
	require.NoError(t, err)
	statement, err := store.Statement(t.Context(), time.Time{})
	require.NoError(t, err)
	var html bytes.Buffer
	require.NoError(t, pages.Budget(&html, report.NewBudget(status, statement, now)))
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, html.Bytes(), 0o600))

	ctx := open(t)
	do(t, ctx, chromedp.Navigate("file://"+file), chromedp.WaitVisible(chromedp.CSS("svg")))

	// The figures are those of the ledger.
	for id, want := range map[string]int64{
		"granted": status.Granted, "spent": status.Spent, "held": status.Held, "left": max(status.Usable, 0), "floor": status.Floor,
		"wasted": statement.Total.Wasted(), "saved": statement.Saved,
	} {
		assert.Equal(t, strconv.FormatInt(want, 10), eval[string](t, ctx, fmt.Sprintf(`document.querySelector("#%s dd").textContent`, id)), id)
	}
	var names, spent []string
	sum := int64(0)
	for _, g := range statement.Suites {
		names, spent = append(names, g.Name), append(spent, strconv.FormatInt(g.Spent, 10))
		sum += g.Spent
	}
	assert.Equal(t, names, column(t, ctx, "by-suite", 0), "a name with markup in it is a name")
	assert.Equal(t, spent, column(t, ctx, "by-suite", 2))
	corrected := int64(0)
	for _, d := range statement.Days {
		corrected += d.Corrected
	}
	assert.Equal(t, status.Spent, sum+corrected, "the groups and the corrections are all that was spent")

	// The charts are drawn, and say what they show.
	assert.Equal(t, 5, eval[int](t, ctx, `document.querySelectorAll("figure > svg[role=img] > title").length`))
	assert.Positive(t, eval[float64](t, ctx, `document.querySelector("svg").getBoundingClientRect().height`))
	// A click sorts by number, another one the other way; a key does too.
	click := chromedp.Click(chromedp.CSS(`#by-test th:nth-child(3) button`), chromedp.NodeVisible)
	do(t, ctx, click)
	down := numbers(t, column(t, ctx, "by-test", 2))
	do(t, ctx, chromedp.Focus(chromedp.CSS(`#by-test th:nth-child(3) button`)), chromedp.KeyEvent("\r"))
	up := numbers(t, column(t, ctx, "by-test", 2))
	require.Greater(t, len(up), 9)
	assert.IsNonIncreasing(t, down)
	assert.IsNonDecreasing(t, up)
	assert.Equal(t, "ascending", eval[string](t, ctx, `document.querySelector("#by-test th:nth-child(3)").ariaSort`))
	assert.Equal(t, 1, eval[int](t, ctx, `document.querySelectorAll("#by-test th[aria-sort]").length`))

	// It is readable in the dark, and on a phone.
	ink := `getComputedStyle(document.querySelector("svg text")).fill`
	light := eval[string](t, ctx, ink)
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	require.NoError(t, err)
	assert.NotEqual(t, light, eval[string](t, ctx, ink))
	do(t, ctx, chromedp.EmulateViewport(360, 800))
	assert.LessOrEqual(t, eval[int](t, ctx, `document.documentElement.scrollWidth`), 360, "nothing sticks out")
}

func numbers(t *testing.T, texts []string) []int {
	t.Helper()
	var all []int
	for _, text := range texts {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		all = append(all, n)
	}
	return all
}
