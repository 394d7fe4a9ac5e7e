package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// TestDaysAreThoseOfUTC spends around midnight, and in the hours that zones skip and have
// twice. Whatever zone a machine is in, each report has the same days, each of a day, and
// quota history finds on each what the report says.
func TestDaysAreThoseOfUTC(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	store, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(dir, "ledger.db"), Now: func() time.Time { return at }}, quota.InitSpec{Granted: 1000})
	require.NoError(t, err)
	want := map[string]int64{}
	for n, text := range []string{
		"2025-03-08T23:59:59.999999Z", "2025-03-09T00:00:00Z", "2025-03-09T06:59:59Z", "2025-03-09T07:00:00Z", // New York goes from 2 to 3 o'clock
		"2025-03-29T23:59:59.999999Z", "2025-03-30T00:00:00Z", "2025-03-30T00:59:59Z", "2025-03-30T01:00:00Z", "2025-03-30T23:59:59.999999Z", // Berlin
		"2025-04-05T13:30:00Z", "2025-04-05T14:30:00Z", // half past two twice in Auckland
		"2025-11-02T05:30:00Z", "2025-11-02T06:30:00Z", "2025-11-02T23:59:59.999999Z", "2025-11-03T00:00:00Z", // half past one twice in New York
	} {
		at, err = time.Parse(time.RFC3339Nano, text)
		require.NoError(t, err)
		id := fmt.Sprint("run ", n)
		_, err := store.Begin(t.Context(), quota.RunSpec{ID: id, Max: 20}, nil)
		require.NoError(t, err)
		_, err = store.Spend(t.Context(), quota.SpendSpec{ID: id, Run: id, Units: int64(n + 1)})
		require.NoError(t, err)
		_, err = store.End(t.Context(), id, quota.Counters{})
		require.NoError(t, err)
		want[text[:10]] += int64(n + 1)
	}
	require.NoError(t, store.Close())

	says := func(zone string, args ...string) string {
		_, err := time.LoadLocation(zone)
		require.NoError(t, err)
		cmd := exec.Command("hsharness", append(args, "--ledger", "sqlite:ledger.db")...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "TZ="+zone)
		out, err := cmd.Output()
		require.NoError(t, err, "%s", args)
		return string(out)
	}
	for _, zone := range []string{"UTC", "America/New_York", "Europe/Berlin", "Pacific/Auckland", "Asia/Kolkata"} {
		var b report.Budget
		require.NoError(t, json.Unmarshal([]byte(says(zone, "report", "--format", "json")), &b))
		got := map[string]int64{}
		for i, d := range b.Days {
			if i > 0 {
				require.Equal(t, 24*time.Hour, d.Start.Sub(b.Days[i-1].Start), "no day is longer than another")
			}
			if d.Spent > 0 {
				got[d.Start.Format(time.DateOnly)] = d.Spent
			}
		}
		assert.Equal(t, want, got, zone)
		for _, day := range []string{"2025-03-09", "2025-03-30", "2025-11-02"} {
			out := says(zone, words(t, b.Source(report.ByDay, day))[1:]...)
			assert.EqualValues(t, want[day], number(t, inAll.FindStringSubmatch(out)[3]), "%s, %s", zone, day)
			assert.Positive(t, strings.Count(out, "  spend  "))
			assert.Equal(t, strings.Count(out, "  "+day+"T"), strings.Count(out, "  spend  "), "the times are those of UTC, too: %s", out)
		}
		text := says(zone, "report", "--by", "day")
		assert.Contains(t, text, ", by day of UTC\n")
		assert.Contains(t, says(zone, "report", "--quiet", "--html", "-"), "days are those of UTC")
		assert.Contains(t, says(zone, "report", "--quiet", "--md", "-"), "days are those of UTC")
	}
}
