package mockidp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

const (
	devicePath  = "/connect/deviceauthorization"
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
	// ofDevice is a client that may use the device flow, as it says who it is.
	ofDevice = "client_id=device&client_secret=s"
	poll     = "grant_type=" + deviceGrant + "&device_code="
)

// deviceClients are the clients that the rows talk about.
func deviceClients() []mockidp.Client {
	secret := []mockidp.Secret{{Value: "s"}}
	grants := []string{deviceGrant}
	return []mockidp.Client{
		{ID: "c", Secrets: secret},
		{ID: "device", Secrets: secret, Grants: grants, Claims: []mockidp.Claim{{Name: "a", Value: 1}},
			Scopes: []string{"openid", "profile", "hs-code-classification", "avatax_api"}},
		{ID: "public", Public: true, Grants: []string{deviceGrant, "client_credentials"}},
		{ID: "disabled", Secrets: secret, Grants: grants, Disabled: true},
		{ID: "wsfed", Secrets: secret, Grants: grants, Protocol: "wsfed"},
		{ID: "noscope", Secrets: secret, Grants: grants, Scopes: []string{}},
		{ID: "offline", Secrets: secret, Grants: grants, Scopes: []string{"avatax_api", "offline_access"}},
		{ID: "profile", Secrets: secret, Grants: grants, Scopes: []string{"profile", "avatax_api"}},
		{ID: "many", Secrets: secret, Grants: grants, Scopes: longScopes()},
	}
}

// asked is the answer of the device authorization endpoint.
type asked struct {
	Code     string `json:"device_code"`
	UserCode string `json:"user_code"`
	URI      string `json:"verification_uri"`
	Complete string `json:"verification_uri_complete"`
	Expires  int    `json:"expires_in"`
	Interval int    `json:"interval"`
}

// device checks that a device was let ask, down to the bytes, and returns its codes.
func (r response) device(t testing.TB, issuer string) asked {
	t.Helper()
	var a asked
	require.Equal(t, http.StatusOK, r.status, r.body)
	require.NoError(t, json.Unmarshal([]byte(r.body), &a))
	page := issuer + "/device"
	assert.Equal(t, `{"device_code":"`+a.Code+`","user_code":"`+a.UserCode+`","verification_uri":"`+page+
		`","verification_uri_complete":"`+page+`?userCode=`+a.UserCode+`","expires_in":300,"interval":5}`, r.body)
	assert.Regexp(t, `^[0-9A-F]{64}$`, a.Code)
	assert.Regexp(t, `^[1-9][0-9]{8}$`, a.UserCode)
	assert.Equal(t, jsonHeader, r.header)
	assert.Equal(t, []string{"chunked"}, r.coding)
	return a
}

