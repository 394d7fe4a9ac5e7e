package recording_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/recording"
)

func merged(a, b []recording.Take) []recording.Take {
	return recording.Merge(&recording.Recording{Takes: a}, &recording.Recording{Takes: b}).Takes
}

// Each take of both is there once, and the times of each list stay in order.
func TestMergedTakesAreThoseOfBoth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) recording.Take {
			take := answer(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "body"))
			take.RecordedAt = time.Unix(rapid.Int64Range(0, 3).Draw(t, "at"), rapid.Int64Range(0, 1).Draw(t, "and"))
			take.Entry = rapid.SampledFrom([]string{"x", "y"}).Draw(t, "entry")
			return take
		})
		list := rapid.Custom(func(t *rapid.T) []recording.Take {
			takes := rapid.SliceOfNDistinct(one, 0, 6, name).Draw(t, "takes")
			slices.SortStableFunc(takes, func(a, b recording.Take) int { return a.RecordedAt.Compare(b.RecordedAt) })
			return takes
		})
		a, b := list.Draw(t, "a"), list.Draw(t, "b")
		got := merged(a, b)
		var want []string
		for _, take := range append(slices.Clone(a), b...) {
			want = append(want, name(take))
		}
		slices.Sort(want)
		var have []string
		for _, take := range got {
			have = append(have, name(take))
		}
		require.True(t, slices.IsSortedFunc(got, func(a, b recording.Take) int { return a.RecordedAt.Compare(b.RecordedAt) }))
		slices.Sort(have)
		require.Equal(t, slices.Compact(want), have)
	})
}

func name(t recording.Take) string {
	return t.RecordedAt.UTC().Format(time.RFC3339Nano) + t.Entry + string(t.Response.Body)
}

// Each take of one with each of the other would be forty thousand million.
func TestManyTakesAreMerged(t *testing.T) {
	t.Parallel()
	many := func(place string) []recording.Take {
		takes := make([]recording.Take, 200_000)
		for i := range takes {
			takes[i] = recording.Take{RecordedAt: time.Unix(int64(i), 0), Entry: place + strconv.Itoa(i)}
		}
		return takes
	}
	assert.Len(t, merged(many("a"), many("b")), 400_000)
}
