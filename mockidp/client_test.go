package mockidp_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// TestOAuth2Client lets the client most Go programs use ask in each of its
// styles. Its id and secret have characters that it must encode.
func TestOAuth2Client(t *testing.T) {
	const id, secret = "a b+c", "p+q%41 r:é"
	idp, _ := start(t, mockidp.Config{Clients: []mockidp.Client{{ID: id, Secrets: []mockidp.Secret{{Value: secret}}}}})
	for name, tt := range map[string]struct {
		style oauth2.AuthStyle
		calls int // that a refused token costs
	}{
		"in header":   {oauth2.AuthStyleInHeader, 1},
		"in params":   {oauth2.AuthStyleInParams, 1},
		"auto detect": {oauth2.AuthStyleAutoDetect, 2}, // it tries the header, then the body
	} {
		t.Run(name, func(t *testing.T) {
			config := func(secret string) *clientcredentials.Config { // one that has learnt no style yet
				return &clientcredentials.Config{
					ClientID: id, ClientSecret: secret, TokenURL: idp.TokenURL(), AuthStyle: tt.style,
					Scopes: []string{"avatax_api"},
				}
			}
			token, err := config(secret).Token(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "Bearer", token.TokenType)
			assert.Equal(t, "avatax_api", token.Extra("scope"))

			idp.Journal().Clear()
			_, err = config("wrong").Token(t.Context())
			var refused *oauth2.RetrieveError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "invalid_client", refused.ErrorCode)
			assert.Empty(t, refused.ErrorDescription)
			assert.Equal(t, http.StatusBadRequest, refused.Response.StatusCode)
			assert.Equal(t, tt.calls, idp.Journal().Count(func(e control.Entry) bool { return e.Client == id }))
		})
	}
}
