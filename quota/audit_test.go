package quota_test

import (
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

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
		"out of order":            {[]quota.Entry{{Seq: 5, Kind: quota.KindGrant}, {Seq: 4, Kind: quota.KindGrant}}, "entry 4: it follows entry 5"},
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
	run.Spent, run.Suite, run.State, run.Counters.Requests, run.Process.PID = 3, "unit", quota.Ended, 7, 4711
	assert.Equal(t, []string{`run a: counters.requests is 7, the entries say 0; process.pid is 4711, the entries say nothing; spent is 3, the entries say 4; ` +
		`state is "ended", the entries say "active"; suite is "unit", the entries say nothing`}, claim(right, run))
	run = quota.RunInfo{RunSpec: quota.RunSpec{ID: "a", Max: 10}, State: quota.Active, Spent: 4}
	barred := right
	barred.Bar = quota.Bar{Reason: quota.Moved, ID: "m", To: "postgres://host/name"}
	assert.Equal(t, []string{`the ledger's bar: id is "m", the entries say nothing; reason is "moved", the entries say nothing; ` +
		`to is "postgres://host/name", the entries say nothing`}, claim(barred, run))
}

func TestAuditReturnsReadErrors(t *testing.T) {
	broken := errors.New("disk")
	_, err := quota.Audit(func(yield func(quota.Entry, error) bool) { yield(quota.Entry{}, broken) }, nil)
	require.ErrorIs(t, err, broken)
}

func TestChecked(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	change := func(e quota.Entry, changes ...func(*quota.Entry)) quota.Entry {
		for _, change := range changes {
			change(&e)
		}
		return e
	}
	units := func(n int64) func(*quota.Entry) { return func(e *quota.Entry) { e.Units = n } }
	when := func(t time.Time) func(*quota.Entry) { return func(e *quota.Entry) { e.Time = t } }
	all := []quota.Entry{granted, begun, held, spent, answered, released, ended}
	for name, row := range map[string]struct {
		entries []quota.Entry
		member  string
		detail  string
	}{
		"right":                       {entries: all},
		"a grant of all there is":     {[]quota.Entry{change(granted, units(math.MaxInt64))}, "units", "units: 9223372036854775807, want 0 to 1000000000000"},
		"a grant below zero":          {[]quota.Entry{change(granted, units(-1))}, "units", "units: -1, want 0 to 1000000000000"},
		"grants that are too much":    {[]quota.Entry{granted, change(granted, units(quota.MaxUnits-19))}, "units", "granted is 1000000000001 in all"},
		"a floor below zero":          {[]quota.Entry{change(granted, func(e *quota.Entry) { e.Floor = -1 })}, "floor", "floor: -1"},
		"a correction that is absurd": {[]quota.Entry{granted, {Kind: quota.KindReconcile, Units: math.MinInt64}}, "units", "want -2000000000000 to 2000000000000"},
		"corrections that are too much": {[]quota.Entry{granted, {Kind: quota.KindReconcile, Units: 20}, {Kind: quota.KindReconcile, Units: quota.MaxUnits}}, "units",
			"spent is 1000000000020 in all"},
		"a begin with units":    {[]quota.Entry{granted, change(begun, units(1))}, "units", "units: 1, want 0 to 0"},
		"a hold below zero":     {[]quota.Entry{granted, begun, change(held, units(-5))}, "units", "units: -5"},
		"a spend below zero":    {[]quota.Entry{granted, begun, held, change(spent, units(-4))}, "units", "units: -4"},
		"a release below zero":  {[]quota.Entry{granted, begun, held, change(released, units(-4))}, "units", "units: -4"},
		"a status":              {[]quota.Entry{granted, begun, held, spent, change(answered, func(e *quota.Entry) { e.Status = 1000 })}, "status", "status: 1000, want 0 to 999"},
		"a duration":            {[]quota.Entry{granted, begun, held, spent, change(answered, func(e *quota.Entry) { e.DurationMS = -1 })}, "duration_ms", "-1"},
		"bytes":                 {[]quota.Entry{granted, begun, held, spent, change(answered, func(e *quota.Entry) { e.Bytes = math.MinInt64 })}, "bytes", "-9223372036854775808"},
		"counters below zero":   {[]quota.Entry{granted, begun, change(ended, func(e *quota.Entry) { e.Counters = &quota.Counters{WouldSpend: -1} })}, "counters", "would_have_spent: -1"},
		"the last of all Seqs":  {[]quota.Entry{change(granted, func(e *quota.Entry) { e.Seq = math.MaxInt64 })}, "seq", "seq: 9223372036854775807"},
		"a Seq below one":       {[]quota.Entry{change(granted, func(e *quota.Entry) { e.Seq = -1 })}, "seq", "seq: -1, want 1"},
		"a Seq twice":           {[]quota.Entry{granted, change(begun, func(e *quota.Entry) { e.Seq = 1 })}, "seq", "it follows entry 1"},
		"the year 0":            {[]quota.Entry{change(granted, when(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)))}, "time", "the year 0, want 1970 to 2199"},
		"the year 9999":         {[]quota.Entry{change(granted, when(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)))}, "time", "the year 9999"},
		"a time that is finer":  {[]quota.Entry{change(granted, when(at.Add(1)))}, "time", "finer than a microsecond"},
		"a lease in no year":    {[]quota.Entry{granted, {Kind: quota.KindBlock, Leases: map[string]time.Time{"a": {}}}}, "leases", "the year 1,"},
		"a kind":                {[]quota.Entry{granted, {Kind: "gift", Units: 5}}, "kind", `unknown kind "gift"`},
		"a text without an end": {[]quota.Entry{granted, change(begun, func(e *quota.Entry) { e.Run = strings.Repeat("a", 201) })}, "run", "text of 201 bytes"},
		"a spend of nobody":     {[]quota.Entry{granted, spent}, "run", "never began"},
	} {
		t.Run(name, func(t *testing.T) {
			var report quota.Report
			entries := func(yield func(quota.Entry, error) bool) {
				for e, err := range journal(row.entries...) {
					if e.Time.IsZero() {
						e.Time = at
					}
					if !yield(e, err) {
						return
					}
				}
			}
			var passed []quota.Entry
			var err error
			for e, one := range quota.Checked(entries, &report) {
				if err = one; err == nil {
					passed = append(passed, e)
				}
			}
			if row.member == "" {
				require.NoError(t, err)
				assert.Len(t, passed, len(row.entries))
				assert.Equal(t, quota.Balances{Granted: 20, Spent: 4, Floor: 3}, report.Balances)
				assert.Len(t, report.Runs, 1)
				return
			}
			var wrong *quota.EntryError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, row.member, wrong.Member)
			assert.Contains(t, wrong.Detail, row.detail)
			assert.Len(t, passed, len(row.entries)-1, "it ends before what is wrong")
		})
	}
}

// What a ledger holds already is told, and not summed up to something else.
func TestAuditAddsNoNumberThatCantBe(t *testing.T) {
	huge := granted
	huge.Units = math.MaxInt64
	report, err := quota.Audit(journal(granted, huge, huge), nil)
	require.NoError(t, err)
	assert.Equal(t, int64(20), report.Balances.Granted)
	assert.Equal(t, []string{
		"entry 2: units: 9223372036854775807, want 0 to 1000000000000",
		"entry 3: units: 9223372036854775807, want 0 to 1000000000000",
	}, report.Problems)
}