// TestDeviceAuthorizationRows walks what the endpoint refuses and grants. A row with
// neither error nor status is granted.
func TestDeviceAuthorizationRows(t *testing.T) {
	_, srv := start(t, mockidp.Config{Clients: deviceClients()})
	for name, tt := range map[string]struct {
		request request
		error   string
		text    string // error_description
		status  int    // without a body
	}{
		"with all it may have":             {request: request{body: ofDevice}},
		"by Basic":                         {request: request{header: basic("device:s"), body: "scope=openid"}},
		"by a path in capitals":            {request: request{target: "/CONNECT/DeviceAuthorization", body: ofDevice}},
		"a charset without a value":        {request: request{ctype: formType + "; charset", body: ofDevice}},
		"a client without a secret":        {request: request{body: "client_id=public"}},
		"a client of any secret":           {request: request{header: basic("public:x")}},
		"unknown parameters":               {request: request{body: ofDevice + "&resource=x&scope=openid&scope=nope"}},
		"openid alone":                     {request: request{body: ofDevice + "&scope=openid"}},
		"profile with openid":              {request: request{body: ofDevice + "&scope=profile+avatax_api+openid"}},
		"the longest scope":                {request: request{body: ofDevice + "&scope=" + strings.Repeat("openid+", 42) + "openid"}},
		"GET":                              {request: request{method: "GET", body: ofDevice}, error: "invalid_request"},
		"PUT":                              {request: request{method: "PUT", body: ofDevice}, error: "invalid_request"},
		"OPTIONS":                          {request: request{method: "OPTIONS", ctype: "none"}, error: "invalid_request"},
		"JSON":                             {request: request{ctype: "application/json", body: `{"client_id":"device"}`}, error: "invalid_request"},
		"no content type":                  {request: request{ctype: "none", body: ofDevice}, error: "invalid_request"},
		"empty":                            {request: request{}, error: "invalid_client"},
		"in the query":                     {request: request{target: devicePath + "?" + ofDevice}, error: "invalid_client"},
		"unknown client":                   {request: request{body: "client_id=who&client_secret=s"}, error: "invalid_client"},
		"wrong secret":                     {request: request{body: "client_id=device&client_secret=x"}, error: "invalid_client"},
		"missing secret":                   {request: request{body: "client_id=device"}, error: "invalid_client"},
		"disabled client":                  {request: request{body: "client_id=disabled&client_secret=s"}, error: "invalid_client"},
		"wrong secret, no grant":           {request: request{body: "client_id=c&client_secret=x"}, error: "invalid_client"},
		"client without the grant":         {request: request{body: "client_id=c&client_secret=s"}, error: "unauthorized_client"},
		"no grant and a bad scope":         {request: request{body: "client_id=c&client_secret=s&scope=nope"}, error: "unauthorized_client"},
		"client of another protocol":       {request: request{body: "client_id=wsfed&client_secret=s"}, error: "unauthorized_client", text: "Invalid protocol"},
		"unknown scope":                    {request: request{body: ofDevice + "&scope=nope"}, error: "invalid_scope"},
		"a good and a bad scope":           {request: request{body: ofDevice + "&scope=openid+nope"}, error: "invalid_scope"},
		"a scope in another case":          {request: request{body: ofDevice + "&scope=OpenID"}, error: "invalid_scope"},
		"profile without openid":           {request: request{body: ofDevice + "&scope=profile"}, error: "invalid_scope"},
		"profile without openid, unasked":  {request: request{body: "client_id=profile&client_secret=s"}, error: "invalid_scope"},
		"no scope to have":                 {request: request{body: "client_id=noscope&client_secret=s"}, error: "invalid_scope"},
		"offline_access":                   {request: request{body: ofDevice + "&scope=openid+offline_access"}, error: "invalid_scope"},
		"offline_access that is listed":    {request: request{body: "client_id=offline&client_secret=s&scope=offline_access"}, error: "invalid_scope"},
		"offline_access that is not asked": {request: request{body: "client_id=offline&client_secret=s"}},
		"scope too long":                   {request: request{body: ofDevice + "&scope=" + strings.Repeat("openid+", 43)}, error: "invalid_request", text: "Invalid scope"},
		"default scope too long":           {request: request{body: "client_id=many&client_secret=s"}, error: "invalid_request", text: "Invalid scope"},
		"null character":                   {request: request{body: ofDevice + "&scope=%00"}, status: 500},
		"null character, known":            {request: request{header: basic("device:s"), body: "a=%00"}, status: 500},
		"null character, unknown":          {request: request{header: basic("device:x"), body: "a=%00"}, error: "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.request.target == "" {
				tt.request.target = devicePath
			}
			got := tt.request.send(t, srv)
			switch {
			case tt.status != 0:
				got.wantEmpty(t, tt.status)
			case tt.text != "":
				got.wantJSON(t, 400, `{"error":"`+tt.error+`","error_description":"`+tt.text+`"}`)
			case tt.error != "":
				got.wantJSON(t, 400, `{"error":"`+tt.error+`"}`)
			default:
				got.device(t, srv.URL)
			}
		})
	}
}

