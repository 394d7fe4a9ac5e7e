package quotatest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// call is one call of a store, as porcupine sees it.
type call struct {
	name  string // begin, spend, refund, end or status
	run   int
	spend int
	units int64
}

// figures are what an answer may tell.
type figures struct{ spent, held int64 }

// reply is what the store answered.
type reply struct {
	ok bool
	// figures of a status, or of a refused begin.
	figures
}

// linearRuns and linearSpends are how many runs a history has, and how many
// ids of spends each of them.
const linearRuns, linearSpends = 4, 3

// linearState is the ledger as the model sees it: small, and comparable.
type linearState struct {
	granted, base int64 // base is what runs spent that are over
	runs          [linearRuns]linearRun
}

type linearRun struct {
	begun, over bool
	max, spent  int64
	spends      [linearSpends]linearSpend
}

type linearSpend struct {
	units    int64
	refunded bool
}

func (s linearState) figures() figures {
	f := figures{spent: s.base}
	for _, r := range s.runs {
		if r.begun && !r.over {
			f.spent += r.spent
			f.held += r.max - r.spent
		}
	}
	return f
}

// step says what the answer must be, and what the ledger is afterwards.
func (s linearState) step(c call) (reply, linearState) {
	if c.name == "status" {
		return reply{true, s.figures()}, s
	}
	r := &s.runs[c.run]
	active := r.begun && !r.over
	sp := &r.spends[c.spend]
	switch c.name {
	case "begin":
		if r.begun { // a repetition, or a conflict
			return reply{ok: active && r.max == c.units}, s
		}
		now := s.figures()
		if s.granted-now.spent-now.held < c.units {
			return reply{figures: now}, s
		}
		*r = linearRun{begun: true, max: c.units}
	case "spend":
		if !active || sp.units > 0 || r.spent+c.units > r.max {
			return reply{}, s
		}
		sp.units = c.units
		r.spent += c.units
	case "refund":
		if sp.units == 0 || !active && !sp.refunded {
			return reply{}, s
		}
		if !sp.refunded {
			sp.refunded = true
			r.spent -= sp.units
		}
	case "end":
		if !r.begun {
			return reply{}, s
		}
		if active {
			r.over = true
			s.base += r.spent
		}
	}
	return reply{ok: true}, s
}

var linearModel = porcupine.Model{
	Step: func(state, input, output any) (bool, any) {
		want, next := state.(linearState).step(input.(call))
		return want == output.(reply), next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

// linearizable lets many goroutines call the store at once, and looks for an
// order of the calls, one after the other and none before it was made, that
// explains every answer. Without expiry, which the model-based test covers.
func linearizable(t *testing.T, suite Suite) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			const granted = 20
			f := newFixture(t, suite, granted)
			history := record(f, seed)
			model := linearModel
			model.Init = func() any { return linearState{granted: granted} }
			result, _ := porcupine.CheckOperationsVerbose(model, history, time.Minute)
			if !assert.Equal(t, porcupine.Ok, result) {
				for _, op := range history {
					t.Logf("%d %d..%d %s", op.ClientId, op.Call, op.Return, model.DescribeOperation(op.Input, op.Output))
				}
				return
			}
			// The check is one that can fail: with one refusal turned into a yes.
			flipped := 0
			for i := range history {
				answer := history[i].Output.(reply)
				if history[i].Input.(call).name == "spend" && !answer.ok {
					history[i].Output = reply{ok: true}
					assert.False(t, porcupine.CheckOperations(model, history), "a flipped answer was not caught")
					history[i].Output = answer
					flipped++
					break
				}
			}
			require.Equal(t, 1, flipped, "the history has no refused spend")
		})
	}
}

// record makes a history of random calls.
func record(f *fixture, seed uint64) []porcupine.Operation {
	const goroutines, calls = 6, 40
	var mu sync.Mutex
	var history []porcupine.Operation
	var clock atomic.Int64
	many(goroutines, func(g int) {
		random := rand.New(rand.NewPCG(seed, uint64(g)))
		for n := range calls {
			c := call{run: random.IntN(linearRuns), spend: random.IntN(linearSpends), units: random.Int64N(4) + 1}
			c.name = []string{"spend", "spend", "spend", "refund", "status", "end", "begin"}[random.IntN(7)]
			if n < 2 {
				c.name = "begin"
			}
			if c.name == "begin" {
				c.units *= 3
			}
			start := clock.Add(1)
			answer, err := f.call(c)
			end := clock.Add(1)
			if !assert.NoError(f, err) {
				return
			}
			mu.Lock()
			history = append(history, porcupine.Operation{ClientId: g, Input: c, Call: start, Output: answer, Return: end})
			mu.Unlock()
		}
	})
	return history
}

// call makes the call. An error is one that the model doesn't know.
func (f *fixture) call(c call) (reply, error) {
	run := fmt.Sprintf("run %d", c.run)
	id := fmt.Sprintf("%s/%d", run, c.spend)
	var err error
	switch c.name {
	case "status":
		s, err := f.store.Status(f.ctx)
		return reply{true, figures{s.Spent, s.Held}}, err
	case "begin":
		_, err = f.store.Begin(f.ctx, spec(run, c.units), nil)
		var blocked *quota.BlockedError
		if errors.As(err, &blocked) {
			return reply{figures: figures{blocked.Spent, blocked.Held}}, nil
		}
	case "spend":
		_, err = f.store.Spend(f.ctx, quota.SpendSpec{ID: id, Run: run, Units: c.units})
	case "refund":
		err = f.settle(id, quota.Refunded)
	case "end":
		err = f.end(run)
	}
	for _, refusal := range []error{quota.ErrNoRun, quota.ErrRunOver, quota.ErrHoldUsed, quota.ErrSpent, quota.ErrConflict, quota.ErrNoSpend} {
		if errors.Is(err, refusal) {
			return reply{}, nil
		}
	}
	return reply{ok: err == nil}, err
}
