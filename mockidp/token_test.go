package mockidp_test

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// noon is where the clocks of these tests stand.
var noon = time.Date(2031, 2, 3, 12, 0, 0, 0, time.UTC)

func stopped() *control.Clock { return control.NewClock(func() time.Time { return noon }) }

func TestTokenLayout(t *testing.T) {
	idp, srv := start(t, mockidp.Config{
		Clock: stopped(),
		Clients: []mockidp.Client{{
			ID: "c", Secrets: []mockidp.Secret{{Value: "s"}}, TokenLifetime: 90 * time.Second,
			Claims: []mockidp.Claim{{Name: "z", Value: "+é"}, {Name: "account", Value: 17}},
		}},
	})
	got := request{body: good + "&scope=avatax_api"}.send(t, srv)
	require.Equal(t, 200, got.status)
	assert.Contains(t, got.body, `,"expires_in":90,`)
	token := split(t, strings.Split(got.body, `"`)[3])

	assert.Regexp(t, `^{"alg":"RS256","kid":"[0-9A-F]{32}","typ":"at\+jwt"}$`, token.header)
	jti := token.claims(t)["jti"].(string)
	assert.Regexp(t, `^[0-9A-F]{32}$`, jti)
	assert.Equal(t, `{"nbf":1927886400,"exp":1927886490,"iss":"`+idp.Issuer()+`","aud":"avatax_api","client_id":"c",`+
		`"client_z":"+é","client_account":17,"jti":"`+jti+`","iat":1927886400,"scope":["avatax_api"]}`, token.payload)
	assert.NoError(t, token.verify(t, srv))
	assert.NotNil(t, idp.Keys().PublicKey(token.kid(t)))
	assert.Nil(t, idp.Keys().PublicKey("other"))

	again := request{body: good + "&scope=avatax_api"}.send(t, srv)
	assert.NotContains(t, again.body, base64.RawURLEncoding.EncodeToString([]byte(token.payload)), "each token has an id of its own")
}

func TestAudience(t *testing.T) {
	tests := map[string]struct {
		resources []mockidp.Resource
		want      any
	}{
		"one for each scope by default": {nil, []any{"avatax_api", "hs-code-classification"}},
		"a string when there is one":    {[]mockidp.Resource{{Name: "hs", Scopes: []string{"hs-code-classification", "avatax_api"}}}, "hs"},
		"in the order of the scopes": {[]mockidp.Resource{
			{Name: "z", Scopes: []string{"hs-code-classification"}}, {Name: "y", Scopes: []string{"avatax_api"}},
		}, []any{"y", "z"}},
		"absent when no resource has the scope": {[]mockidp.Resource{}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, srv := start(t, mockidp.Config{Resources: tt.resources})
			token, _ := request{body: good + "&scope=avatax_api hs-code-classification"}.send(t, srv).granted(t)
			claims := split(t, token).claims(t)
			assert.Equal(t, tt.want, claims["aud"])
			assert.NotContains(t, claims, "sub")
			if tt.want == nil {
				assert.NotContains(t, claims, "aud")
			}
		})
	}
}

func TestTimesComeFromTheClock(t *testing.T) {
	clock := stopped()
	idp, srv := start(t, mockidp.Config{
		Clock:   clock,
		Clients: []mockidp.Client{{ID: "c", Secrets: []mockidp.Secret{{Value: "s", Expires: noon.Add(time.Hour)}}}},
	})
	require.NoError(t, idp.Clock().Advance(time.Hour))
	token, _ := request{body: good}.send(t, srv).granted(t)
	claims := split(t, token).claims(t)
	for name, want := range map[string]time.Time{
		"nbf": noon.Add(time.Hour), "iat": noon.Add(time.Hour), "exp": noon.Add(2 * time.Hour),
	} {
		assert.InDelta(t, want.Unix(), claims[name], 0, name)
	}
	require.NoError(t, clock.Advance(time.Second))
	request{body: good}.send(t, srv).wantJSON(t, 400, `{"error":"invalid_client"}`)
	assert.Equal(t, clock.Now(), idp.Journal().Entries(0)[1].Time)
}