// flow is a server with a device's request, by a stopped clock.
func flow(t *testing.T, scope string) (*mockidp.Server, *httptest.Server, asked) {
	t.Helper()
	idp, srv := start(t, mockidp.Config{Clients: deviceClients(), Clock: stopped(), Resources: []mockidp.Resource{
		{Name: "hs-code-classification", Scopes: []string{"hs-code-classification"}},
		{Name: "avatax_api", Scopes: []string{"avatax_api"}, Secrets: []mockidp.Secret{{Value: "s"}}},
	}})
	return idp, srv, request{target: devicePath, body: ofDevice + "&scope=" + scope}.send(t, srv).device(t, srv.URL)
}

// TestDeviceTokenRows walks the answers of the token endpoint to a device code.
func TestDeviceTokenRows(t *testing.T) {
	const scope = "hs-code-classification+avatax_api"
	long := strings.Repeat("x", 101)
	seconds := func(idp *mockidp.Server, n int) { _ = idp.Clock().Advance(time.Duration(n) * time.Second) }
	for name, tt := range map[string]struct {
		before func(*testing.T, *mockidp.Server, func() response, asked)
		body   string // empty: a poll
		error  string // empty: tokens
	}{
		"pending":  {error: "authorization_pending"},
		"approved": {before: func(t *testing.T, idp *mockidp.Server, _ func() response, a asked) { approve(t, idp, a) }},
		"approved between polls": {before: func(t *testing.T, idp *mockidp.Server, poll func() response, a asked) {
			poll()
			approve(t, idp, a)
			seconds(idp, 5)
		}},
		"approved but too fast": {error: "slow_down", before: func(t *testing.T, idp *mockidp.Server, poll func() response, a asked) { poll(); approve(t, idp, a) }},
		"too fast":              {error: "slow_down", before: func(_ *testing.T, idp *mockidp.Server, poll func() response, _ asked) { poll(); seconds(idp, 4) }},
		"at the interval":       {error: "authorization_pending", before: func(_ *testing.T, idp *mockidp.Server, poll func() response, _ asked) { poll(); seconds(idp, 5) }},
		"after a clock that went back": {error: "authorization_pending", before: func(_ *testing.T, idp *mockidp.Server, poll func() response, _ asked) {
			seconds(idp, 200)
			poll()
			seconds(idp, -100)
		}},
		"after a slow_down": {error: "slow_down", before: func(_ *testing.T, idp *mockidp.Server, poll func() response, _ asked) {
			poll()
			seconds(idp, 3)
			poll()
			seconds(idp, 3)
		}},
		"long after a slow_down": {error: "authorization_pending", before: func(_ *testing.T, idp *mockidp.Server, poll func() response, _ asked) {
			poll()
			poll()
			seconds(idp, 5)
		}},
		"denied": {error: "access_denied", before: func(t *testing.T, idp *mockidp.Server, _ func() response, a asked) { deny(t, idp, a) }},
		"denied, asked again": {error: "access_denied", before: func(t *testing.T, idp *mockidp.Server, poll func() response, a asked) {
			deny(t, idp, a)
			poll()
			seconds(idp, 5)
		}},
		"denied, asked too fast": {error: "slow_down", before: func(t *testing.T, idp *mockidp.Server, poll func() response, a asked) { deny(t, idp, a); poll() }},
		"denied, then approved": {before: func(t *testing.T, idp *mockidp.Server, _ func() response, a asked) {
			deny(t, idp, a)
			approve(t, idp, a)
		}},
		"approved, then denied": {error: "access_denied", before: func(t *testing.T, idp *mockidp.Server, _ func() response, a asked) {
			approve(t, idp, a)
			deny(t, idp, a)
		}},
		"at its end":              {error: "authorization_pending", before: func(_ *testing.T, idp *mockidp.Server, _ func() response, _ asked) { seconds(idp, 300) }},
		"expired":                 {error: "expired_token", before: func(_ *testing.T, idp *mockidp.Server, _ func() response, _ asked) { seconds(idp, 301) }},
		"expired, asked too fast": {error: "slow_down", before: func(_ *testing.T, idp *mockidp.Server, poll func() response, _ asked) { seconds(idp, 301); poll() }},
		"approved and expired": {error: "expired_token", before: func(t *testing.T, idp *mockidp.Server, _ func() response, a asked) {
			approve(t, idp, a)
			seconds(idp, 301)
		}},
		"approved once expired": {error: "expired_token", before: func(t *testing.T, idp *mockidp.Server, _ func() response, a asked) {
			seconds(idp, 301)
			approve(t, idp, a)
		}},
		"denied and expired": {error: "expired_token", before: func(t *testing.T, idp *mockidp.Server, _ func() response, a asked) {
			deny(t, idp, a)
			seconds(idp, 301)
		}},
		"used": {error: "invalid_grant", before: func(t *testing.T, idp *mockidp.Server, poll func() response, a asked) {
			approve(t, idp, a)
			poll()
			seconds(idp, 5)
		}},
		"forgotten":                 {error: "invalid_grant", before: func(_ *testing.T, idp *mockidp.Server, _ func() response, _ asked) { idp.Reset() }},
		"unknown":                   {error: "invalid_grant", body: ofDevice + "&" + poll + "x"},
		"missing":                   {error: "invalid_request", body: ofDevice + "&grant_type=" + deviceGrant},
		"blank":                     {error: "invalid_request", body: ofDevice + "&" + poll + "+%09"},
		"the longest":               {error: "invalid_grant", body: ofDevice + "&" + poll + long[1:]},
		"too long":                  {error: "invalid_grant", body: ofDevice + "&" + poll + long},
		"another client's":          {error: "invalid_grant", body: "client_id=public&" + poll + "CODE"},
		"of a client without grant": {error: "unauthorized_client", body: "client_id=c&client_secret=s&" + poll + "CODE"},
		"a client of no protocol":   {error: "invalid_client", body: "client_id=wsfed&client_secret=s&" + poll + "CODE"},
		"a wrong secret":            {error: "invalid_client", body: "client_id=device&client_secret=x&" + poll + "CODE"},
		"the user code":             {error: "invalid_grant", body: ofDevice + "&" + poll + "USER"},
		"in lower case":             {error: "invalid_grant", body: ofDevice + "&" + poll + "LOWER"},
		"another scope is ignored":  {error: "authorization_pending", body: ofDevice + "&scope=nope&" + poll + "CODE"},
	} {
		t.Run(name, func(t *testing.T) {
			idp, srv, a := flow(t, scope)
			ask := func() response { return request{body: ofDevice + "&" + poll + a.Code}.send(t, srv) }
			if tt.before != nil {
				tt.before(t, idp, ask, a)
			}
			got := response{}
			if tt.body == "" {
				got = ask()
			} else {
				fill := strings.NewReplacer("CODE", a.Code, "USER", a.UserCode, "LOWER", strings.ToLower(a.Code))
				got = request{body: fill.Replace(tt.body)}.send(t, srv)
			}
			if tt.error != "" {
				got.wantJSON(t, 400, `{"error":"`+tt.error+`"}`)
				return
			}
			_, granted := got.granted(t)
			assert.Equal(t, "hs-code-classification avatax_api", granted, "in the order asked for")
		})
	}
}

