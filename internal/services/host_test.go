package services_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

// TestAControlEndpointLeadsToNoRealHost: neither its own address nor one that it
// answers with.
func TestAControlEndpointLeadsToNoRealHost(t *testing.T) {
	t.Parallel()
	var answer string
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
	t.Cleanup(control.Close)
	join := func(base string) error {
		_, err := services.Join(func(name string) string { return map[string]string{"HSHARNESS_CONTROL_URL": base}[name] }, services.Rules{})
		return err
	}
	require.ErrorAs(t, join("https://IDENTITY.avalara.com."), new(*guard.ProductionError))
	require.ErrorContains(t, join("https://identity。avalara。com"), "plain ASCII")
	for _, name := range []string{"identity_url", "token_url", "api_url", "legacy_api_url", "managed_api_url"} {
		answer = `{"id":"1","mode":"offline","sandbox":{"` + name + `":"https://hscode.api.sbx.avalara.com:443/x"}}`
		require.ErrorAs(t, join(control.URL), new(*guard.PastGuardError), name)
		answer = `{"id":"1","mode":"offline","production":{"` + name + `":"https://hscode.api.avalara.com"}}`
		require.ErrorAs(t, join(control.URL), new(*guard.ProductionError), name)
	}
	answer = `{"id":"1","mode":"offline","control_url":"https://hscode.api.avalara.com"}`
	require.ErrorAs(t, join(control.URL), new(*guard.ProductionError))
}

func TestServersListenWhereTheySayTheyDo(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", "2130706433:0", "127.1:0", "0177.0.0.1:0", "localhost.example:0", ":0"} {
		l, _, err := services.Addresses{}.Open(addr)
		if !assert.ErrorAs(t, err, new(*services.NotLoopbackError), addr) && l != nil {
			_ = l.Close()
		}
	}
	for _, addr := range []string{"localhost:0", "127.0.0.2:0", "[::1]:0"} {
		l, _, err := services.Addresses{}.Open(addr)
		if assert.NoError(t, err, addr) {
			_ = l.Close()
		}
	}
}
