package mockidp_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

const (
	introspectPath = "/connect/introspect"
	revocationPath = "/connect/revocation"
	userinfoPath   = "/connect/userinfo"
	api            = "client_id=api&client_secret=s"
)

// protected is a tenant with an API that may introspect.
func protected() mockidp.Config {
	secret := []mockidp.Secret{{Value: "s"}}
	return mockidp.Config{
		Clock: stopped(),
		Clients: []mockidp.Client{
			{ID: "c", Secrets: secret, Claims: []mockidp.Claim{
				{Name: "a", Value: []int{1}}, {Name: "b", Value: []any{"x", 2, "x"}}, {Name: "c", Value: []string{}}, {Name: "d", Value: map[string]int{"e": 1}},
			}},
			{ID: "off", Secrets: secret, Disabled: true},
			{ID: "implicit", Grants: []string{"implicit"}},
			{ID: "wsfed", Secrets: secret, Protocol: "wsfed"},
			{ID: "misconfigured", Secrets: secret, Grants: []string{}},
		},
		Resources: []mockidp.Resource{
			{Name: "api", Scopes: []string{"avatax_api"}, Secrets: secret},
			{Name: "mute", Scopes: []string{"hs-code-classification"}},
		},
	}
}

func mint(t *testing.T, idp *mockidp.Server, c mockidp.Claims) string {
	t.Helper()
	token, err := idp.Mint(c)
	require.NoError(t, err)
	return token
}

func TestIntrospectionRows(t *testing.T) {
	idp, srv := start(t, protected())
	sound := mint(t, idp, mockidp.Claims{})
	for name, r := range map[string]request{
		"GET": {method: http.MethodGet, target: introspectPath},
		"PUT": {method: http.MethodPut, target: introspectPath},
	} {
		t.Run("not POST: "+name, func(t *testing.T) { r.send(t, srv).wantEmpty(t, 405) })
	}
	t.Run("not a form", func(t *testing.T) {
		request{target: introspectPath, ctype: "application/json", body: "{}"}.send(t, srv).wantEmpty(t, 415)
	})
	t.Run("a form with a parameter without a value", func(t *testing.T) {
		got := request{target: introspectPath, ctype: formType + "; charset", body: api + "&token=" + sound}.send(t, srv)
		assert.Contains(t, got.body, `"active":true`)
	})
	for name, creds := range map[string]string{
		"none": "", "unknown API": "client_id=x&client_secret=s", "wrong secret": "client_id=api&client_secret=x",
		"API without a secret": "client_id=mute&client_secret=s", "an ordinary client": "client_id=c&client_secret=s",
	} {
		t.Run("credentials: "+name, func(t *testing.T) {
			request{target: introspectPath, body: creds + "&token=" + sound}.send(t, srv).wantEmpty(t, 401)
		})
	}
	t.Run("token absent", func(t *testing.T) {
		request{target: introspectPath, body: api}.send(t, srv).wantJSON(t, 400, `{"error":"missing_token"}`)
	})
	t.Run("malformed form", func(t *testing.T) {
		request{target: introspectPath, body: api + "&token=%00"}.send(t, srv).wantEmpty(t, 500)
		request{target: introspectPath, header: basic("api:s"), body: "token=%00"}.send(t, srv).wantEmpty(t, 500)
		request{target: introspectPath, header: basic("api:x"), body: "token=%00"}.send(t, srv).wantEmpty(t, 401)
	})
	for name, token := range map[string]string{
		"empty": "", "malformed": "a.b.c", "two parts": "a.b", "not base64": "!.!.!",
		"bad signature":        mint(t, idp, mockidp.Claims{Defect: mockidp.BadSignature}),
		"unknown key":          mint(t, idp, mockidp.Claims{Defect: mockidp.UnknownKID}),
		"no algorithm":         mint(t, idp, mockidp.Claims{Defect: mockidp.AlgNone}),
		"wrong issuer":         mint(t, idp, mockidp.Claims{Defect: mockidp.WrongIssuer}),
		"expired":              mint(t, idp, mockidp.Claims{Defect: mockidp.Expired}),
		"not yet valid":        mint(t, idp, mockidp.Claims{Defect: mockidp.NotYetValid}),
		"disabled client":      mint(t, idp, mockidp.Claims{ClientID: "off"}),
		"misconfigured client": mint(t, idp, mockidp.Claims{ClientID: "misconfigured", Scopes: []string{"avatax_api"}}),
		"unknown client":       mint(t, idp, mockidp.Claims{ClientID: "who"}),
		"no scope of this API": mint(t, idp, mockidp.Claims{Scopes: []string{"hs-code-classification"}}),
		"no scope at all":      mint(t, idp, mockidp.Claims{Defect: mockidp.NoScope}),
	} {
		t.Run("inactive: "+name, func(t *testing.T) {
			request{target: introspectPath, body: api + "&token=" + token}.send(t, srv).wantJSON(t, 200, `{"active":false}`)
		})
	}
	t.Run("valid", func(t *testing.T) {
		jti := split(t, sound).claims(t)["jti"].(string)
		want := `{"nbf":1927886400,"exp":1927890000,"iss":"` + srv.URL + `","aud":["api","mute"],"client_id":"c","client_a":1,"client_b":["x",2],"client_d":{"e":1},` +
			`"jti":"` + jti + `","iat":1927886400,"active":true,"scope":"avatax_api"}`
		request{target: introspectPath, body: api + "&token_type_hint=odd&token=" + sound}.send(t, srv).wantJSON(t, 200, want)
		request{target: introspectPath, header: basic("api:s"), body: "token=" + sound}.send(t, srv).wantJSON(t, 200, want)
	})
	t.Run("scope in a string", func(t *testing.T) {
		token := mint(t, idp, mockidp.Claims{Defect: mockidp.ScopeString})
		got := request{target: introspectPath, body: api + "&token=" + token}.send(t, srv)
		assert.Contains(t, got.body, `"active":true,"scope":"avatax_api"}`)
	})
}

