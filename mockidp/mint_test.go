package mockidp_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

func TestMintOfNothingIsAGoodToken(t *testing.T) {
	idp, _ := start(t, mockidp.Config{Clock: stopped(), Clients: []mockidp.Client{}})
	_, err := idp.Mint(mockidp.Claims{})
	require.Error(t, err, "a tenant without clients")

	idp, srv := start(t, mockidp.Config{Clock: stopped()})
	token, err := idp.Mint(mockidp.Claims{})
	require.NoError(t, err)
	minted := split(t, token)
	issued, _ := request{body: good}.send(t, srv).granted(t)
	want := split(t, issued).claims(t)
	got := minted.claims(t)
	delete(want, "jti")
	delete(got, "jti")
	assert.Equal(t, want, got)
	assert.NoError(t, minted.verify(t, srv))
}

func TestMintChecksNeitherClientNorScopes(t *testing.T) {
	idp, _ := start(t, mockidp.Config{Clock: stopped()})
	token, err := idp.Mint(mockidp.Claims{ClientID: "who", Scopes: []string{"z", "a"}, Lifetime: time.Minute})
	require.NoError(t, err)
	claims := split(t, token).claims(t)
	assert.Equal(t, "who", claims["client_id"])
	assert.Equal(t, []any{"a", "z"}, claims["scope"])
	assert.NotContains(t, claims, "aud")
	assert.InDelta(t, noon.Add(time.Minute).Unix(), claims["exp"], 0)

	for _, c := range []mockidp.Claims{{Defect: "odd"}, {Lifetime: -time.Second}, {Lifetime: time.Millisecond}} {
		_, err = idp.Mint(c)
		require.Error(t, err, "%+v", c)
	}
}

// TestMintDefects checks that each bad token is bad in its one way, and that
// every defect has a row.
func TestMintDefects(t *testing.T) {
	idp, srv := start(t, mockidp.Config{Clock: stopped()})
	good, err := idp.Mint(mockidp.Claims{})
	require.NoError(t, err)
	sound := split(t, good).claims(t)

	type changes map[string]any // claims that differ from a good token's; nil: absent
	tests := map[mockidp.Defect]struct {
		claims changes
		verify string // the error of an independent check
	}{
		mockidp.Expired: {claims: changes{
			"nbf": unix(-2 * time.Hour), "iat": unix(-2 * time.Hour), "exp": unix(-time.Hour),
		}},
		mockidp.NotYetValid: {claims: changes{
			"nbf": unix(time.Hour), "iat": unix(time.Hour), "exp": unix(2 * time.Hour),
		}},
		mockidp.WrongIssuer:   {claims: changes{"iss": "https://wrong-issuer.invalid"}},
		mockidp.WrongAudience: {claims: changes{"aud": "wrong-audience"}},
		mockidp.UnknownKID:    {verify: "is not published"},
		mockidp.BadSignature:  {verify: "verification error"},
		mockidp.AlgNone:       {verify: "is not published"},
		mockidp.WrongScope:    {claims: changes{"scope": []any{"wrong-scope"}}},
		mockidp.NoScope:       {claims: changes{"scope": nil}},
		mockidp.ScopeString:   {claims: changes{"scope": bothScope}},
	}
	assert.Len(t, tests, len(mockidp.Defects()))
	for _, defect := range mockidp.Defects() {
		t.Run(string(defect), func(t *testing.T) {
			tt, ok := tests[defect]
			require.True(t, ok, "no row")
			token, err := idp.Mint(mockidp.Claims{Defect: defect})
			require.NoError(t, err)
			bad := split(t, token)
			want := map[string]any{}
			for name, v := range sound {
				want[name] = v
			}
			for name, v := range tt.claims {
				want[name] = v
				if v == nil {
					delete(want, name)
				}
			}
			got := bad.claims(t)
			want["jti"] = got["jti"]
			assert.Equal(t, want, got)
			if err := bad.verify(t, srv); tt.verify == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tt.verify)
			}
			if defect == mockidp.AlgNone {
				assert.Equal(t, `{"alg":"none","typ":"at+jwt"}`, bad.header)
				assert.Empty(t, bad.signature)
			} else {
				assert.Len(t, bad.signature, 256)
			}
		})
	}
}

// unix is a claim's time, d after noon, as encoding/json reads it.
func unix(d time.Duration) any { return float64(noon.Add(d).Unix()) }

func TestTokenFaultsSpoilTheTokenAlone(t *testing.T) {
	for _, defect := range control.TokenDefects() {
		t.Run(defect, func(t *testing.T) {
			idp, srv := start(t, mockidp.Config{Clock: stopped()})
			require.NoError(t, idp.Faults().Add(control.Fault{On: "token", Token: defect}))
			got := request{body: good}.send(t, srv)
			require.Equal(t, 200, got.status)
			var body map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.body), &body))
			assert.Equal(t, bothScope, body["scope"])
			bad := split(t, body["access_token"].(string))
			if defect == "missing_expires_in" {
				assert.NotContains(t, body, "expires_in")
				assert.NoError(t, bad.verify(t, srv))
			} else {
				assert.InDelta(t, 3600, body["expires_in"], 0)
				want, err := idp.Mint(mockidp.Claims{Defect: mockidp.Defect(defect)})
				require.NoError(t, err)
				claims, minted := bad.claims(t), split(t, want).claims(t)
				claims["jti"], minted["jti"] = "", ""
				assert.Equal(t, minted, claims)
			}
			assert.True(t, idp.Journal().Entries(0)[0].Faulted)
			_, _ = request{body: good}.send(t, srv).granted(t) // the next is good
		})
	}
}
