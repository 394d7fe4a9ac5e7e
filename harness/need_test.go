package harness_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/quota"
)

func TestNeedFailsATestThatCostsMore(t *testing.T) {
	t.Parallel()
	for need, want := range map[int]string{
		1: "harness: the requests cost 2 units, more than the 1 that Need says (2 requests)", 2: "", 3: "",
	} {
		rec := &recorder{TB: t}
		h := harness.Start(rec, harness.Options{})
		h.Need(need)
		for range 2 {
			_, err := classify(h.Client(), h.APIURL(), "laptop")
			require.NoError(t, err)
		}
		assert.Empty(t, rec.errors)
		for i := range rec.cleanups { // the last one first, as a test does
			rec.cleanups[len(rec.cleanups)-1-i]()
		}
		assert.Equal(t, want, strings.Join(rec.errors, "\n"))
	}
}

// countless is a ledger that allows everything: what these tests are about is
// asked before.
type countless struct{}

func (countless) Spend(context.Context, quota.SpendSpec) (quota.Entry, error) {
	return quota.Entry{}, nil
}
func (countless) Check(context.Context) error                { return nil }
func (countless) Settle(quota.Settlement) error              { return nil }
func (countless) Deny(error)                                 {}
func (countless) Exhaust(context.Context, int, string) error { return nil }

// metered puts this test's process inside an exec that buys from a sandbox, of
// whose requests it counts those that were served.
func metered(t *testing.T, mode guard.Mode, units int) (served *atomic.Int64) {
	t.Helper()
	served = new(atomic.Int64)
	sandbox := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == avalara.PathToken {
			_, _ = w.Write([]byte(`{"access_token":"real","token_type":"Bearer","expires_in":3600}`))
			return
		}
		served.Add(1)
		_, _ = w.Write([]byte(`{"hsCode":"8471300000"}`))
	}))
	t.Cleanup(sandbox.Close)
	var ids atomic.Int64
	purchase, err := guard.NewPurchase(guard.PurchaseConfig{
		Meter: countless{}, Max: units,
		Upstream:   guard.Upstream{Identity: sandbox.URL, APIs: map[avalara.API]string{avalara.Current: sandbox.URL}},
		Credential: guard.Credential{ClientID: "id", ClientSecret: "secret"},
		NewID:      func() string { return "s" + strconv.FormatInt(ids.Add(1), 10) },
	})
	require.NoError(t, err)
	cassette, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
	require.NoError(t, err)
	outer, err := services.New(services.Config{Mode: mode, Purchase: purchase, Cassette: guard.NewCassette(cassette, 0)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = outer.Close() })
	enter(t, outer)
	return served
}

func TestNeedIsAskedBeforeAnythingIsSent(t *testing.T) {
	served := metered(t, guard.Live, 3)
	h := harness.Start(t, harness.Options{})
	h.Need(3)
	for _, title := range []string{"laptop", "laptop"} { // live buys each
		_, err := classify(h.Client(), h.APIURL(), title)
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, served.Load())

	rec := &fatalRecorder{recorder: recorder{TB: t}}
	next := harness.Start(rec, harness.Options{})
	assert.Panics(t, func() { next.Need(2) })
	assert.Equal(t, "harness: this test needs 2 units and its run has 1 left, so nothing was sent; "+
		"repeat hsharness exec with a --max-spend that is larger by 1", rec.fatal)
	next.Need(1)
	assert.EqualValues(t, 2, served.Load())
}

func TestNeedLetsARecordingRunBegin(t *testing.T) {
	metered(t, guard.Record, 1)
	h := harness.Start(t, harness.Options{})
	h.Need(2)
	for range 2 { // the second one is a recording
		_, err := classify(h.Client(), h.APIURL(), "laptop")
		require.NoError(t, err)
	}
}
