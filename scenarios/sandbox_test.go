package scenarios_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
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

// purchase is how a guard buys from the sandbox, with more units than any
// test needs. spent is how many it wrote down.
func (s sandbox) purchase(t *testing.T) (purchase *guard.Purchase, spent func() int64) {
	t.Helper()
	const most = 500
	ledger := &counter{}
	var ids atomic.Int64
	urls := s.Endpoints.Sandbox
	purchase, err := guard.NewPurchase(guard.PurchaseConfig{
		Meter: ledger, Max: most,
		Upstream: guard.Upstream{Identity: urls.Identity, APIs: map[avalara.API]string{
			avalara.Current: urls.API, avalara.Legacy: urls.Legacy, avalara.Managed: urls.Managed,
		}},
		Credential: guard.Credential{ClientID: accountID, ClientSecret: licenseKey},
		NewID:      func() string { return "spend-" + strconv.FormatInt(ids.Add(1), 10) },
	})
	require.NoError(t, err)
	return purchase, ledger.units.Load
}

// counter is a ledger that allows everything and remembers how much it was.
type counter struct{ units atomic.Int64 }

func (c *counter) Spend(_ context.Context, spec quota.SpendSpec) (quota.Entry, error) {
	c.units.Add(spec.Units)
	return quota.Entry{}, nil
}
func (*counter) Check(context.Context) error                { return nil }
func (*counter) Settle(quota.Settlement) error              { return nil }
func (*counter) Deny(error)                                 {}
func (*counter) Exhaust(context.Context, int, string) error { return nil }