func TestIntrospectionAllowsFiveMinutes(t *testing.T) {
	idp, srv := start(t, protected())
	token := mint(t, idp, mockidp.Claims{})
	ask := func() string {
		return request{target: introspectPath, body: api + "&token=" + token}.send(t, srv).body
	}
	require.NoError(t, idp.Clock().Advance(65*time.Minute))
	assert.Contains(t, ask(), `"active":true`)
	require.NoError(t, idp.Clock().Advance(time.Second))
	assert.Equal(t, `{"active":false}`, ask())
}

func TestRevocationRows(t *testing.T) {
	idp, srv := start(t, protected())
	token := mint(t, idp, mockidp.Claims{})
	const client = "client_id=c&client_secret=s"
	for name, tt := range map[string]struct {
		request request
		status  int
		error   string
	}{
		"not POST":              {request{method: http.MethodGet}, 405, ""},
		"not a form":            {request{ctype: "text/plain", body: client}, 415, ""},
		"no credentials":        {request{body: "token=" + token}, 400, "invalid_client"},
		"wrong secret":          {request{body: "client_id=c&client_secret=x&token=" + token}, 400, "invalid_client"},
		"token missing":         {request{body: client}, 400, "invalid_request"},
		"token blank":           {request{body: client + "&token=+"}, 400, "invalid_request"},
		"unknown hint":          {request{body: client + "&token_type_hint=x&token=" + token}, 400, "unsupported_token_type"},
		"JWT":                   {request{body: client + "&token=" + token}, 200, ""},
		"JWT with a hint":       {request{body: client + "&token_type_hint=access_token&token=" + token}, 200, ""},
		"JWT with a wrong hint": {request{body: client + "&token_type_hint=refresh_token&token=" + token}, 200, ""},
		"unknown token":         {request{header: basic("c:s"), body: "token=x"}, 200, ""},
		"implicit-only client":  {request{body: "client_id=implicit&token=" + token}, 200, ""},
		"of another protocol":   {request{body: "client_id=wsfed&client_secret=s&token=" + token}, 200, ""},
		"misconfigured client":  {request{body: "client_id=misconfigured&client_secret=s&token=x"}, 400, "invalid_client"},
		"malformed form":        {request{body: "token=%00"}, 500, ""},
		"malformed, known":      {request{header: basic("c:s"), body: "token=%00"}, 500, ""},
		"malformed, unknown":    {request{header: basic("c:x"), body: "token=%00"}, 400, "invalid_client"},
		"charset of no value":   {request{ctype: formType + "; charset", body: client + "&token=x"}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tt.request.target = revocationPath
			got := tt.request.send(t, srv)
			if tt.error == "" {
				got.wantEmpty(t, tt.status)
				return
			}
			assert.Equal(t, tt.status, got.status)
			assert.Equal(t, `{"error":"`+tt.error+`"}`, got.body)
			assert.Equal(t, plainJSONHeader, got.header, "nothing is said about caching")
		})
	}
	got := request{target: introspectPath, body: api + "&token=" + token}.send(t, srv)
	assert.Contains(t, got.body, `"active":true`, "a JWT is not revoked")
}

