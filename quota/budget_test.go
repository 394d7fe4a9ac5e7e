package quota_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

func TestMatchGlobs(t *testing.T) {
	for _, row := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything", true},
		{"main", "main", true},
		{"main", "mainline", false},
		{"release/*", "release/1.2", true},
		{"release/*", "release/1/2", true},
		{"release/*", "release", false},
		{"*", "", true},
		{"?", "", false},
		{"v?.*", "v1.2", true},
		{"v?.*", "v12.2", false},
		{"*-*-x", "a-b-c-x", true},
		{"*-*-x", "a-x", false},
		{"ü*", "über", true},
		{"main", "", false},
	} {
		got := quota.Match{Suite: row.pattern}.Matches(quota.Attribution{Suite: row.text})
		assert.Equal(t, row.want, got, "glob %q of %q", row.pattern, row.text)
	}
}

func FuzzMatchGlobs(f *testing.F) {
	f.Add("release/*", "release/1.2")
	f.Add("*a*b?", "xaybz")
	f.Fuzz(func(t *testing.T, pattern, branch string) {
		matches := func(p string) bool { return quota.Match{Suite: p}.Matches(quota.Attribution{Suite: branch}) }
		if !matches("*") || !matches("*"+strings.Repeat("?", len([]rune(branch)))) {
			t.Errorf("stars and marks don't match %q", branch)
		}
		if !strings.ContainsAny(pattern, "*?") && pattern != "" && matches(pattern) != (string([]rune(pattern)) == string([]rune(branch))) {
			t.Errorf("%q without wildcards, of %q: %t", pattern, branch, matches(pattern))
		}
		if matches(pattern) && pattern != "" && !matches(pattern+"*") {
			t.Errorf("%q matches %q, %q does not", pattern, branch, pattern+"*")
		}
	})
}

// Covers is compared with what matches: a pattern that covers another one
// matches whatever that one does.
func TestMatchCovers(t *testing.T) {
	for _, row := range []struct {
		pattern, other string
		want           bool
	}{
		{"", "", true}, {"", "main", true}, {"*", "", true}, {"main", "", false}, {"main", "main", true}, {"main", "mainline", false},
		{"release/*", "release/1.*", true}, {"release/1.*", "release/*", false}, {"release/*", "release/1", true},
		{"?", "*", false}, {"v?.*", "v?.*", true}, {"v*", "v?", true}, {"**", "x*y", true}, {"*-x", "a*-x", true},
	} {
		got := quota.Match{Suite: row.pattern}.Covers(quota.Match{Suite: row.other})
		assert.Equal(t, row.want, got, "does %q cover %q", row.pattern, row.other)
	}
	assert.True(t, quota.Match{Branch: "main"}.Covers(quota.Match{Branch: "main", Actor: "a"}))
	for _, row := range []struct {
		pattern, other string
		want           bool
	}{
		{"", "", true}, {"", "tag:v1", true}, {"*", "main", true}, {"*", "tag:v1", true}, {"*", "", false}, {"*main", "tag:main", false}, {"t*", "tag:*", false},
		{"tag:*", "tag:v*", true}, {"tag:*", "*", false}, {"tag:*", "main", false},
	} {
		got := quota.Match{Branch: row.pattern}.Covers(quota.Match{Branch: row.other})
		assert.Equal(t, row.want, got, "does %q cover %q among branches", row.pattern, row.other)
	}
	assert.False(t, quota.Match{Branch: "main", Event: "push"}.Covers(quota.Match{Branch: "main"}), "it leaves other events out")
}

// Each rule of a project is compared with all before it: names are compared as they are.
func TestCoversOfNamesTakesNothing(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	one, other := quota.Match{Suite: strings.Repeat("a", 100)}, quota.Match{Suite: strings.Repeat("a", 100) + "b"}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = one.Covers(other) }))
}

