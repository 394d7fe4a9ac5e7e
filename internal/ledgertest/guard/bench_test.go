package guard_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

// freeMeter costs nothing, so that the guard's own work is left.
type freeMeter struct{}

func (freeMeter) Spend(context.Context, quota.SpendSpec) (quota.Entry, error) {
	return quota.Entry{}, nil
}
func (freeMeter) Check(context.Context) error                { return nil }
func (freeMeter) Settle(quota.Settlement) error              { return nil }
func (freeMeter) Deny(error)                                 {}
func (freeMeter) Exhaust(context.Context, int, string) error { return nil }

// BenchmarkBuy compares a bought answer with the same request over a bare
// transport that, like the guard's, keeps no connection.
func BenchmarkBuy(b *testing.B) {
	b.Run("guard", func(b *testing.B) {
		l := newLive(b, liveConfig{Meter: func(guard.Meter) guard.Meter { return freeMeter{} }})
		transport := l.guard.Transport(avalara.Sandbox, avalara.Current)
		token := "Bearer " + dummyToken(b, avalara.ScopeHSCode, l.now)
		benchmark(b, transport, l.apiURL, token)
	})
	b.Run("bare", func(b *testing.B) {
		api := httptest.NewServer(text(200, ""))
		defer api.Close()
		benchmark(b, &http.Transport{DisableKeepAlives: true}, api.URL, "Bearer real")
	})
}

func benchmark(b *testing.B, transport http.RoundTripper, base, token string) {
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, base+hints, strings.NewReader(`{"a":1}`))
		require.NoError(b, err)
		r.Header.Set("Authorization", token)
		resp, err := transport.RoundTrip(r)
		require.NoError(b, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		require.NoError(b, resp.Body.Close())
	}
}
