package quota_test

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// journal numbers entries and gives the begin its spec.
func journal(entries ...quota.Entry) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		for i, e := range entries {
			if e.Seq == 0 {
				e.Seq = int64(i + 1)
			}
			if e.Kind == quota.KindBegin && e.Units == 0 {
				e.Spec = &quota.RunSpec{ID: e.Run, Max: 10}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

var (
	granted  = quota.Entry{Kind: quota.KindGrant, Units: 20, ID: "init", Floor: 3}
	begun    = quota.Entry{Kind: quota.KindBegin, Run: "a"}
	held     = quota.Entry{Kind: quota.KindHold, Run: "a", Units: 10}
	spent    = quota.Entry{Kind: quota.KindSpend, Run: "a", Units: 4, ID: "s"}
	answered = quota.Entry{Kind: quota.KindSettle, Run: "a", Units: 4, ID: "s", Outcome: quota.Answered}
	unknown  = quota.Entry{Kind: quota.KindSettle, Run: "a", Units: 4, ID: "s", Outcome: quota.Unknown}
	refunded = quota.Entry{Kind: quota.KindRefund, Run: "a", Units: 4, ID: "s", Outcome: quota.Refunded}
	released = quota.Entry{Kind: quota.KindRelease, Run: "a", Units: 6}
	ended    = quota.Entry{Kind: quota.KindEnd, Run: "a"}
)

func TestAuditSums(t *testing.T) {
	for name, row := range map[string]struct {
		entries []quota.Entry
		want    quota.Balances
	}{
		"active":   {[]quota.Entry{granted, begun, held, spent}, quota.Balances{Granted: 20, Spent: 4, Held: 6, Floor: 3}},
		"refunded": {[]quota.Entry{granted, begun, held, spent, refunded}, quota.Balances{Granted: 20, Held: 10, Floor: 3}},
		"ended":    {[]quota.Entry{granted, begun, held, spent, unknown, released, ended}, quota.Balances{Granted: 20, Spent: 4, Unknown: 4, Floor: 3}},
		"late":     {[]quota.Entry{granted, begun, held, spent, unknown, released, ended, answered}, quota.Balances{Granted: 20, Spent: 4, Floor: 3}},
		"over": {[]quota.Entry{granted, begun, held, {Kind: quota.KindReconcile, Units: 30, ID: "r"}, spent},
			quota.Balances{Granted: 20, Spent: 34, Held: 6, Floor: 3}},
		"exhausted": {[]quota.Entry{granted, begun, {Kind: quota.KindExhaust, Run: "a"}}, quota.Balances{Granted: 20, Floor: 3, Exhausted: true}},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := quota.Audit(journal(row.entries...), nil)
			require.NoError(t, err)
			assert.Empty(t, report.Problems)
			assert.Equal(t, row.want, report.Balances)
			assert.Equal(t, int64(len(row.entries)), report.Entries)
		})
	}
}

func TestAuditFindsProblems(t *testing.T) {
	for name, row := range map[string]struct {
		entries []quota.Entry
		want    string
	}{
		"more held than granted":  {[]quota.Entry{{Kind: quota.KindGrant, Units: 9}, begun, held}, "more than granted 9"},
		"more held than max":      {[]quota.Entry{granted, begun, {Kind: quota.KindHold, Run: "a", Units: 11}}, "holds 11 of 10"},
		"more spent than held":    {[]quota.Entry{granted, begun, held, {Kind: quota.KindSpend, Run: "a", Units: 11, ID: "s"}}, "has spent 11"},
		"spent below zero":        {[]quota.Entry{granted, {Kind: quota.KindReconcile, Units: -1, ID: "r"}}, "spent is -1"},
		"two ends":                {[]quota.Entry{granted, begun, ended, ended}, "end after run a ended"},
		"spend after end":         {[]quota.Entry{granted, begun, held, {Kind: quota.KindRelease, Run: "a", Units: 10}, ended, spent}, "spend after run a ended"},
		"refund after end":        {[]quota.Entry{granted, begun, held, spent, released, ended, refunded}, "refund after run a ended"},
		"two answers":             {[]quota.Entry{granted, begun, held, spent, answered, answered}, "settled as answered after answered"},
		"refund after answer":     {[]quota.Entry{granted, begun, held, spent, answered, refunded}, "settled as refunded after answered"},
		"spend twice":             {[]quota.Entry{granted, begun, held, spent, spent}, "there twice"},
		"settle of nothing":       {[]quota.Entry{granted, begun, held, answered}, "not there like this"},
		"spend of nobody":         {[]quota.Entry{granted, spent}, "never began"},
		"begin twice":             {[]quota.Entry{granted, begun, begun}, "begins twice"},
		"out of order":            {[]quota.Entry{{Seq: 5, Kind: quota.KindGrant}, {Seq: 4, Kind: quota.KindGrant}}, "entry 4 follows entry 5"},
		"a hold that stays":       {[]quota.Entry{granted, begun, held, ended}, "is over and holds 10"},
		"unknown kind":            {[]quota.Entry{granted, begun, {Kind: "gift", Run: "a"}}, "unknown kind"},
		"kind and outcome differ": {[]quota.Entry{granted, begun, held, spent, {Kind: quota.KindSettle, Run: "a", Units: 4, ID: "s", Outcome: quota.Refunded}}, "settle with outcome refunded"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := quota.Audit(journal(row.entries...), nil)
			require.NoError(t, err)
			require.NotEmpty(t, report.Problems)
			assert.Contains(t, report.Problems[0], row.want)
		})
	}
}

func TestAuditComparesClaim(t *testing.T) {
	entries := []quota.Entry{granted, begun, held, spent}
	right := quota.Balances{Granted: 20, Spent: 4, Held: 6, Floor: 3}
	run := quota.RunInfo{RunSpec: quota.RunSpec{ID: "a", Max: 10}, State: quota.Active, Spent: 4}
	claim := func(b quota.Balances, runs ...quota.RunInfo) []string {
		report, err := quota.Audit(journal(entries...), &quota.Claim{Balances: b, Runs: func(yield func(quota.RunInfo, error) bool) {
			for r := range slices.Values(runs) {
				if !yield(r, nil) {
					return
				}
			}
		}})
		require.NoError(t, err)
		return report.Problems
	}
	assert.Empty(t, claim(right, run))
	assert.Equal(t, []string{"granted is 21, the entries sum to 20", "spent is 3, the entries sum to 4", "held is 7, the entries sum to 6",
		"floor is 0, the entries sum to 3", "unknown is 1, the entries sum to 0", "exhausted is true, the entries say false"},
		claim(quota.Balances{Granted: 21, Spent: 3, Held: 7, Unknown: 1, Exhausted: true}, run))
	assert.Equal(t, []string{"run a is in the entries only"}, claim(right))
	other := run
	other.ID = "b"
	assert.Equal(t, []string{"run b is in no entry"}, claim(right, run, other))
	run.Spent = 3
	assert.Len(t, claim(right, run), 1)
}

func TestAuditReturnsReadErrors(t *testing.T) {
	broken := errors.New("disk")
	_, err := quota.Audit(func(yield func(quota.Entry, error) bool) { yield(quota.Entry{}, broken) }, nil)
	require.ErrorIs(t, err, broken)
}
