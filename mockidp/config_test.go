package mockidp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

func TestZeroConfigIsTheSandbox(t *testing.T) {
	idp, err := mockidp.New(mockidp.Config{Keys: keys})
	require.NoError(t, err)
	assert.Equal(t, "https://ai-sbx.avlr.sh", idp.Issuer())
	assert.Equal(t, mockidp.Sandbox().Issuer, idp.Issuer())
	assert.Equal(t, "https://identity.avalara.com", mockidp.Production().Issuer)
	token := mint(t, idp, mockidp.Claims{})
	assert.Equal(t, mockidp.DefaultClientID, split(t, token).claims(t)["client_id"])
}

func TestTenantsHaveKeysOfTheirOwn(t *testing.T) {
	one, two := mockidp.NewKeys(nil), mockidp.NewKeys(nil)
	a, _ := start(t, mockidp.Config{Keys: one})
	_, other := start(t, mockidp.Config{Keys: two})
	token := mint(t, a, mockidp.Claims{})
	assert.ErrorContains(t, split(t, token).verify(t, other), "is not published")
}

func TestNewReportsEveryProblemAtOnce(t *testing.T) {
	long := strings.Repeat("x", 101)
	_, err := mockidp.New(mockidp.Config{
		Issuer: "https://a.example/",
		Clients: []mockidp.Client{
			{ID: "a"}, {ID: "a"}, {}, {ID: long},
			{ID: "b", Secrets: []mockidp.Secret{{Value: "ok"}, {Value: "hunter2" + long}}},
			{ID: "c", Secrets: []mockidp.Secret{{}}},
			{ID: "hash", Secrets: []mockidp.Secret{{SHA256: "abc"}}},
			{ID: "both", Secrets: []mockidp.Secret{{Value: "hunter2", SHA256: strings.Repeat("0", 64)}}},
			{ID: "d", Scopes: []string{"a b"}},
			{ID: "e", TokenLifetime: 1500 * time.Millisecond},
			{ID: "f", TokenLifetime: -time.Second},
			{ID: "g", Claims: []mockidp.Claim{{Name: "x"}, {Name: "x"}, {}, {Name: "id"}, {Name: "y", Value: func() {}}}},
		},
		Resources: []mockidp.Resource{{Name: "r"}, {Name: "r"}, {Name: "", Scopes: []string{""}}},
	})
	require.Error(t, err)
	for _, want := range []string{
		`mock identity service "sandbox"`, `issuer "https://a.example/"`,
		`client 2: the id "a" is given twice`, `client 3 (""): an id has 1 to 100 characters`, `client 4 (`,
		`client 5 ("b"): secret 2: a secret has 1 to 100 characters`, `client 6 ("c"): secret 1`,
		`client 7 ("hash"): secret 1: a SHA-256 has 64 hexadecimal digits`, `client 8 ("both"): secret 1`,
		`client 9 ("d"): scope "a b"`, `client 10 ("e"): token lifetime 1.5s`, `client 11 ("f"): token lifetime -1s`,
		`claim "x": a name`, `claim "": a name`, `claim "id": a name`, `claim "y": json`,
		`resource 2: the name "r" is given twice`, `resource 3 (""): an id has`, `scope "" is empty`,
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "hunter2")

	for _, issuer := range []string{"a.example", "ftp://a.example", "https://", "https://a.example/b/", "https://a.example//b", "https://a.example/b/../c", "https://a.example/%62", "https://a.example/b c", "https://a.example?b", "https://a@b.example", "://"} {
		_, err = mockidp.New(mockidp.Config{Issuer: issuer})
		require.Error(t, err, issuer)
	}
	idp, err := mockidp.New(mockidp.Config{Issuer: "https://a.example:1/b/c"})
	require.NoError(t, err)
	assert.Equal(t, "https://a.example:1/b/c/connect/token", idp.TokenURL())
}
