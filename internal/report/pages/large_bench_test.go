package pages_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/quota"
)

// BenchmarkBudget writes the page of a ledger of two years, with as many groups as a
// million entries have: a report is this, and the statement of BenchmarkLarge.
func BenchmarkBudget(b *testing.B) {
	large := budget(730)
	large.Suites, large.SuiteDays = nil, map[string][]quota.Day{}
	for n := range 50 {
		name := fmt.Sprintf("suite %d", n)
		large.Suites = append(large.Suites, quota.Group{Name: name, Tally: quota.Tally{Spent: 10_000}})
		for day := range 730 {
			large.SuiteDays[name] = append(large.SuiteDays[name], quota.Day{Start: now.Truncate(24*time.Hour).AddDate(0, 0, day-729), Tally: quota.Tally{Spent: 9}})
		}
	}
	for n := range 5000 {
		large.Tests = append(large.Tests, quota.Group{Name: fmt.Sprintf("TestGoods/%d", n), Tally: quota.Tally{Spent: 100}})
	}
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, pages.Budget(io.Discard, large))
	}
}
