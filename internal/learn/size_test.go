package learn_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/learn"
	"github.com/hsharness/hsharness/internal/recording"
)

// TestNothingIsLearnedFromBodiesWithoutMeasure: one answer in thousands of brackets, or of a
// million members, is left out and said, in either direction; the others are learned from.
func TestNothingIsLearnedFromBodiesWithoutMeasure(t *testing.T) {
	t.Parallel()
	var members strings.Builder
	for i := range 10_000 { // one more than may be
		fmt.Fprintf(&members, `,"m%d":1`, i)
	}
	const good = `{"hsCode":"6109.10"}`
	nested := func(levels int) string {
		return `{"hsCode":"6109.10","x":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + "}"
	}
	for want, bodies := range map[string][2]string{
		"its answer has 9001 levels":                   {`{"description":"laptop","q":"[\"["}`, nested(9001)},
		"its request has 9001 levels":                  {nested(9001), good},
		"its answer has more than 10000 values":        {`{"description":"laptop"}`, `{"hsCode":"6109.10"` + members.String() + "}"},
		"its request has more than 10000 values":       {`{"description":"laptop"` + members.String() + "}", good},
		"its answer has 101 levels, and a shape of mo": {`{"description":"laptop"}`, nested(101)},
	} {
		result := learn.From(slices.Values([]*recording.Recording{
			recorded(0, "/hscode/classify", bodies[0], 200, bodies[1]),
			recorded(1, "/hscode/classify", `{"description":"shirt"}`, 200, nested(100)),
		}))
		require.Len(t, result.Left, 1, want)
		assert.Contains(t, result.Left[0].Why, want)
		require.Len(t, result.Operations, 1, want)
		assert.Len(t, result.Operations[0].Learned.Recordings, 1, want)
	}
}

// An answer whose members are keys of what it lists has a shape of some of them. Each was
// looked for in all others, and of ten thousand that took half an hour.
func TestNotMoreMembersAreLearnedThanNamesThatThereMayBe(t *testing.T) {
	t.Parallel()
	var members strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&members, `,"m%d":1`, i)
	}
	recs := []*recording.Recording{recorded(0, "/hscode/classify", `{"description":"laptop"}`, 200, `{"hsCode":"6109.10"`+members.String()+"}")}
	done := make(chan learn.Result, 1)
	go func() { done <- learn.From(slices.Values(recs)) }()
	select {
	case result := <-done:
		require.Len(t, result.Operations, 1)
		var body map[string]any
		require.NoError(t, json.Unmarshal(result.Operations[0].Answers[0].Body, &body))
		assert.Contains(t, body, "hsCode")
		assert.Len(t, body, 1000)
		assert.Contains(t, result.Operations[0].Assumed, "found, the body: of the members that it has the first 1000 are learned")
	case <-time.After(time.Minute):
		t.Fatal("it takes more than a minute")
	}
}

// A text that is no JSON is one value, however many commas it has.
func TestALongTextIsOneValue(t *testing.T) {
	t.Parallel()
	result := learn.From(slices.Values([]*recording.Recording{
		recorded(0, "/hscode/classify", "a cup"+strings.Repeat(", white", 20_000), 200, `{"hsCode":"6912.00"}`),
	}))
	for _, left := range result.Left {
		assert.NotContains(t, left.Why, "values")
	}
}
