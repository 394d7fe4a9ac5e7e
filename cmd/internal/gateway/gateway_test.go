package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp/control"
	"github.com/hsharness/hsharness/quota"
)

func TestGatewayKeepsTheBudgetsBesideTheCaps(t *testing.T) {
	g := newTeam(t, 100, 10, map[string]int64{"shop": 50, "ci": 50, "late": 1})
	g.gateway.meter.budgets = []quota.Rule{{Match: quota.Match{Suite: "suite-of-shop"}, MaxPerRun: 3, MaxTotal: 5}, {MaxPerRun: 8}}
	for range 5 {
		status, body := g.ask("shop")
		require.Equal(t, 200, status, body)
	}
	status, body := g.ask("shop")
	assert.Equal(t, 424, status)
	assert.Contains(t, body, "budget 1: max_total 5, 5 used")
	status, _ = g.ask("ci")
	assert.Equal(t, 200, status)
	for _, run := range g.runs() {
		assert.LessOrEqual(t, run.Max, int64(8))
		if run.Actor == "shop" {
			assert.LessOrEqual(t, run.Max, int64(3))
		}
	}
	status, _ = g.ask("late")
	assert.Equal(t, 200, status)
	status, _ = g.ask("late")
	assert.Equal(t, 424, status, "a budget that matches does not hide the cap")

	// A refusal is not written down with every request, and not for ever.
	before := g.entries(quota.KindBlock)
	for range 10 {
		status, _ := g.ask("shop")
		require.Equal(t, 424, status)
	}
	assert.Equal(t, before, g.entries(quota.KindBlock))
	g.gateway.meter.budgets = nil
	g.later(refusedTime)
	status, _ = g.ask("shop")
	assert.Equal(t, 200, status)
}

// Two instances and many callers of one key: never more than its cap, and all of
// it is there for those who come later.
func TestGatewayCapHoldsOverInstances(t *testing.T) {
	const most = 25
	one := newTeam(t, 200, 4, map[string]int64{"shop": most, "ci": 100})
	two := one.instance(7)
	var served, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			status, body := []*team{one, two}[i%2].ask("shop")
			switch {
			case status == 200:
				served.Add(1)
			case status == 424 && strings.Contains(body, `"verdict":"blocked"`):
				refused.Add(1)
			default:
				t.Errorf("%d %s", status, body)
			}
		})
	}
	all.Wait()
	assert.LessOrEqual(t, served.Load(), int64(most))
	assert.EqualValues(t, 60, served.Load()+refused.Load())
	assert.Equal(t, served.Load(), one.served())
	for _, g := range []*team{one, two} {
		g.later(idleTime + time.Second)
		g.gateway.meter.sweep()
	}
	require.Zero(t, one.settled().Held+two.settled().Held)
	for served.Load() < most {
		status, body := one.ask("shop")
		require.Equal(t, 200, status, body)
		served.Add(1)
	}
	status, body := one.ask("shop")
	assert.Equal(t, 424, status)
	assert.Contains(t, body, "may draw 25 units in all, has drawn or holds 25, and needs 1 more")
	status, _ = two.ask("ci")
	assert.Equal(t, 200, status, "another key's cap is its own")
	for _, run := range one.runs() {
		assert.Zero(t, run.Unknown)
	}
	assert.EqualValues(t, most+1, one.served())
	assert.EqualValues(t, most+1, one.settled().Spent)
	one.verify()
}

func TestGatewayPausesWhenTheSandboxSaysStop(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50, "ci": 50})
	stop := func() { require.NoError(t, g.server.Faults.Add(control.Fault{On: "api", Status: 429, Times: 1})) }
	asks := func(key string, want int) {
		t.Helper()
		status, body := g.ask(key)
		require.Equal(t, want, status, body)
	}
	asks("ci", 200)
	stop()
	asks("shop", 429)
	asks("shop", 424)
	asks("ci", 424)
	_, body := g.ask("ci")
	assert.Contains(t, body, `"verdict":"stopped"`)
	assert.Contains(t, body, "the sandbox answered 429")
	assert.Zero(t, g.settled().Held, "what the keys held went back")
	assert.EqualValues(t, 2, g.settled().Spent)
	g.later(firstPause - time.Second)
	asks("ci", 424)
	g.later(time.Second)
	stop()
	asks("ci", 429) // again: twice as long
	g.later(firstPause)
	asks("ci", 424)
	g.later(firstPause)
	asks("ci", 200)
	stop()
	asks("shop", 429) // an answer in between: as at first
	g.later(firstPause)
	asks("shop", 200)
	for range 9 { // and never longer than an hour
		stop()
		asks("ci", 429)
		g.later(lastPause)
	}
	asks("ci", 200)
	g.verify()
}