func answer(idp *mockidp.Server, userCode string, approve bool, subject string) error {
	_, err := idp.AnswerDevice(userCode, approve, subject)
	return err
}

func approve(t *testing.T, idp *mockidp.Server, a asked) {
	t.Helper()
	require.NoError(t, answer(idp, a.UserCode, true, ""))
}

func deny(t *testing.T, idp *mockidp.Server, a asked) {
	t.Helper()
	require.NoError(t, answer(idp, a.UserCode, false, ""))
}

// TestABadPollOfAnotherCountsForNobody has others ask with a device's code: its own next
// poll is none too many.
func TestABadPollOfAnotherCountsForNobody(t *testing.T) {
	_, srv, a := flow(t, "avatax_api")
	request{body: "client_id=public&" + poll + a.Code}.send(t, srv).wantJSON(t, 400, `{"error":"invalid_grant"}`)
	request{body: ofDevice + "&" + poll + a.Code}.send(t, srv).wantJSON(t, 400, `{"error":"authorization_pending"}`)
}

// TestDeviceTokens reads the tokens, member by member, and shows them to userinfo and to an
// API.
func TestDeviceTokens(t *testing.T) {
	idp, srv, a := flow(t, "avatax_api+openid+profile")
	require.NoError(t, idp.Clock().Advance(time.Minute))
	scopes, err := idp.AnswerDevice(a.UserCode, true, "al<ice")
	require.NoError(t, err)
	assert.Equal(t, []string{"avatax_api", "openid", "profile"}, scopes)
	require.NoError(t, idp.Clock().Advance(time.Minute))
	got := request{body: ofDevice + "&" + poll + a.Code}.send(t, srv)
	require.Equal(t, 200, got.status, got.body)
	parts := regexp.MustCompile(`^{"id_token":"([^"]+)","access_token":"([^"]+)","expires_in":3600,"token_type":"Bearer","scope":"avatax_api openid profile"}$`).FindStringSubmatch(got.body)
	require.NotNil(t, parts, got.body)
	id, access := split(t, parts[1]), split(t, parts[2])
	require.NoError(t, id.verify(t, srv))
	require.NoError(t, access.verify(t, srv))
	assert.Equal(t, `{"alg":"RS256","kid":"`+id.kid(t)+`","typ":"JWT"}`, id.header)
	assert.Equal(t, `{"alg":"RS256","kid":"`+id.kid(t)+`","typ":"at+jwt"}`, access.header)
	user := `"sub":"al\u003Cice","auth_time":1927886460,"idp":"local"`
	sid, _ := id.claims(t)["sid"].(string)
	assert.Regexp(t, `^[0-9A-F]{32}$`, sid)
	assert.Equal(t, `{"nbf":1927886520,"exp":1927886820,"iss":"`+srv.URL+`","aud":"device","iat":1927886520,"at_hash":"`+
		atHash(parts[2])+`","sid":"`+sid+`",`+user+`,"amr":["pwd"]}`, id.payload)
	assert.Equal(t, `{"nbf":1927886520,"exp":1927890120,"iss":"`+srv.URL+`","aud":"avatax_api","client_id":"device",`+user+`,"jti":"`+
		access.claims(t)["jti"].(string)+`","sid":"`+sid+`","iat":1927886520,"scope":["avatax_api","openid","profile"],"amr":["pwd"]}`,
		access.payload, "a client's own claims are not in a user's token")

	got = request{target: introspectPath, body: "client_id=avatax_api&client_secret=s&token=" + parts[2]}.send(t, srv)
	got.wantJSON(t, 200, `{"nbf":1927886520,"exp":1927890120,"iss":"`+srv.URL+`","aud":"avatax_api","client_id":"device",`+user+`,"jti":"`+
		access.claims(t)["jti"].(string)+`","sid":"`+sid+`","iat":1927886520,"amr":"pwd","active":true,"scope":"avatax_api"}`)
	info := request{method: "GET", target: userinfoPath, ctype: "none", header: []string{"Authorization: Bearer " + parts[2]}}
	info.send(t, srv).wantJSON(t, 200, `{"sub":"al\u003Cice"}`)
	info.header = []string{"Authorization: Bearer " + parts[1]}
	assert.Equal(t, 401, info.send(t, srv).status, "an ID token is no access token")
}