func FuzzMatchCovers(f *testing.F) {
	f.Add("release/*", "release/1.*", "release/1.2")
	f.Add("?", "*", "ab")
	f.Fuzz(func(t *testing.T, pattern, other, text string) {
		a := quota.Attribution{Event: text}
		wide, narrow := quota.Match{Event: pattern}, quota.Match{Event: other}
		if wide.Covers(narrow) && narrow.Matches(a) && !wide.Matches(a) {
			t.Errorf("%q covers %q, but only the latter matches %q", pattern, other, text)
		}
	})
}

// An error of the store while a budget is looked up must never admit.
func TestAdmitFailsClosed(t *testing.T) {
	broken := errors.New("disk")
	_, err := quota.Admit(quota.RunSpec{ID: "a", Max: 1}, []quota.Rule{{MaxPerDay: 5}}, time.Now(), quota.Balances{Granted: 10},
		func(quota.Match, time.Time) (int64, error) { return 0, broken })
	require.ErrorIs(t, err, broken)
}

// A rule beside the others neither hides the first match nor is hidden by it,
// wherever it stands, and keeps the numbers of the others as they are.
func TestAdmitHoldsRulesBesideTheFirstMatch(t *testing.T) {
	who := quota.Attribution{Suite: "nightly", Actor: "shop"}
	budget := quota.Rule{Match: quota.Match{Suite: "nightly"}, MaxPerRun: 5}
	key := quota.Rule{Match: quota.Match{Actor: "shop"}, MaxTotal: 10, MayUseFloor: true, Beside: true}
	other := quota.Rule{Match: quota.Match{Actor: "other"}, MaxTotal: 1, Beside: true}
	used := func(m quota.Match, _ time.Time) (int64, error) {
		if m == key.Match {
			return 8, nil
		}
		return 0, nil
	}
	for name, tt := range map[string]struct {
		rules []quota.Rule
		max   int64
		want  []quota.Refusal
	}{
		"both refuse":       {[]quota.Rule{budget, key}, 6, []quota.Refusal{{Rule: "max_per_run", Budget: 1, Limit: 5}, {Rule: "max_total", Budget: 2, Limit: 10, Used: 8}}},
		"in either order":   {[]quota.Rule{key, budget}, 6, []quota.Refusal{{Rule: "max_total", Budget: 1, Limit: 10, Used: 8}, {Rule: "max_per_run", Budget: 2, Limit: 5}}},
		"the key's alone":   {[]quota.Rule{budget, other, key}, 3, []quota.Refusal{{Rule: "max_total", Budget: 3, Limit: 10, Used: 8}}},
		"it opens no floor": {[]quota.Rule{key}, 2, []quota.Refusal{{Rule: "usable", Limit: 1}}},
	} {
		balances := quota.Balances{Granted: 100}
		if name == "it opens no floor" {
			balances.Floor = 99
		}
		blocked, err := quota.Admit(quota.RunSpec{ID: "a", Max: tt.max, Attribution: who}, tt.rules, time.Now(), balances, used)
		require.NoError(t, err, name)
		require.NotNil(t, blocked, name)
		assert.Equal(t, tt.want, blocked.Refusals, name)
	}
}

// What permits goes by the branch that is trusted, what restricts by what is claimed,
// and tags are matched by tag: alone.
func TestMatchPermits(t *testing.T) {
	for _, row := range []struct {
		pattern, branch, trusted string
		matches, permits         bool
	}{
		{"", "main", "", true, true}, {"main", "main", "main", true, true}, {"main", "main", "", true, false}, {"*", "main", "main", true, true},
		{"*", "main", "", true, false}, {"*", "", "", true, false}, {"m*", "main", "", true, false}, {"main", "tag:main", "tag:main", false, false},
		{"*main", "tag:main", "tag:main", false, false}, {"*:*", "tag:main", "tag:main", false, false}, {"tag:main", "tag:main", "tag:main", true, true},
		{"tag:v*", "tag:v1", "tag:v1", true, true}, {"tag:v*", "tag:v1", "", true, false}, {"tag:v*", "v1", "v1", false, false}, {"*", "tag:v1", "tag:v1", true, true},
	} {
		m, a := quota.Match{Branch: row.pattern}, quota.Attribution{Branch: row.branch, Trusted: row.trusted}
		assert.Equal(t, row.matches, m.Matches(a), "%+v", row)
		blocked, err := quota.Admit(quota.RunSpec{ID: "a", Max: 1, Attribution: a}, []quota.Rule{{Match: m, MayUseFloor: true}}, time.Now(), quota.Balances{Granted: 1, Floor: 1}, nil)
		require.NoError(t, err)
		assert.Equal(t, row.permits, blocked == nil, "%+v", row)
	}
}

