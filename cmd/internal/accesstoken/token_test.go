package accesstoken_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/accesstoken"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	minted, err := accesstoken.Mint(avalara.Production, mockidp.Claims{ClientID: "shop", Scopes: []string{avalara.ScopeAvaTax}})
	require.NoError(t, err)
	decoded, err := accesstoken.Decode(minted)
	require.NoError(t, err)
	assert.Contains(t, string(decoded.Header), `"alg":"RS256"`)
	assert.Contains(t, string(decoded.Payload), avalara.IdentityURL(avalara.Production))
	var out strings.Builder
	require.NoError(t, decoded.Print(&out))
	assert.Contains(t, out.String(), "\"client_id\": \"shop\"")
	assert.True(t, strings.HasSuffix(out.String(), "\n"+minted+"\n"))

	_, err = accesstoken.Mint("moon", mockidp.Claims{})
	require.EqualError(t, err, `--environment "moon" is neither sandbox nor production`)
	for _, wrong := range []string{"", "a.b", "e30.e30.x.y", "!.e30.x", "e30.YQ.x"} {
		_, err = accesstoken.Decode(wrong)
		assert.ErrorContains(t, err, "the access token is no JWT", wrong)
	}
}

// What an endpoint refuses is told by its status and the error's name, not by its text.
func TestFetchRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "id", r.FormValue("client_id"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_client","error_description":"some-secret"}`))
	}))
	defer server.Close()
	_, err := accesstoken.Fetch(t.Context(), server.URL, "id", "some-secret", nil)
	require.EqualError(t, err, server.URL+" answered 400 invalid_client")
}
