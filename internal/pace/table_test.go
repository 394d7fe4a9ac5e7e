package pace_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/quotatest"
)

// event is that a shard asks for its turn.
type event struct {
	at    time.Time
	shard int
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any          { last := (*e)[len(*e)-1]; *e = (*e)[:len(*e)-1]; return last }

// simulation is an account whose shards ask at one rate, with a clock that jumps from
// one event to the next.
type simulation struct {
	rates    []pace.Rate
	shards   int
	requests int
	kill     map[int]time.Duration // when a shard is gone
	jitter   time.Duration         // how much later than its moment a request arrives at most

	arrivals []time.Time
	shares   []int
	asked    int
	took     time.Duration
}

func (s *simulation) run(t *testing.T) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	keeper := &quotatest.PaceMemory{Now: func() time.Time { return now }}
	var queue events
	for i := range s.shards {
		heap.Push(&queue, event{start.Add(time.Duration(random.Int64N(int64(time.Second)))), i})
	}
	s.shares = make([]int, s.shards)
	for len(queue) > 0 && len(s.arrivals) < s.requests {
		e := heap.Pop(&queue).(event)
		now = e.at
		if gone, ok := s.kill[e.shard]; ok && now.Sub(start) > gone {
			continue
		}
		s.asked++
		a, err := keeper.Turn(t.Context(), pace.Ask{Run: fmt.Sprint(e.shard), Rates: s.rates})
		require.NoError(t, err)
		if !a.Given {
			require.True(t, a.Again.After(now), "time goes on")
			heap.Push(&queue, event{a.Again.Add(time.Duration(random.Int64N(int64(3 * time.Millisecond)))), e.shard})
			continue
		}
		arrival := a.Expected.Add(time.Duration(random.Int64N(int64(s.jitter))))
		s.arrivals = append(s.arrivals, arrival)
		s.shares[e.shard]++
		heap.Push(&queue, event{now.Add(time.Duration(random.Int64N(int64(5 * time.Millisecond)))), e.shard})
	}
	slices.SortFunc(s.arrivals, time.Time.Compare)
	s.took = s.arrivals[len(s.arrivals)-1].Sub(start)
}

// refused is how many requests a service answers 429 that counts by a window which
// slides, at its own arrival times.
func (s *simulation) refused() (n int) {
	for _, r := range s.rates {
		for i := r.Turns; i < len(s.arrivals); i++ {
			if s.arrivals[i].Sub(s.arrivals[i-r.Turns]) < r.Per {
				n++
			}
		}
	}
	return n
}

// allowed is how many requests the slowest rate lets through in that time.
func (s *simulation) allowed() float64 {
	least := 0.0
	for i, r := range s.rates {
		n := float64(r.Turns) * (1 + s.took.Seconds()/r.Per.Seconds())
		if i == 0 || n < least {
			least = n
		}
	}
	return least
}

// TestSixtyEightShards: at 20 a minute and 25 a second none of 10,000 requests is
// answered 429, shares are equal, and little of the rate is left unused.
func TestSixtyEightShards(t *testing.T) {
	t.Parallel()
	s := simulation{
		rates: []pace.Rate{{Turns: 20, Per: time.Minute}, {Turns: 25, Per: time.Second}}, shards: 68, requests: 10_000, jitter: 40 * time.Millisecond,
	}
	s.run(t)
	least, most := slices.Min(s.shares), slices.Max(s.shares)
	t.Logf("%d requests of %d shards in %s: %d answered 429, %.1f %% of the allowed rate, shares %d to %d, asked %.1f times a turn",
		len(s.arrivals), s.shards, s.took.Round(time.Second), s.refused(), 100*float64(len(s.arrivals))/s.allowed(), least, most, float64(s.asked)/float64(len(s.arrivals)))
	assert.Len(t, s.arrivals, 10_000)
	assert.Zero(t, s.refused())
	assert.LessOrEqual(t, float64(most-least), 0.1*float64(most))
	assert.GreaterOrEqual(t, float64(len(s.arrivals))/s.allowed(), 0.95)
}

// TestKilledShardsAreNotWaitedFor: the turns of shards that were killed are the
// others', long before any lease ends.
func TestKilledShardsAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	for _, rate := range []pace.Rate{{Turns: 20, Per: time.Minute}, {Turns: 25, Per: time.Second}} {
		s := simulation{rates: []pace.Rate{rate}, shards: 68, requests: 2000, jitter: rate.Margin(), kill: map[int]time.Duration{}}
		for i := range 34 {
			s.kill[2*i] = rate.Per * time.Duration(5+i)
		}
		s.run(t)
		t.Logf("%s, 34 of 68 shards killed: %d answered 429, %.1f %% of the allowed rate, asked %.1f times a turn",
			rate, s.refused(), 100*float64(len(s.arrivals))/s.allowed(), float64(s.asked)/float64(len(s.arrivals)))
		assert.Len(t, s.arrivals, s.requests)
		assert.Zero(t, s.refused())
		assert.GreaterOrEqual(t, float64(len(s.arrivals))/s.allowed(), 0.95)
	}
}
