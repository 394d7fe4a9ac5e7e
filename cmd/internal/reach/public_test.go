package reach

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

func TestPublicURLs(t *testing.T) {
	t.Parallel()
	all, err := Public{
		"identity=https://HS.local:8700/", "api=https://hs.local:443", "legacy=http://10.1.2.3:1", "managed=http://[fd00::1]:2",
		"production.identity=http://hs.local:8701", "control=http://localhost:9",
	}.Read(ServeServices(), true)
	require.NoError(t, err)
	assert.Equal(t, services.Public{
		Sandbox:    services.URLs{Identity: "https://hs.local:8700", API: "https://hs.local", Legacy: "http://10.1.2.3:1", Managed: "http://[fd00::1]:2"},
		Production: services.URLs{Identity: "http://hs.local:8701"}, Control: "http://localhost:9",
	}, all)
	for _, name := range ServeServices() {
		one, err := Public{name + "=http://x.local"}.Read(ServeServices(), true)
		require.NoError(t, err, name)
		assert.NotEqual(t, services.Public{}, one, name)
	}
	for _, wrong := range []string{
		"", "identity", "identity=", "identity=hs.local", "identity=ftp://hs.local", "identity=https://hs.local/path", "identity=https://hs.local?a", "identity=https://hs.local#a",
		"identity=https://u:p@hs.local", "identity=https://hs.local:0", "identity=https://hs.local:65536", "identity=https://hs。local", "identity=http://127.1",
		"token=https://hs.local", "production=https://hs.local", "production.control=https://hs.local", "sandbox.api=https://hs.local", "Identity=https://hs.local", "=https://hs.local",
	} {
		_, err := Public{wrong}.Read(ServeServices(), true)
		assert.ErrorContains(t, err, "--public-url", wrong)
	}
	_, err = Public{"api=http://a", "api=http://b"}.Read(ServeServices(), true)
	require.ErrorContains(t, err, "api is there twice")
	same := Public{"identity=http://a", "api=http://a:80"}
	_, err = same.Read(ServeServices(), true)
	require.ErrorContains(t, err, "have one URL")
	_, err = same.Read(GatewayServices(), false)
	require.NoError(t, err, "a gateway is one server")
	_, err = Public{"control=http://a"}.Read(GatewayServices(), false)
	require.ErrorContains(t, err, "want SERVICE=URL")

	// Whoever is sent there would show a real credential, or spend.
	_, err = Public{"identity=https://identity.avalara.com"}.Read(ServeServices(), true)
	require.ErrorAs(t, err, new(*guard.ProductionError))
	_, err = Public{"api=https://HSCODE.api.sbx.avalara.com."}.Read(ServeServices(), true)
	require.ErrorAs(t, err, new(*guard.PastGuardError))
}
