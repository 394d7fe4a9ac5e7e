package tally_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// busy is a ledger of 120 days with runs of three suites, of which some spend and some do
// not, in all ways; half of it is not final.
func busy() tally.Read {
	first, last := tally.NewPart(0), tally.NewPart(0)
	r := tally.Read{Now: now, Parts: []*tally.Part{first, last}}
	seq := int64(0)
	for n := range 360 {
		p := []*tally.Part{first, last}[n/180]
		run := fmt.Sprint("run ", n)
		begun := now.Add(-time.Duration(360-n)*8*time.Hour + 5*time.Hour)
		info := quota.RunInfo{State: quota.Ended, Begun: begun, Counters: quota.Counters{Replayed: 2, WouldSpend: 3}, RunSpec: quota.RunSpec{
			ID: run, Max: 9, Mode: []string{"record", "live"}[n%2],
			Attribution: quota.Attribution{Suite: fmt.Sprint("suite ", n%3), Branch: fmt.Sprint("branch ", n%5), Actor: fmt.Sprint("actor ", n%2), Event: []string{"push", "gateway"}[n/2%2]},
		}}
		for i := range n % 7 {
			seq++
			id := fmt.Sprint(run, "/", i)
			units := int64(1 + i%3)
			p.Spend(tally.NewAttempt(quota.Entry{Seq: seq, Time: begun.Add(time.Duration(i) * time.Minute), Run: run, Units: units, ID: id, Test: fmt.Sprint("test ", (n+i)%11), Operation: fmt.Sprint("operation ", i%2), RequestKey: fmt.Sprint((n * i) % 40)}))
			switch i {
			case 2:
				p.Ending(seq, quota.Answered, 404)
			case 3:
				p.Ending(seq, quota.Unknown, 0)
			case 4:
				p.Ending(seq, quota.Refunded, 0)
				units = 0
			}
			info.Spent += units
		}
		if n%9 == 0 {
			seq++
			p.Entry(quota.Entry{Seq: seq, Kind: quota.KindBlock, Time: begun, Spec: &quota.RunSpec{Max: 70, Attribution: info.Attribution}, Refusals: []quota.Refusal{{Rule: "usable"}, {Rule: "max_per_run", Budget: n % 2}}})
		}
		r.Runs = append(r.Runs, info)
		if n == 180 {
			r.Upto.Spends = seq
		}
	}
	r.Upto.Head = seq
	return r
}

// sums are what groups come to, as cells have it.
func sums(groups []quota.Group) map[string]tally.Sums {
	all := map[string]tally.Sums{}
	for _, g := range groups {
		if s := (tally.Sums{Runs: g.Runs, Spent: g.Spent, Wasted: g.Wasted(), Refunded: g.Refunded, Again: g.Again}); s != (tally.Sums{}) {
			all[g.Name] = s
		}
	}
	return all
}

// within adds up the bands of cells that go back as far as the last one.
func within(cells []tally.Cell, last int) map[string]tally.Sums {
	all := map[string]tally.Sums{}
	for _, c := range cells {
		s := all[c.Name]
		for band := range last + 1 {
			s.Add(c.Bands[band])
		}
		if s != (tally.Sums{}) {
			all[c.Name] = s
		}
	}
	return all
}

// TestSpread: what the cells of a time add up to is what a statement since then says of
// each group, and all of them what the statement itself does.
func TestSpread(t *testing.T) {
	t.Parallel()
	for _, began := range []time.Time{{}, now.AddDate(0, 0, -50).Add(-3 * time.Hour)} {
		j := new(tally.Journal)
		whole, ok := j.Statement(busy(), began)
		require.True(t, ok)
		s := j.Spread()
		for last := range tally.Bands {
			since := began
			if last < tally.Bands-1 {
				if from := now.Truncate(24*time.Hour).AddDate(0, 0, 1-int(tally.BandDays()[last])); from.After(began) {
					since = from
				}
			}
			then, ok := new(tally.Journal).Statement(busy(), since)
			require.True(t, ok)
			for name, pair := range map[string][2]map[string]tally.Sums{
				"suites": {sums(then.Suites), within(s.Suites, last)}, "branches": {sums(then.Branches), within(s.Branches, last)},
				"actors": {sums(then.Actors), within(s.Actors, last)}, "keys": {sums(then.Keys), within(s.Keys, last)},
				"tests": {sums(then.Tests), within(s.Tests, last)}, "operations": {sums(then.Operations), within(s.Operations, last)},
			} {
				assert.Equal(t, pair[0], pair[1], "%s since %v", name, since)
				assert.NotEmpty(t, pair[0], name)
			}
			blocked := map[string][2]int64{}
			for _, r := range s.Blocked {
				is := blocked[fmt.Sprint(r.Rule, r.Budget, r.Suite)]
				for band := range last + 1 {
					is[0], is[1] = is[0]+r.Times[band], is[1]+r.Units[band]
				}
				if is[0] > 0 {
					blocked[fmt.Sprint(r.Rule, r.Budget, r.Suite)] = is
				}
			}
			want := map[string][2]int64{}
			for _, r := range then.Blocked {
				want[fmt.Sprint(r.Rule, r.Budget, r.Suite)] = [2]int64{r.Times, r.Units}
			}
			assert.Equal(t, want, blocked)
		}
		lately, before := map[string]int64{}, map[string]int64{}
		for _, c := range s.Tests {
			lately[c.Name], before[c.Name] = lately[c.Name]+c.Lately, before[c.Name]+c.Before
		}
		for _, g := range whole.Tests {
			assert.Equal(t, [2]int64{g.Lately, g.Before}, [2]int64{lately[g.Name], before[g.Name]}, g.Name)
		}
	}
}

// TestSpreadOfASuite: each cell is of its suite alone, and what came on the first day before
// the report is told from what came in it.
func TestSpreadOfASuite(t *testing.T) {
	t.Parallel()
	since := now.AddDate(0, 0, -50).Add(-3 * time.Hour)
	j := new(tally.Journal)
	s, ok := j.Statement(busy(), since)
	require.True(t, ok)
	spread := j.Spread()
	days := map[string]tally.Sums{}
	for suite, all := range s.SuiteDays {
		sum := tally.Sums{}
		for _, d := range all {
			if d.Start.Before(since.Truncate(24 * time.Hour)) {
				continue
			}
			if d.Start.Equal(since.Truncate(24 * time.Hour)) {
				early := spread.Early[suite]
				tally.Subtract(&d.Tally, &early.Tally)
			}
			sum.Add(tally.Sums{Spent: d.Spent, Wasted: d.Wasted(), Refunded: d.Refunded, Again: d.Again})
		}
		days[suite] = sum
	}
	require.NotEmpty(t, spread.Early)
	for _, cells := range [][]tally.Cell{spread.Suites, spread.Branches, spread.Actors, spread.Tests, spread.Operations} {
		of := map[string]tally.Sums{}
		for _, c := range cells {
			sum := of[c.Suite]
			for _, band := range c.Bands {
				band.Runs = 0
				sum.Add(band)
			}
			of[c.Suite] = sum
		}
		assert.Equal(t, days, of)
	}
	assert.Equal(t, tally.Spread{}, (*tally.Journal)(nil).Spread(), "a store that tells no more has none")
	assert.Len(t, j.Runs(), 360)
}
