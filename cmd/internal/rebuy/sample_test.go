package rebuy

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/quota"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func taken(key string, cost int, at time.Time) *recording.Recording {
	return &recording.Recording{Key: key, Takes: []recording.Take{{Cost: cost, RecordedAt: at}}}
}

func candidates(all []*recording.Recording) (out []Candidate) {
	for _, r := range all {
		out = append(out, CandidateOf(r))
	}
	return out
}

func TestSample(t *testing.T) {
	t.Parallel()
	all := []*recording.Recording{
		taken("young", 9, noon.AddDate(0, 0, 2)), taken("old", 1, noon.AddDate(0, -1, 0)), taken("rare", 1, noon),
		taken("dear", 5, noon.Add(time.Minute)), taken("often", 1, noon.Add(2*time.Minute)), taken("verified elsewhere", 1, noon.AddDate(-1, 0, 0)),
	}
	spend := func(run, key, test string, at time.Time) quota.Entry {
		return quota.Entry{Kind: quota.KindSpend, Run: run, RequestKey: key, Test: test, Time: at}
	}
	uses, err := Uses(func(yield func(quota.Entry, error) bool) {
		for _, e := range []quota.Entry{
			spend("1", "rare", "", noon), spend("1", "dear", "a", noon.Add(time.Minute)), spend("1", "often", "b", noon.Add(2*time.Minute)), spend("1", "often", "a", noon.Add(2*time.Minute)),
			{Kind: quota.KindSettle, Run: "2", RequestKey: "rare", Time: noon.AddDate(0, 2, 0)}, spend("2", "", "", noon), spend("3", "verified elsewhere", "a", noon.AddDate(0, 1, 0)),
		} {
			if !yield(e, nil) {
				return
			}
		}
	})
	require.NoError(t, err)
	assert.Equal(t, Use{Last: noon.Add(2 * time.Minute), Run: noon, Tests: []string{"a", "b"}}, uses["often"])
	var order []string
	for _, r := range Sample(candidates(all), uses, 10) {
		order = append(order, r.Key)
	}
	assert.Equal(t, []string{"old", "often", "dear", "rare", "young", "verified elsewhere"}, order)
	list := candidates(all)
	assert.Len(t, Sample(list, uses, 2), 2)
	assert.Equal(t, "young", list[0].Key, "the caller's list stays as it is")

	_, err = Uses(func(yield func(quota.Entry, error) bool) { yield(quota.Entry{}, errors.New("no connection")) })
	assert.Error(t, err)
}

// TestSampleSeesAllInTurn buys a few a night: no recording is bought twice before all
// were once, whatever was there before.
func TestSampleSeesAllInTurn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := []*recording.Recording{}
		uses, byKey := map[string]Use{}, map[string]*recording.Recording{}
		for i := range rapid.IntRange(1, 30).Draw(t, "recordings") {
			key := string(rune('A' + i))
			all = append(all, taken(key, rapid.IntRange(1, 3).Draw(t, "cost"), noon.AddDate(0, 0, -rapid.IntRange(0, 5).Draw(t, "age"))))
			byKey[key] = all[i]
			uses[key] = Use{Tests: make([]string, rapid.IntRange(0, 3).Draw(t, "tests"))}
		}
		n := rapid.IntRange(1, 7).Draw(t, "a night")
		kept := rapid.Bool().Draw(t, "kept")
		seen := map[string]int{}
		for night := 1; len(seen) < len(all); night++ {
			now := noon.Add(time.Duration(night) * 2 * time.Hour)
			unseen := len(all) - len(seen)
			for i, c := range Sample(candidates(all), uses, n) {
				r := byKey[c.Key]
				if seen[r.Key]++; seen[r.Key] > 1 && i < unseen {
					t.Fatalf("%s is bought again on night %d, and %d of %d were not seen", r.Key, night, unseen, len(all))
				}
				u := uses[r.Key]
				u.Last, u.Run = now.Add(time.Minute), now
				uses[r.Key] = u
				if kept {
					r.Takes = append(r.Takes, recording.Take{Cost: 1, RecordedAt: now.Add(time.Minute)})
				}
			}
			if night > len(all)+1 {
				t.Fatalf("after %d nights of %d these were seen alone: %v", night, n, seen)
			}
		}
	})
}
