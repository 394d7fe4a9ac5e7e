package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
)

// TestGatewayKeepsToTheRate: instances and keys share the rate of the account, and a
// request that would wait longer than it may is refused before it costs anything.
func TestGatewayKeepsToTheRate(t *testing.T) {
	first := newTeam(t, 100, 4, map[string]int64{"shop": 50, "ci": 50})
	first.project.Rate, first.maxWait = []string{"2/1h"}, time.Minute
	g, other := first.instance(4), first.instance(4)
	for _, instance := range []*team{g, other} {
		status, body := instance.ask("shop")
		require.Equal(t, 200, status, body)
	}
	for _, instance := range []*team{g, other} {
		for _, key := range []string{"shop", "ci"} {
			status, body := instance.ask(key)
			assert.Equal(t, 424, status)
			assert.Regexp(t, "the request would wait (59m|1h0m)", body, key)
			assert.Contains(t, body, "and may wait 1m0s")
			assert.Regexp(t, "ask again later, or whoever runs this server gives it a max-wait of 6[01]m", body)
			assert.Contains(t, body, `"max_wait_seconds":60`)
		}
	}
	assert.EqualValues(t, 2, g.served())
	assert.EqualValues(t, 2, g.settled().Spent)
	state, err := g.gateway.ledger.Store.(pace.Keeper).Pace(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 2, state.Turns)
	assert.Empty(t, state.Waiting, "who was refused does not wait")
	asking := 0
	for _, r := range g.runs() {
		if r.Suite == "gateway" {
			asking++
			assert.Zero(t, r.Max, "the run that asks for turns holds nothing")
		}
	}
	assert.Equal(t, 2, asking, "one an instance, whatever number of keys asks")
}

// TestGatewayWaitsForItsTurn: without an end to the wait a request is answered when its
// turn has come. It takes a second of the clock.
func TestGatewayWaitsForItsTurn(t *testing.T) {
	first := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	first.project.Rate = []string{"2/1s"}
	g := first.instance(4)
	began := time.Now()
	for range 3 {
		status, body := g.ask("shop")
		require.Equal(t, 200, status, body)
	}
	assert.GreaterOrEqual(t, time.Since(began), time.Second, "the third of two a second")
	assert.EqualValues(t, 3, g.served())
}
