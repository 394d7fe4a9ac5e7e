package scenarios_test

import (
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// The account's credential, which the guard alone holds.
const (
	accountID  = "1100012345"
	licenseKey = "a-license-key-of-some-length"
)

// sandbox is what `hsharness serve` runs, in the place of the real one.
type sandbox struct{ *services.Server }

func newSandbox(t *testing.T) sandbox {
	t.Helper()
	client := mockidp.Client{ID: accountID, Secrets: []mockidp.Secret{{Value: licenseKey}}, Scopes: avalara.Scopes()}
	const anyPort = "127.0.0.1:0"
	s, err := services.Serve(services.Config{Clients: []mockidp.Client{client}}, services.Addresses{Identity: anyPort, API: anyPort, Control: anyPort})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() }) // closed twice does no harm
	return sandbox{s}
}

// purchase is how a guard buys from the sandbox, with a run of a ledger of its
// own that has more units than any test needs. spent ends the run and asks the
// ledger.
func (s sandbox) purchase(t *testing.T) (purchase *guard.Purchase, spent func() int64) {
	t.Helper()
	const granted, most = 1000, 500
	store, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: granted})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	ledger := quota.Client{Store: store, Loopback: true}
	run, err := ledger.Begin(t.Context(), quota.RunSpec{ID: "shipped", Max: most, Mode: "record"}, nil)
	require.NoError(t, err)
	var ids atomic.Int64
	urls := s.Endpoints.Sandbox
	purchase, err = guard.NewPurchase(guard.PurchaseConfig{
		Meter: guard.Metered(run, store), Max: most,
		Upstream: guard.Upstream{Identity: urls.Identity, APIs: map[avalara.API]string{
			avalara.Current: urls.API, avalara.Legacy: urls.Legacy, avalara.Managed: urls.Managed,
		}},
		Credential: guard.Credential{ClientID: accountID, ClientSecret: licenseKey},
		NewID:      func() string { return "spend-" + strconv.FormatInt(ids.Add(1), 10) },
	})
	require.NoError(t, err)
	return purchase, func() int64 {
		_, err := run.End(t.Context(), quota.Counters{})
		require.NoError(t, err)
		status, err := store.Status(t.Context())
		require.NoError(t, err)
		return status.Spent
	}
}
