package quotatest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// paceAsTheRule asks a store and the rule in memory the same for a while.
func paceAsTheRule(f *fixture) {
	memory := &PaceMemory{Now: f.clock.Now}
	rates := []pace.Rate{{Turns: 4, Per: 10 * time.Second}, {Turns: 2, Per: time.Second}}
	const runs = 5
	random := rand.New(rand.NewPCG(3, 4))
	ends := start
	for i := range runs {
		f.mustBegin(fmt.Sprint(i), 9)
	}
	given := 0
	for step := range 300 {
		run := fmt.Sprint(random.IntN(runs))
		if f.clock.Now().Sub(ends) > quota.Renewal { // their leases
			ends = f.clock.Now()
			for i := range runs {
				_, err := f.store.Renew(f.ctx, fmt.Sprint(i))
				require.NoError(f, err)
			}
		}
		switch n := random.IntN(100); {
		case n < 3:
			require.NoError(f, f.keeper().Leave(f.ctx, run))
			require.NoError(f, memory.Leave(f.ctx, run))
		case n < 5:
			wait := time.Duration(random.IntN(3000)) * time.Millisecond
			require.NoError(f, f.keeper().Pause(f.ctx, wait, run))
			require.NoError(f, memory.Pause(f.ctx, wait, run))
		default:
			want, err := memory.Turn(f.ctx, pace.Ask{Run: run, Rates: rates})
			require.NoError(f, err)
			got, err := f.keeper().Turn(f.ctx, pace.Ask{Run: run, Rates: rates})
			require.NoError(f, err)
			require.Equal(f, want, got, "step %d", step)
			if got.Given {
				given++
			}
		}
		f.clock.advance(time.Duration(random.IntN(500)) * time.Millisecond)
	}
	want, err := memory.Pace(f.ctx)
	require.NoError(f, err)
	got, err := f.keeper().Pace(f.ctx)
	require.NoError(f, err)
	assert.Equal(f, slices.Clip(want.Waiting), slices.Clip(got.Waiting))
	assert.Equal(f, want.Turns, got.Turns)
	assert.Greater(f, given, 20)
}
