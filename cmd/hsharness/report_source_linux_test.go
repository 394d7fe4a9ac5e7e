package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// oddNames are names that a shell, a table or a sentence could trip over.
var oddNames = []string{
	"", "nightly", strings.Repeat("long name ", 20), "לילה טוב (3)", "عربي 12", "🧪 emoji", "it's $HOME `x` \"q\"", "--suite", "line\nbreak\tand \x1b[2J", "@somebody | *b* <i>",
}

// oddLedger is one whose runs, tests and operations have such names.
func oddLedger(t *testing.T, file string) quota.Store {
	t.Helper()
	ctx := t.Context()
	now := time.Now().Add(-20 * 24 * time.Hour).UTC()
	store, err := sqlite.Init(ctx, sqlite.Config{Path: file, Now: func() time.Time { return now }}, quota.InitSpec{Granted: 1000, SpentBefore: 37, Floor: 100})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	for i, name := range oddNames {
		mode, event := "record", "push"
		if i%3 == 2 {
			mode, event = "live", "gateway"
		}
		run := fmt.Sprintf("run %d", i)
		_, err := store.Begin(ctx, quota.RunSpec{ID: run, Mode: mode, Max: 20, Attribution: quota.Attribution{Suite: name, Branch: name, Actor: name, Event: event}}, nil)
		require.NoError(t, err)
		for n, end := range []quota.Settlement{
			{Outcome: quota.Answered, Status: 200}, {Outcome: quota.Answered, Status: 200}, {Outcome: quota.Answered, Status: 404}, {Outcome: quota.Answered, Status: 503},
			{Outcome: quota.Unknown}, {Outcome: quota.Refunded, Proof: quota.NoConnection}, {},
		} {
			end.Spend = fmt.Sprintf("%s/%d", run, n)
			_, err := store.Spend(ctx, quota.SpendSpec{ID: end.Spend, Run: run, Units: int64(1 + (i+n)%2), Operation: "POST /" + name, Test: name, RequestKey: fmt.Sprint("key ", n*i%4)})
			require.NoError(t, err)
			if end.Outcome != "" {
				require.NoError(t, store.Settle(ctx, end))
			}
		}
		if i%2 == 0 {
			_, err = store.End(ctx, run, quota.Counters{Replayed: 3, WouldSpend: 4})
			require.NoError(t, err)
		}
		_, err = store.Begin(ctx, quota.RunSpec{ID: run + " too much", Max: 5000, Attribution: quota.Attribution{Suite: name}}, []quota.Rule{{MaxPerRun: 9}})
		require.ErrorIs(t, err, quota.ErrBlocked)
		now = now.Add(47 * time.Hour)
	}
	_, err = store.Grant(ctx, quota.GrantSpec{ID: "more", Units: 7, Floor: nil})
	require.NoError(t, err)
	return store
}

// words are those of a command as a shell reads them.
func words(t *testing.T, command string) []string {
	t.Helper()
	out, err := exec.Command("bash", "-c", `set -- `+command+`; printf '%s\0' "$@"`).Output()
	require.NoError(t, err, command)
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return n
}

var inAll = regexp.MustCompile(`(?m)^in all (\d+) entr(?:y|ies): granted (-?\d+), spent (-?\d+), refused (\d+)$`)

// TestReportSaysWhereItsFiguresComeFrom types each command that stands beside a figure,
// and finds that figure.
func TestReportSaysWhereItsFiguresComeFrom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ledger.db")
	store := oddLedger(t, file)
	for _, since := range []time.Time{{}, time.Now().Add(-9*24*time.Hour - 3*time.Second)} {
		statement, err := store.Statement(t.Context(), since)
		require.NoError(t, err)
		status, err := store.Status(t.Context())
		require.NoError(t, err)
		b := report.NewBudget(status, statement, time.Now())
		require.NoError(t, listing.Requests(t.Context(), store, &b))
		require.Len(t, b.Requests, 4)
		assert.Equal(t, b.Total.Spent, b.Requests[0].Spent+b.Requests[1].Spent+b.Requests[2].Spent+b.Requests[3].Spent)

		typed := 0
		says := func(command string) (entries, granted, spent, refused int64) {
			t.Helper()
			args := words(t, command)
			require.Equal(t, "hsharness", args[0])
			code, stdout, stderr := execute(t, nil, append(args[1:], "--ledger", "sqlite:"+file)...)
			require.Equal(t, exitOK, code, "%s: %s", command, stderr)
			if args[2] != "history" {
				return 0, 0, 0, 0
			}
			typed++
			m := inAll.FindStringSubmatch(stdout)
			require.NotNil(t, m, "%s: %s", command, stdout)
			var n [4]int64
			for i := range n {
				n[i], err = strconv.ParseInt(m[i+1], 10, 64)
				require.NoError(t, err)
			}
			return n[0], n[1], n[2], n[3]
		}
		for _, f := range b.Figures() {
			_, granted, spent, _ := says(f.Source)
			switch f.Name {
			case "granted":
				assert.Equal(t, f.Units, granted)
			case "spent":
				assert.Equal(t, f.Units, spent)
			}
		}
		for _, by := range report.Dimensions() {
			for _, g := range b.By(by) {
				_, _, spent, _ := says(b.Source(by, g.Name))
				assert.Equal(t, g.Spent, spent, "by %s: %q: %s", by, g.Name, b.Source(by, g.Name))
			}
		}
		require.NotEmpty(t, b.Waste)
		for _, w := range b.Waste {
			_, _, spent, _ := says(w.Source)
			assert.Equal(t, w.Units, spent, w.Source)
		}
		suites := map[string]bool{}
		for _, r := range b.Blocked {
			suites[r.Suite] = true
		}
		assert.Len(t, suites, len(b.SuiteDays), "each was blocked, and it says why")
		for _, r := range b.Blocked {
			times, _, _, refused := says(b.BlockedSource(r))
			assert.Equal(t, [2]int64{r.Times, r.Units}, [2]int64{times, refused}, b.BlockedSource(r))
		}
		for _, a := range b.Answers() {
			if strings.Contains(a.Command, " N ") {
				continue // somebody has to fill it in
			}
			entries, _, spent, _ := says(a.Command)
			switch a.ID {
			case "until":
				assert.Equal(t, b.Forecast.Spent, spent, a.Command)
			case "bought":
				assert.Equal(t, b.Lately.Answers, entries, a.Command)
			}
		}
		assert.Greater(t, typed, 40)
	}
}