func TestDeviceTokensWithoutAUserAreOfTheDefaultOne(t *testing.T) {
	idp, srv := start(t, mockidp.Config{Clients: deviceClients()})
	a := request{target: devicePath, body: "client_id=public"}.send(t, srv).device(t, srv.URL)
	require.NoError(t, answer(idp, a.UserCode, true, ""))
	token, scope := request{body: "client_id=public&" + poll + a.Code}.send(t, srv).granted(t)
	assert.Equal(t, "hs-code-classification avatax_api", scope, "the client's order, without openid no ID token")
	assert.Equal(t, "hsharness-user", split(t, token).claims(t)["sub"])
	assert.Equal(t, 403, request{method: "GET", target: userinfoPath, ctype: "none", header: []string{"Authorization: Bearer " + token}}.send(t, srv).status)
	_, scope = request{body: "client_id=public&" + cc}.send(t, srv).granted(t)
	assert.Equal(t, bothScope, scope, "a client without a secret, which may have tokens of its own")
}

// TestADeviceThatNobodyKnows comes where any client may, without a secret, as SDKs do in
// this flow alone. One that brings a secret is a client as ever.
func TestADeviceThatNobodyKnows(t *testing.T) {
	idp, srv := start(t, mockidp.Config{AnyClient: true, Clients: deviceClients()})
	a := request{target: devicePath, body: "client_id=who&scope=avatax_api"}.send(t, srv).device(t, srv.URL)
	approve(t, idp, a)
	token, _ := request{body: "client_id=who&" + poll + a.Code}.send(t, srv).granted(t)
	assert.Equal(t, "who", split(t, token).claims(t)["client_id"])
	for _, tt := range []struct{ path, body, error string }{
		{devicePath, "client_id=who&client_secret=x", "unauthorized_client"},
		{tokenPath, "client_id=who&client_secret=x&" + poll + "x", "unauthorized_client"},
		{tokenPath, "client_id=who&" + cc, "invalid_client"},
		{devicePath, "client_id=device", "invalid_client"},
		{devicePath, "client_id=disabled", "invalid_client"},
		{devicePath, "", "invalid_client"},
	} {
		request{target: tt.path, body: tt.body}.send(t, srv).wantJSON(t, 400, `{"error":"`+tt.error+`"}`)
	}
}