func TestGatewayOfAnExhaustedSandbox(t *testing.T) {
	g := newTeam(t, 3, 4, map[string]int64{"shop": 50})
	_, err := g.gateway.ledger.Store.Grant(t.Context(), quota.GrantSpec{ID: "more", Units: 50})
	require.NoError(t, err)
	for range 3 {
		status, _ := g.ask("shop")
		require.Equal(t, 200, status)
	}
	status, _ := g.ask("shop")
	assert.Equal(t, 429, status, "the sandbox's own answer")
	_, body := g.ask("shop")
	assert.Contains(t, body, "its allowance is exhausted")
	g.later(lastPause)
	status, body = g.ask("shop")
	assert.Equal(t, 424, status)
	assert.Contains(t, body, "exhausted")
	assert.True(t, g.settled().Exhausted)
	assert.EqualValues(t, 3, g.served())
	assert.EqualValues(t, 4, g.settled().Spent)

	_, err = g.gateway.ledger.Client.Reconcile(t.Context(), quota.ReconcileSpec{ID: "counted", Observed: 3, Note: "x"})
	require.NoError(t, err)
}

// The real credential, and the keys themselves, are nowhere but where they
// belong.
func TestGatewayKeepsSecrets(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	status, _ := g.ask("shop")
	require.Equal(t, 200, status)
	var seen strings.Builder
	for _, path := range []string{"/", "/metrics", "/readyz"} {
		w := httptest.NewRecorder()
		g.gateway.Operations().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, 200, w.Code, path)
		seen.WriteString(w.Body.String())
	}
	seen.WriteString(g.token("shop"))
	files, err := filepath.Glob(filepath.Join(g.dir, "*"))
	require.NoError(t, err)
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil {
			seen.Write(data)
		}
	}
	for e, err := range g.gateway.ledger.Store.Entries(t.Context(), 0) {
		require.NoError(t, err)
		fmt.Fprintf(&seen, "%+v", e)
	}
	assert.Contains(t, seen.String(), "suite-of-shop")
	for _, secret := range []string{realSecret, g.keys["shop"]} {
		assert.NotContains(t, seen.String(), secret)
	}
	for _, e := range g.server.Journal.Entries(0) {
		assert.NotContains(t, fmt.Sprintf("%+v", e), g.keys["shop"], "the key stays at the gateway")
	}
}

// TestGatewayDoesNotTellItsCallersOfItsLedger: where it is, and what is wrong with it,
// is for the log.
func TestGatewayDoesNotTellItsCallersOfItsLedger(t *testing.T) {
	g := newTeam(t, 10, 1, map[string]int64{"shop": 5})
	file := filepath.Join(g.dir, ".hsharness", "ledger.db")
	away := file + ".away"
	require.NoError(t, os.Rename(file, away))
	status, body := g.ask("shop")
	require.NoError(t, os.Rename(away, file))
	assert.Equal(t, 424, status)
	assert.Contains(t, body, `"verdict":"ledger-unavailable"`)
	assert.Contains(t, body, "finds the reason in its log")
	assert.NotContains(t, body, filepath.Base(g.dir))
	assert.NotContains(t, body, "ledger.db")
	assert.Zero(t, g.served())
}

// TestMetricsAskTheLedger: the allowance is the ledger's, and where it can't be asked no
// figure of before is shown.
func TestMetricsAskTheLedger(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	status, _ := g.ask("shop")
	require.Equal(t, 200, status)
	said := func(ctx context.Context) string {
		w := httptest.NewRecorder()
		g.gateway.Operations().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
		require.Equal(t, 200, w.Code)
		return w.Body.String()
	}
	has := said(t.Context())
	for _, line := range []string{
		`hsharness_ledger_up 1`, `hsharness_allowance_units{state="granted"} 100`, `hsharness_allowance_units{state="spent"} 1`,
		`hsharness_units_spent_total{key="shop"} 1`, `hsharness_requests_total{key="shop",verdict="bought"} 1`,
		`hsharness_ledger_seconds_count{call="spend"} 1`,
	} {
		assert.Contains(t, has, "\n"+line+"\n")
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	has = said(late)
	assert.Contains(t, has, "\nhsharness_ledger_up 0\n")
	assert.NotContains(t, has, "hsharness_allowance_units")
	assert.Contains(t, has, `hsharness_units_spent_total{key="shop"} 1`)
}
