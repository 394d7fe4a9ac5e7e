package quotatest

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// History is a ledger's journal with so many finished runs of 500 spends each,
// about a thousand entries a run, for benchmarks of a store that imports it.
func History(runs int) iter.Seq2[quota.Entry, error] {
	const spends = 500
	return func(yield func(quota.Entry, error) bool) {
		seq := int64(0)
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		put := func(e quota.Entry) bool {
			seq++
			at = at.Add(time.Second)
			e.Seq, e.Time, e.Allowance = seq, at, quota.DefaultAllowance
			return yield(e, nil)
		}
		ok := put(quota.Entry{Kind: quota.KindGrant, Units: 1_000_000_000, ID: "init", Note: "initial grant"})
		for r := 0; ok && r < runs; r++ {
			run := fmt.Sprintf("run %d", r)
			spec := &quota.RunSpec{ID: run, Mode: "record", Max: spends, Attribution: quota.Attribution{
				Suite: fmt.Sprintf("suite %d", r%20), Branch: fmt.Sprintf("branch %d", r%50), Actor: fmt.Sprintf("actor %d", r%10),
			}}
			ok = put(quota.Entry{Kind: quota.KindBegin, Run: run, Spec: spec}) && put(quota.Entry{Kind: quota.KindHold, Run: run, Units: spends})
			for n := 0; ok && n < spends; n++ {
				id := fmt.Sprintf("%d/%d", r, n)
				ok = put(quota.Entry{Kind: quota.KindSpend, Run: run, Units: 1, ID: id, Operation: "POST /hscode/classify", Test: fmt.Sprintf("Test%d", n%40), RequestKey: fmt.Sprintf("%064x", r*spends+n)}) &&
					put(quota.Entry{Kind: quota.KindSettle, Run: run, Units: 1, ID: id, Outcome: quota.Answered, Status: 200})
			}
			ok = ok && put(quota.Entry{Kind: quota.KindEnd, Run: run, Counters: &quota.Counters{Requests: spends}})
		}
	}
}

// Large benchmarks admission, status and statement with 1,000 active runs, on a
// journal of about so many thousand entries. The first two should not grow with
// the journal.
func Large(b *testing.B, imported func(b *testing.B, info quota.Info, entries iter.Seq2[quota.Entry, error]) quota.Store) {
	for _, thousands := range []int{10, 1000} {
		b.Run(fmt.Sprintf("%d000", thousands), func(b *testing.B) {
			ctx := b.Context()
			info := quota.Info{LedgerID: fmt.Sprintf("LARGE%d", thousands), Account: "account", Allowance: quota.DefaultAllowance, Created: time.Now().Truncate(time.Microsecond)}
			s := imported(b, info, History(thousands))
			for i := range 1000 {
				_, err := s.Begin(ctx, quota.RunSpec{ID: fmt.Sprintf("active %d", i), Max: 10, Process: quota.ThisProcess()}, nil)
				require.NoError(b, err)
			}
			b.Run("admission", func(b *testing.B) {
				n := 0
				for b.Loop() {
					n++
					id := fmt.Sprintf("new %d %d", b.N, n)
					_, err := s.Begin(ctx, quota.RunSpec{ID: id, Max: 10, Process: quota.ThisProcess()}, []quota.Rule{{MaxPerRun: 10}})
					require.NoError(b, err)
					b.StopTimer()
					_, err = s.End(ctx, id, quota.Counters{})
					require.NoError(b, err)
					b.StartTimer()
				}
			})
			b.Run("statement", func(b *testing.B) {
				for b.Loop() {
					_, err := s.Statement(ctx, time.Time{})
					require.NoError(b, err)
				}
			})
			b.Run("statement again", func(b *testing.B) {
				_, known, err := s.(tally.Summer).Sum(ctx, time.Time{}, nil)
				require.NoError(b, err)
				for b.Loop() {
					_, known, err = s.(tally.Summer).Sum(ctx, time.Time{}, known)
					require.NoError(b, err)
				}
			})
			b.Run("status", func(b *testing.B) {
				for b.Loop() {
					_, err := s.Status(ctx)
					require.NoError(b, err)
				}
			})
		})
	}
}
