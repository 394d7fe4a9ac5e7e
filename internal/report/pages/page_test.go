package pages_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/quota"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

const markup = `<script>alert("x")</script>&'`

func budget(days int) report.Budget {
	var s quota.Statement
	for n := range days {
		s.Days = append(s.Days, quota.Day{
			Start: now.Truncate(24*time.Hour).AddDate(0, 0, n+1-days), Tally: quota.Tally{Spent: int64(n%7 + 1), Failed: int64(n % 2)}, Left: int64(1000 - n),
		})
	}
	s.Suites = []quota.Group{{Name: markup, Runs: 1, Tally: quota.Tally{Spent: 3}}, {Tally: quota.Tally{Spent: 2}}}
	s.Tests = []quota.Group{{Name: "TestShop", Tally: quota.Tally{Spent: 5}}}
	s.Changes = []quota.Entry{{Kind: quota.KindReconcile, Note: markup}}
	return report.NewBudget(quota.Status{Allowance: markup, Granted: 1234, Spent: 234, Available: 1000, Floor: 100, Usable: 900, Warnings: []string{markup}}, s, now)
}

func render(t *testing.T, b report.Budget) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, pages.Budget(&out, b))
	return out.String()
}

func TestBudgetPageNeedsNothingElse(t *testing.T) {
	got := render(t, budget(30))
	for _, no := range []string{"http:", "https:", "@import", "url(", "<script>alert"} {
		assert.False(t, strings.Contains(got, no), "the page has %q in it", no) // a whole page helps nobody
	}
	assert.Equal(t, 1, strings.Count(got, "<script"), "texts stay texts")
	assert.True(t, strings.Contains(got, `<div id="granted"><dt>granted</dt><dd>1234</dd>`))
}

func TestChartsAreWellFormed(t *testing.T) {
	for _, days := range []int{1, 2, 30, 700} {
		b := budget(days)
		for name, chart := range map[string]func() (string, error){
			"burn": func() (string, error) { h, err := pages.BurnDown(b); return string(h), err },
			"day":  func() (string, error) { h, err := pages.PerDay(b); return string(h), err },
			"bars": func() (string, error) { h, err := pages.Bars(b, report.BySuite); return string(h), err },
		} {
			svg, err := chart()
			require.NoError(t, err, name)
			for d := xml.NewDecoder(strings.NewReader(svg)); err == nil; {
				_, err = d.Token()
			}
			require.ErrorIs(t, err, io.EOF, "%s of %d days is XML", name, days)
			assert.Contains(t, svg, `role="img"><title>`)
			assert.Contains(t, svg, "<desc>")
			assert.Contains(t, svg, "var(--one)")
			for _, drawn := range []string{"rgb(1,2,3)", "rgb(2,3,4)", "rgb(3,4,5)", "rgb(4,5,6)", "rgb(5,6,7)", "white"} {
				assert.NotContains(t, svg, drawn, "%s takes the colours of its page", name)
			}
			assert.Less(t, len(svg), 40_000, "%s of %d days", name, days)
		}
	}
}

func TestChartsOfNothing(t *testing.T) {
	var b report.Budget
	burn, err := pages.BurnDown(b)
	require.NoError(t, err)
	perDay, err := pages.PerDay(b)
	require.NoError(t, err)
	bars, err := pages.Bars(b, report.ByActor)
	require.NoError(t, err)
	assert.Empty(t, burn+perDay+bars)
	assert.False(t, strings.Contains(render(t, b), "<svg"))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrorsAreReturned(t *testing.T) {
	assert.ErrorContains(t, pages.Budget(full{}, budget(3)), "disk full")
}
