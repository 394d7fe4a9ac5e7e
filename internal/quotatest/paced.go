package quotatest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// pacedShards is how many processes share a pace, and pacedAtOnce how many requests
// each of them has under way.
const pacedShards, pacedAtOnce = 6, 3

// paced sends n requests of a run to url as a guard does: a turn, the spend, and the
// request at the moment of its turn.
func (a *actor) paced(ctx context.Context, run string, n int64, rate, url string) error {
	if _, err := a.store.Begin(ctx, quota.RunSpec{ID: run, Max: n, Process: quota.ThisProcess()}, nil); err != nil {
		return err
	}
	pacer := pace.New(pace.Config{Keeper: a.store.(pace.Keeper), Run: run, Rates: pace.ParseAll([]string{rate})})
	var next atomic.Int64
	var first error
	var failed sync.Once
	var all sync.WaitGroup
	for range pacedAtOnce {
		all.Go(func() {
			for i := next.Add(1); i <= n; i = next.Add(1) {
				if err := a.pacedRequest(ctx, pacer, run, i, url); err != nil {
					failed.Do(func() { first = err })
					return
				}
			}
		})
	}
	all.Wait()
	return first
}

func (a *actor) pacedRequest(ctx context.Context, pacer *pace.Pacer, run string, n int64, url string) error {
	turn, err := pacer.Wait(ctx)
	if err != nil {
		return err
	}
	if _, err := a.store.Spend(ctx, quota.SpendSpec{ID: spendID(run, n), Run: run, Units: 1}); err != nil {
		return err
	}
	if err := onTime(ctx, turn); err != nil {
		return err
	}
	resp, err := http.Get(url + "?run=" + run) //nolint:noctx // the process is killed at the end
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// onTime waits for the moment of a turn, and of another one where that was missed.
func onTime(ctx context.Context, turn pace.Turn) error {
	for {
		err := turn.Ready(ctx)
		if errors.Is(err, pace.ErrLate) {
			if turn, err = turn.Again(ctx); err == nil {
				continue
			}
		}
		return err
	}
}

// Paced has processes share a pace until a service that counts strictly has seen so
// many requests; where some are to be killed, a third of the shards is, half-way.
func (p Processes) Paced(t *testing.T, place func(string) string, rate string, requests int, kills bool) {
	s := p.share(t, 100_000, long)
	rates := pace.ParseAll([]string{rate})
	require.Len(t, rates, 1, rate)
	strict := requests >= 1000 // fewer are asked beside all other tests
	window, unequal := Window{Rates: rates}, 2.0
	if !strict {
		window.Slack, unequal = rates[0].Per/4, 4
	}
	var mu sync.Mutex
	shares, total := map[string]int{}, 0
	half, done := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refused := window.Come()
		mu.Lock()
		defer mu.Unlock()
		if total++; total > rates[0].Turns { // before that there is room for all, and nobody waits
			shares[r.FormValue("run")]++
		}
		switch total {
		case requests / 2:
			close(half)
		case requests:
			close(done)
		}
		if refused {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	began := time.Now()
	children := make([]*child, pacedShards)
	for i := range children {
		children[i] = p.start(t, place(s.place), How{Lease: long})
	}
	for i, c := range children {
		c.must("ready")
		c.tell("paced run%d %d %s %s", i, requests, rate, server.URL)
	}
	wait := func(c <-chan struct{}) {
		select {
		case <-c:
		case <-time.After(2*time.Duration(requests/rates[0].Turns)*rates[0].Per + time.Minute):
			t.Error("the requests did not come in twice their time")
		}
	}
	wait(half)
	if kills {
		for _, c := range children[:pacedShards/3] {
			c.kill()
		}
		children = children[pacedShards/3:]
	}
	wait(done)
	came, refused, took := window.Judged()
	for _, c := range children {
		c.kill()
	}
	mu.Lock()
	defer mu.Unlock()
	var counts []int
	for _, n := range shares {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	allowed := float64(rates[0].Turns) * (1 + took.Seconds()/rates[0].Per.Seconds())
	t.Logf("%d requests of %d processes at %s in %s (with their start %s): %d answered 429, %.1f %% of the allowed rate, shares %v, killed: %t",
		came, pacedShards, rate, took.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), refused, 100*float64(came)/allowed, counts, kills)
	assert.Zero(t, refused)
	assert.Len(t, counts, pacedShards)
	if strict { // the first and the last of fewer weigh too much
		assert.GreaterOrEqual(t, float64(came)/allowed, 0.95)
	}
	if least, most := counts[0], counts[len(counts)-1]; !kills {
		assert.LessOrEqual(t, float64(most-least), max(0.1*float64(most), unequal), fmt.Sprint(counts))
	}
}