func TestIssuerIsNeverTakenFromTheRequest(t *testing.T) {
	idp, srv := start(t, mockidp.Config{}) // request says Host: elsewhere.example
	token, _ := request{header: []string{"X-Forwarded-Host: other.example"}, body: good}.send(t, srv).granted(t)
	assert.Equal(t, srv.URL, split(t, token).claims(t)["iss"])
	got := request{method: http.MethodGet, target: "/.well-known/openid-configuration"}.send(t, srv)
	assert.Contains(t, got.body, `{"issuer":"`+srv.URL+`",`)
	assert.NotContains(t, got.body, ".example")
	assert.Equal(t, srv.URL+tokenPath, idp.TokenURL())
}

func TestAsIsTheSameTenant(t *testing.T) {
	idp, srv := start(t, mockidp.Config{})
	as := idp.As("https://ai-sbx.avlr.sh")
	assert.Equal(t, "https://ai-sbx.avlr.sh/connect/token", as.TokenURL())
	token, err := as.Mint(mockidp.Claims{})
	require.NoError(t, err)
	assert.Equal(t, "https://ai-sbx.avlr.sh", split(t, token).claims(t)["iss"])
	assert.NoError(t, split(t, token).verify(t, srv))
	assert.Same(t, idp.Keys(), as.Keys())
	assert.Same(t, idp.Journal(), as.Journal())
	assert.Same(t, idp.Faults(), as.Faults())
	assert.Same(t, idp.Clock(), as.Clock())
}

func TestAnyClient(t *testing.T) {
	_, srv := start(t, mockidp.Config{
		AnyClient: true,
		Clients: []mockidp.Client{
			{ID: "c", Scopes: []string{"avatax_api"}, Secrets: []mockidp.Secret{{Value: "s"}}},
			{ID: "off", Disabled: true},
		},
	})
	token, scope := request{body: "client_id=who&client_secret=ever&" + cc}.send(t, srv).granted(t)
	assert.Equal(t, bothScope, scope)
	assert.Equal(t, "who", split(t, token).claims(t)["client_id"])
	_, scope = request{body: "client_id=c&client_secret=any&" + cc}.send(t, srv).granted(t)
	assert.Equal(t, "avatax_api", scope)
	for _, body := range []string{"client_id=off&client_secret=s", "client_id=who", "client_secret=s"} {
		request{body: body + "&" + cc}.send(t, srv).wantJSON(t, 400, `{"error":"invalid_client"}`)
	}
}

func TestGrantsThatAreAllowedButNotMirrored(t *testing.T) {
	const device = "urn:ietf:params:oauth:grant-type:device_code"
	_, srv := start(t, mockidp.Config{Clients: []mockidp.Client{{
		ID: "c", Secrets: []mockidp.Secret{{Value: "s"}}, Grants: []string{"authorization_code", "password", device, "other"},
	}}})
	for body, want := range map[string]string{
		"grant_type=authorization_code&code=x":          "invalid_grant",
		"grant_type=password&username=a&password=b":     "invalid_grant",
		"grant_type=" + device:                          "invalid_request",
		"grant_type=" + device + "&device_code=x":       "invalid_grant",
		"grant_type=other":                              "unsupported_grant_type",
		"grant_type=client_credentials&scope=something": "unauthorized_client",
	} {
		request{body: "client_id=c&client_secret=s&" + body}.send(t, srv).wantJSON(t, 400, `{"error":"`+want+`"}`)
	}
}

// TestTextIsEscapedAsTheServerDoes reads raw bytes: a JSON parser would not see
// the difference.
func TestTextIsEscapedAsTheServerDoes(t *testing.T) {
	scope := "a+b<c>&'\"`é😀\\"
	_, srv := start(t, mockidp.Config{Clients: []mockidp.Client{{
		ID: "c", Secrets: []mockidp.Secret{{Value: "s"}}, Scopes: []string{scope},
	}}})
	got := request{body: good}.send(t, srv)
	require.Equal(t, 200, got.status)
	want := `"scope":"a\u002Bb\u003Cc\u003E\u0026\u0027\u0022\u0060\u00E9\uD83D\uDE00\\"}`
	assert.Regexp(t, regexp.QuoteMeta(want)+"$", got.body)
}
