package reach

import (
	"crypto/x509"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/services"
)

func TestNamesOfACertificate(t *testing.T) {
	t.Parallel()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	cfg, err := TLS{On: true, CAFile: authority, Names: []string{"HS.local.", "*.svc.local", "10.1.2.3", "fd00::1", "[fd00::2]"}}.Config(services.Public{Control: "https://control.local:1", Production: services.URLs{API: "http://plain.local"}}, "127.0.0.2:1", "gate.local:2")
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(cfg.Certificates[0].Certificate[0])
	require.NoError(t, err)
	assert.FileExists(t, authority)
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "127.0.0.2", "gate.local", "control.local", "hs.local", "a.svc.local", "10.1.2.3", "fd00::1", "fd00::2"} {
		assert.NoError(t, leaf.VerifyHostname(name), name)
	}
	assert.Error(t, leaf.VerifyHostname("svc.local"))
	assert.Error(t, leaf.VerifyHostname("other.local"))
	assert.Error(t, leaf.VerifyHostname("plain.local"))

	for _, wrong := range []string{"", "hs.local:8700", "a b", "hs。local", "127.1", "*.10.1.2.3", "*.*.local", "*", "https://hs.local"} {
		_, err := TLS{On: true, CAFile: authority, Names: []string{wrong}}.Config(services.Public{})
		assert.ErrorContains(t, err, "--tls-name: ", wrong)
	}
	_, err = TLS{Names: []string{"hs.local"}}.Config(services.Public{})
	require.ErrorContains(t, err, "add --tls")
	cfg, err = TLS{}.Config(services.Public{})
	require.NoError(t, err)
	assert.Nil(t, cfg)
}
