package quotatest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
)

// historyRates are those of a history: two windows, either of which fills.
var historyRates = []pace.Rate{{Turns: 8, Per: 200 * time.Millisecond}, {Turns: 30, Per: time.Second}}

// paceCall is one call of a pace, as porcupine sees it: a turn, or that a run leaves, a
// pause, or a look.
type paceCall struct {
	turn  pace.Ask
	leave string
	pause *pace.Pause // until when at the earliest, or exactly if somebody saw it
	look  bool
}

// linearPace is the pace with the time of its last decision: turns go by a clock that is
// read when no other one decides.
type linearPace struct {
	paceModel
	now time.Time
}

var paceHistories = porcupine.Model{
	Init: func() any { return linearPace{} },
	Step: func(state, input, output any) (bool, any) {
		next, err := state.(linearPace).step(input.(paceCall), output)
		return err == nil, next
	},
	Equal:             func(a, b any) bool { return reflect.DeepEqual(a, b) },
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

func (s linearPace) step(c paceCall, output any) (_ linearPace, err error) {
	switch {
	case c.leave != "":
		s.paceModel = s.leave(c.leave)
	case c.pause != nil:
		s.paceModel = s.pauses(*c.pause, c.pause.Until)
	case c.look:
		err = s.state(output.(pace.State), nil)
	default:
		a := output.(pace.Answer)
		if a.Now.Before(s.now) {
			return s, fmt.Errorf("decided at %s, after %s", clockTime(a.Now), clockTime(s.now))
		}
		s.now = a.Now
		s.paceModel, err = s.turn(c.turn, a, nil)
	}
	return s, err
}

// paceHistory is a [pace.Keeper] that notes each call and its answer.
type paceHistory struct {
	pace.Keeper
	now   func() time.Time
	notes *paceNotes
	id    int
}

type paceNotes struct {
	mu    sync.Mutex
	all   []porcupine.Operation
	clock atomic.Int64
}

func (h *paceHistory) note(input paceCall, call func() (any, error)) error {
	began := h.notes.clock.Add(1)
	output, err := call()
	ended := h.notes.clock.Add(1)
	h.notes.mu.Lock()
	defer h.notes.mu.Unlock()
	h.notes.all = append(h.notes.all, porcupine.Operation{ClientId: h.id, Input: input, Call: began, Output: output, Return: ended})
	return err
}

// Turn implements [pace.Keeper]. Who gives up while it asks is answered: the model knows
// no call of which nobody knows what came of it.
func (h *paceHistory) Turn(ctx context.Context, ask pace.Ask) (a pace.Answer, err error) {
	err = h.note(paceCall{turn: ask}, func() (any, error) {
		a, err = h.Keeper.Turn(context.WithoutCancel(ctx), ask)
		return a, err
	})
	return a, err
}

// Leave implements [pace.Keeper].
func (h *paceHistory) Leave(ctx context.Context, run string) error {
	return h.note(paceCall{leave: run}, func() (any, error) { return nil, h.Keeper.Leave(ctx, run) })
}

// Pause implements [pace.Keeper]. Whoever looks afterwards sees until when, unless a longer one holds.
func (h *paceHistory) Pause(ctx context.Context, wait time.Duration, why string) error {
	earliest := pace.Pause{Until: h.now().Add(wait), Why: why}
	err := h.note(paceCall{pause: &earliest}, func() (any, error) { return nil, h.Keeper.Pause(ctx, wait, why) })
	if err == nil {
		_, err = h.Pace(ctx)
	}
	return err
}

// Pace implements [pace.Keeper].
func (h *paceHistory) Pace(ctx context.Context) (s pace.State, err error) {
	err = h.note(paceCall{look: true}, func() (any, error) {
		s, err = h.Keeper.Pace(ctx)
		return s, err
	})
	return s, err
}

// history is what was noted, with the pauses as they were seen.
func (n *paceNotes) history() []porcupine.Operation {
	seen := map[string]pace.Pause{}
	for _, op := range n.all {
		switch o := op.Output.(type) {
		case pace.Answer:
			seen[o.Pause.Why] = o.Pause
		case pace.State:
			seen[o.Pause.Why] = o.Pause
		}
	}
	for _, op := range n.all {
		if p := op.Input.(paceCall).pause; p != nil && !seen[p.Why].Until.Before(p.Until) {
			*p = seen[p.Why]
		}
	}
	return n.all
}

// pacedHistory lets callers ask for turns, wait for them, take them, miss them, leave and
// vanish, by stores of their own and the real clock, and looks for an order of all calls
// that explains every answer.
func pacedHistory(t *testing.T, suite Suite) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, suite, 100)
			f.clock.run()
			notes := recordPace(f, seed)
			history := notes.history()
			result, _ := porcupine.CheckOperationsVerbose(paceHistories, history, time.Minute)
			t.Logf("%d calls: %s", len(history), result)
			if !assert.Equal(t, porcupine.Ok, result) {
				explain(t, history)
				return
			}
			forged(t, history)
		})
	}
}