func TestUserInfoRows(t *testing.T) {
	idp, srv := start(t, protected())
	const realm = `Bearer realm="IdentityServer",`
	bearer := func(token string) request { return request{header: []string{"Authorization: Bearer " + token}} }
	sound := mint(t, idp, mockidp.Claims{})
	header := func(value string) request { return request{header: []string{"Authorization: " + value}} }
	for name, tt := range map[string]struct {
		request   request
		status    int
		challenge string
	}{
		"no openid scope":            {bearer(sound), 403, `error="insufficient_scope"`},
		"no openid scope, in a form": {request{method: "POST", body: url.Values{"access_token": {sound}}.Encode()}, 403, `error="insufficient_scope"`},
		"in a form of GET":           {request{method: "GET", body: "access_token=" + sound}, 403, `error="insufficient_scope"`},
		"no space":                   {header("Bearer" + sound), 403, `error="insufficient_scope"`},
		"a tab":                      {header("Bearer\t" + sound), 403, `error="insufficient_scope"`},
		"spaces and tabs":            {header("Bearer \t  " + sound), 403, `error="insufficient_scope"`},
		"a colon":                    {header("Bearer:" + sound), 401, `error="invalid_token"`},
		"the scheme in lower case":   {header("bearer " + sound), 401, `error="invalid_token"`},
		"the scheme twice":           {header("Bearer Bearer " + sound), 401, `error="invalid_token"`},
		"the scheme alone":           {header("Bearer"), 401, `error="invalid_token"`},
		"the scheme alone, and a form": {request{method: "POST", header: []string{"Authorization: Bearer"}, body: "access_token=" + sound},
			403, `error="insufficient_scope"`},
		"the header wins over a form": {request{method: "POST", header: []string{"Authorization: Bearer x"}, body: "access_token=" + sound},
			401, `error="invalid_token"`},
		"the header wins over a broken form": {request{method: "POST", header: []string{"Authorization: Bearer " + sound}, body: "a=%00"},
			403, `error="insufficient_scope"`},
		"no token":                    {request{}, 401, `error="invalid_token"`},
		"token in the query":          {request{target: userinfoPath + "?access_token=" + sound}, 401, `error="invalid_token"`},
		"another scheme":              {request{header: []string{"Authorization: Basic " + sound}}, 401, `error="invalid_token"`},
		"bad token":                   {bearer("x"), 401, `error="invalid_token"`},
		"a token without its subject": {bearer(mint(t, idp, mockidp.Claims{Scopes: []string{"openid"}})), 401, `error="invalid_token"`},
		"expired": {bearer(mint(t, idp, mockidp.Claims{Defect: mockidp.Expired})), 401,
			`error="invalid_token",error_description="The access token expired"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := tt.request
			if r.method == "" {
				r.method = http.MethodGet
			}
			if r.body == "" {
				r.ctype = "none"
			}
			if r.target == "" {
				r.target = userinfoPath
			}
			got := r.send(t, srv)
			assert.Equal(t, tt.status, got.status)
			assert.Empty(t, got.body)
			assert.Equal(t, http.Header{
				"Cache-Control": {"no-store, no-cache, max-age=0"}, "Pragma": {"no-cache"},
				"Www-Authenticate": {realm + tt.challenge}, "Content-Length": {"0"},
			}, got.header)
		})
	}
	request{method: "DELETE", target: userinfoPath}.send(t, srv).wantEmpty(t, 405)
	request{target: userinfoPath, body: "a=%00"}.send(t, srv).wantEmpty(t, 500)
}
