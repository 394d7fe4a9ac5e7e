package clients

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseClientsReadsBothFormsOfASecret(t *testing.T) {
	clients, resources, err := parseClients("c.yaml", []byte(
		"version: 1\nclients:\n  - id: a\n    secrets: [one, { value: two, expires: 2027-01-02T03:04:05Z }]\n    claims: { z: 1, b: x }\nresources: [ { name: r, scopes: [s] } ]\n"))
	require.NoError(t, err)
	require.Len(t, clients, 1)
	require.Len(t, clients[0].Secrets, 2)
	assert.Equal(t, "one", clients[0].Secrets[0].Value)
	assert.True(t, clients[0].Secrets[0].Expires.IsZero())
	assert.Equal(t, "two", clients[0].Secrets[1].Value)
	assert.Equal(t, 2027, clients[0].Secrets[1].Expires.Year())
	assert.Equal(t, []string{"z", "b"}, []string{clients[0].Claims[0].Name, clients[0].Claims[1].Name}, "claims keep their order")
	require.Len(t, resources, 1)
	assert.Equal(t, "r", resources[0].Name)
}

func TestParseClientsReadsThoseOfDevices(t *testing.T) {
	clients, _, err := parseClients("c.yaml", []byte("version: 1\nclients: [ { id: a, public: true, grants: [x] }, { id: b } ]\n"))
	require.NoError(t, err)
	assert.Equal(t, []bool{true, false}, []bool{clients[0].Public, clients[1].Public})
	_, _, err = parseClients("c.yaml", []byte("version: 1\nclients: [ { id: a, public: often } ]\n"))
	require.ErrorContains(t, err, "c.yaml:2:")
}

func FuzzParseClients(f *testing.F) {
	f.Add("version: 1\nclients: [ { id: a, secrets: [b], token_lifetime: 1h, claims: { x: [1] } } ]\nresources: [ { name: r } ]\n")
	f.Add("version: 1\nclients:\n  - id: a\n    secret: top-secret-4711\n")
	f.Add("version: 1\nclients: [ { id: a, secrets: [ { value: top-secret-4711, expires: never } ] } ]\n")
	f.Add("clients: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		clients, _, err := parseClients("c.yaml", []byte(text))
		if err == nil {
			assert.NotEmpty(t, clients)
			for _, c := range clients {
				assert.NoError(t, c.Validate())
			}
			return
		}
		assert.True(t, strings.HasPrefix(err.Error(), "c.yaml:"), err)
	})
}