// A figure that no ledger can have was written by somebody else: nothing is admitted by it,
// nothing granted to it, and the status says so.
func TestFiguresThatCannotBe(t *testing.T) {
	most := int64(quota.MaxUnits)
	for what, b := range map[string]quota.Balances{
		"granted": {Granted: most + 1}, "spent": {Granted: most, Spent: most + 1}, "held": {Granted: most, Held: math.MaxInt64},
		"unknown": {Granted: most, Unknown: -1}, "floor": {Granted: most, Floor: math.MaxInt64},
	} {
		_, err := quota.Admit(quota.RunSpec{ID: "a", Max: 1}, nil, time.Now(), b, nil)
		require.ErrorIs(t, err, quota.ErrDamaged, what)
		assert.ErrorContains(t, err, what+": ")
		require.ErrorIs(t, b.Grantable(quota.GrantSpec{Units: 1}), quota.ErrDamaged, what)
		assert.Contains(t, quota.NewStatus(quota.Info{}, time.Now(), b, nil, 0).Warnings[0], "all runs are blocked: "+err.Error())
	}
	b := quota.Balances{Granted: most, Spent: most - 1, Unknown: most - 1}
	blocked, err := quota.Admit(quota.RunSpec{ID: "a", Max: 1}, nil, time.Now(), b, nil)
	require.NoError(t, err)
	assert.Nil(t, blocked)
	assert.Empty(t, quota.NewStatus(quota.Info{}, time.Now(), b, nil, 0).Warnings)
}

func TestBlockedErrorPrintsAll(t *testing.T) {
	until := time.Date(2026, 11, 23, 9, 0, 30, 0, time.UTC)
	err := &quota.BlockedError{
		Run: "b", Requested: 70, Granted: 100, Spent: 10, Held: 20, Floor: 5, Available: 70, Usable: 65,
		Refusals: []quota.Refusal{{Rule: "usable", Limit: 65}, {Rule: "max_per_day", Budget: 2, Limit: 20, Used: 15}},
		Holders: []quota.Holder{
			{ID: "a", Suite: "unit", Max: 30, Spent: 10, Alive: true, LeaseUntil: until},
			{ID: "z", Suite: "nightly", Max: 5, LeaseUntil: until},
		},
	}
	assert.Equal(t, `blocked: 70 requested, 65 usable (granted 100, spent 10, held 20, available 70, floor 5)
  refused by usable: 65 left
  refused by budget 2: max_per_day 20, 15 used
  held by run a: suite "unit", 20 of 30 left, alive, lease until 2026-11-23T09:00:30Z
  held by run z: suite "nightly", 5 of 5 left, dead, lease until 2026-11-23T09:00:30Z`, err.Error())
	assert.ErrorIs(t, err, quota.ErrBlocked)
}

// What runs used by a row that somebody else wrote is no sum to admit by: one unit more may
// wrap it, and it may have wrapped.
func TestUsageThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{math.MaxInt64, math.MinInt64, -2, quota.MaxUnits + 1} {
		for _, rule := range []quota.Rule{{MaxPerDay: 10}, {MaxTotal: 10}} {
			used := func(quota.Match, time.Time) (int64, error) { return n, nil }
			blocked, err := quota.Admit(quota.RunSpec{ID: "r", Max: 1}, []quota.Rule{rule}, time.Now(), quota.Balances{Granted: 100}, used)
			require.ErrorIs(t, err, quota.ErrDamaged)
			require.Nil(t, blocked)
		}
	}
}