func TestAnswerDeviceWithoutSuchACode(t *testing.T) {
	idp, _, a := flow(t, "openid")
	for _, code := range []string{"", "123", a.Code, " " + a.UserCode} {
		for _, approved := range []bool{true, false} {
			require.ErrorContains(t, answer(idp, code, approved, ""), "no device waits with this user code")
		}
	}
	other, err := mockidp.New(mockidp.Config{Clients: deviceClients(), Keys: keys})
	require.NoError(t, err)
	require.Error(t, answer(other, a.UserCode, true, ""), "of another tenant")
	require.NoError(t, answer(idp.As("https://ai-sbx.avlr.sh"), a.UserCode, true, ""), "of the same under another issuer")
}

// TestDevicesAreBounded forgets the oldest of more than a thousand.
func TestDevicesAreBounded(t *testing.T) {
	idp, srv, first := flow(t, "openid")
	var second asked
	for i := range 1000 {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, devicePath, strings.NewReader(ofDevice))
		r.Header.Set("Content-Type", formType)
		idp.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code)
		if i == 0 {
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &second))
		}
	}
	require.Error(t, answer(idp, first.UserCode, true, ""))
	request{body: ofDevice + "&" + poll + first.Code}.send(t, srv).wantJSON(t, 400, `{"error":"invalid_grant"}`)
	request{body: ofDevice + "&" + poll + second.Code}.send(t, srv).wantJSON(t, 400, `{"error":"authorization_pending"}`)
}