// explain logs a history and the first answer that is wrong if calls came as they ended.
func explain(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	s := linearPace{}
	for _, op := range history {
		t.Logf("%d %d..%d %s", op.ClientId, op.Call, op.Return, paceHistories.DescribeOperation(op.Input, op.Output))
		next, err := s.step(op.Input.(paceCall), op.Output)
		if err != nil {
			t.Log(err)
			return
		}
		s = next
	}
}

// forgeries are answers as they must not be: a turn a little early, one that is handed
// out twice, one given to who was not the next, and a pause that is not told of.
var forgeries = map[string]func(answer any) (forged any, ok bool){
	"early": func(answer any) (any, bool) {
		a, ok := answer.(pace.Answer)
		a.Expected = a.Expected.Add(-time.Millisecond)
		return a, ok && a.Given
	},
	"twice": func(answer any) (any, bool) {
		a, ok := answer.(pace.Answer)
		a.Seq--
		return a, ok && a.Seq > 0
	},
	"not the next": func(answer any) (any, bool) {
		a, ok := answer.(pace.Answer)
		ok = ok && a.Ahead > 0 && !a.Given
		a.Given, a.Again = true, time.Time{}
		return a, ok
	},
	"no pause": func(answer any) (any, bool) {
		s, ok := answer.(pace.State)
		ok = ok && s.Pause != (pace.Pause{})
		s.Pause = pace.Pause{}
		return s, ok
	},
}

// forged shows that the check is one that can fail.
func forged(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	for name, forge := range forgeries {
		done := false
		for i, op := range history {
			if history[i].Output, done = forge(op.Output); done {
				assert.False(t, porcupine.CheckOperations(paceHistories, history), "%s was not noticed", name)
			}
			history[i].Output = op.Output
			if done {
				break
			}
		}
		require.True(t, done, "the history has none for: %s", name)
	}
}

// recordPace makes a history of callers.
func recordPace(f *fixture, seed uint64) *paceNotes {
	const runs, callers, requests = 4, 3, 7
	notes := &paceNotes{}
	var pauses atomic.Int64
	many(runs, func(i int) {
		run := fmt.Sprint("run ", i)
		store := f.suite.Reopen(f, f.config)
		defer func() { assert.NoError(f, store.Close()) }()
		if _, err := store.Begin(f.ctx, spec(run, 1), nil); !assert.NoError(f, err) {
			return
		}
		keeper := &paceHistory{store.(pace.Keeper), f.clock.Now, notes, i}
		pacer := pace.New(pace.Config{Keeper: keeper, Run: run, Rates: historyRates})
		many(callers, func(g int) {
			random := rand.New(rand.NewPCG(seed, uint64(i*callers+g)))
			for range requests {
				if err := pacedCaller(f.ctx, pacer, random, func() string { return fmt.Sprint("pause ", pauses.Add(1)) }); !assert.NoError(f, err) {
					return
				}
			}
		})
		if i == 0 { // it asks once more, and is never seen again
			_, err := keeper.Turn(f.ctx, pace.Ask{Run: run, Rates: historyRates})
			assert.NoError(f, err)
		}
	})
	return notes
}

// pacedCaller waits for one turn and does with it what real callers do.
func pacedCaller(ctx context.Context, pacer *pace.Pacer, random *rand.Rand, why func() string) error {
	fate := random.IntN(20)
	if fate < 2 { // it gives up
		hurried, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(60))*time.Millisecond)
		defer cancel()
		_, _ = pacer.Wait(hurried)
		return nil
	}
	turn, err := pacer.Wait(ctx)
	if err != nil {
		return err
	}
	if fate < 5 { // it misses the moment
		<-time.After(time.Until(turn.At) + time.Duration(random.IntN(100))*time.Millisecond)
		_, err = turn.Again(ctx)
		return err
	}
	if err := turn.Ready(ctx); fate > 5 { // in time or not
		if errors.Is(err, pace.ErrLate) {
			err = nil
		}
		return err
	}
	return pacer.Pause(ctx, time.Duration(100+random.IntN(200))*time.Millisecond, why())
}