// TestADeviceCodeIsUsedOnce has many fetch the tokens of one code at once, while others
// ask and answer.
func TestADeviceCodeIsUsedOnce(t *testing.T) {
	idp, srv, _ := flow(t, "openid")
	for range 8 {
		a := request{target: devicePath, body: ofDevice}.send(t, srv).device(t, srv.URL)
		approve(t, idp, a)
		var won atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				request{target: devicePath, body: ofDevice}.send(t, srv)
				_ = answer(idp, a.UserCode, true, "again") // it may be used up
				if got := (request{body: ofDevice + "&" + poll + a.Code}).send(t, srv); got.status == 200 {
					won.Add(1)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int32(1), won.Load())
	}
}

func TestDeviceFaultsAndJournal(t *testing.T) {
	idp, srv, a := flow(t, "openid+avatax_api")
	require.NoError(t, idp.Faults().Add(
		control.Fault{On: "deviceauthorization", Client: "device", Scope: "profile", Status: 503},
		control.Fault{On: "token", Scope: "hs-code-classification", Status: 500},
		control.Fault{On: "token", Scope: "avatax_api", Status: 429},
		control.Fault{On: "token", Token: "bad_signature"},
		control.Fault{On: "device", Status: 418},
	))
	assert.Equal(t, 200, request{target: devicePath, body: ofDevice + "&scope=openid"}.send(t, srv).status)
	assert.Equal(t, 503, request{target: devicePath, body: ofDevice}.send(t, srv).status, "who asks for nothing asks for all")
	ask := request{body: ofDevice + "&" + poll + a.Code}
	assert.Equal(t, 429, ask.send(t, srv).status, "the scopes of the code")
	approve(t, idp, a)
	var tokens struct {
		ID     string `json:"id_token"`
		Access string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(ask.send(t, srv).body), &tokens))
	require.Error(t, split(t, tokens.Access).verify(t, srv))
	require.NoError(t, split(t, tokens.ID).verify(t, srv))
	page := get("/device?userCode=" + a.UserCode)
	assert.Equal(t, 418, page.send(t, srv).status)
	got := page.send(t, srv)
	assert.Equal(t, 501, got.status)
	assert.Contains(t, got.body, "POST /device at the control endpoint")
	for _, e := range idp.Journal().Entries(0) {
		assert.NotContains(t, e.Body, a.Code)
		assert.NotContains(t, e.Body, "client_secret=s")
	}
	last := idp.Journal().Entries(0)
	assert.Equal(t, "deviceauthorization", last[0].Endpoint)
	assert.Equal(t, "device", last[0].Client)
	assert.Equal(t, "client_id=device&client_secret=***&grant_type="+deviceGrant+"&device_code=***", last[3].Body)
}

// FuzzDeviceForm checks that no form breaks the endpoint, that every answer is one of those
// it has, and that what it grants is what was asked for.
func FuzzDeviceForm(f *testing.F) {
	idp, err := mockidp.New(mockidp.Config{Clients: deviceClients()})
	require.NoError(f, err)
	for _, seed := range []string{"", ofDevice, ofDevice + "&scope=openid+openid", "client_id=public&scope=%C3", "client_id=wsfed&client_secret=s", "scope=%00"} {
		f.Add(seed, "openid avatax_api")
	}
	send := func(body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, devicePath, strings.NewReader(body))
		r.Header.Set("Content-Type", formType)
		idp.ServeHTTP(w, r)
		return w
	}
	refusal := regexp.MustCompile(`^{"error":"(invalid_client|unauthorized_client|invalid_scope|invalid_request)"(,"error_description":"Invalid (scope|protocol)")?}$`)
	f.Fuzz(func(t *testing.T, body, scope string) {
		for _, text := range []string{body, ofDevice + "&" + url.Values{"scope": {scope}}.Encode()} {
			w := send(text)
			switch {
			case w.Code == 200 && json.Valid(w.Body.Bytes()), w.Code == 400 && refusal.Match(w.Body.Bytes()), w.Code == 500 && w.Body.Len() == 0:
			default:
				t.Fatalf("%q is answered %d %s", text, w.Code, w.Body)
			}
		}
	})
}

// atHash is OpenID Connect Core §3.1.3.6, once more.
func atHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
