package mockidp_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// rowClients are the clients that the rows talk about.
func rowClients() []mockidp.Client {
	secret := func(s string) []mockidp.Secret { return []mockidp.Secret{{Value: s}} }
	return []mockidp.Client{
		{ID: "c", Secrets: secret("s")},
		{ID: "disabled", Secrets: secret("s"), Disabled: true},
		{ID: "expired", Secrets: []mockidp.Secret{{Value: "s", Expires: time.Unix(1, 0)}}},
		{ID: "two", Secrets: []mockidp.Secret{{Value: "old", Expires: time.Unix(1, 0)}, {Value: "a"}, {Value: "b"}}},
		{ID: "hashed", Secrets: []mockidp.Secret{{SHA256: "043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf89"}}}, // of "s"
		{ID: "secretless"},
		{ID: "misconfigured", Secrets: secret("s"), Grants: []string{}},
		{ID: "wsfed", Secrets: secret("s"), Protocol: "wsfed"},
		{ID: "oidc", Secrets: secret("s"), Protocol: "oidc"},
		{ID: "code", Secrets: secret("s"), Grants: []string{"authorization_code"}},
		{ID: "implicit", Grants: []string{"implicit"}},
		{ID: "implicit+", Secrets: secret("s"), Grants: []string{"implicit", "client_credentials"}},
		{ID: "noscope", Secrets: secret("s"), Scopes: []string{}},
		{ID: "users", Secrets: secret("s"), Scopes: []string{"openid", "offline_access"}},
		{ID: "mixed", Secrets: secret("s"), Scopes: []string{"openid", "avatax_api", "offline_access"}},
		{ID: "many", Secrets: secret("s"), Scopes: longScopes()},
		{ID: "a b+c%:d", Secrets: secret("p+q%41 r:é")},
		{ID: strings.Repeat("i", 100), Secrets: secret(strings.Repeat("s", 100))},
	}
}

// longScopes are more than 300 characters when they are all asked for.
func longScopes() []string {
	var out []string
	for c := 'a'; c < 'f'; c++ {
		out = append(out, strings.Repeat(string(c), 70))
	}
	return out
}

func basic(pair string) []string {
	return []string{"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}
}

const (
	cc        = "grant_type=client_credentials"
	bothScope = "avatax_api hs-code-classification"
)

// TestTokenRows walks the case table of the token endpoint. A row that is
// granted gives the scope of the answer, any other its error; a row that wants
// neither is a status alone.
func TestTokenRows(t *testing.T) {
	as := func(id string) string { return "client_id=" + id + "&client_secret=s&" + cc }
	long := strings.Repeat("x", 101)
	tests := []struct {
		name    string
		request request
		error   string
		scope   string
		status  int // without a body
	}{
		{name: "a secret kept as a hash", request: request{body: as("hashed") + "&scope=avatax_api"}, scope: "avatax_api"},
		{name: "another secret than the hashed one", request: request{body: "client_id=hashed&client_secret=S&" + cc}, error: "invalid_client"},
		{name: "the hash is not the secret", request: request{body: "client_id=hashed&client_secret=043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf89&" + cc}, error: "invalid_client"},
		{name: "row 1 success with body credentials", request: request{body: good + "&scope=avatax_api"}, scope: "avatax_api"},
		{name: "row 1 success with Basic", request: request{header: basic("c:s"), body: cc + "&scope=avatax_api"}, scope: "avatax_api"},
		{name: "row 1 success by a path in capitals", request: request{target: "/CONNECT/Token", body: good + "&scope=avatax_api"}, scope: "avatax_api"},
		{name: "row 1 success with a type in capitals and a charset", request: request{ctype: "Application/X-WWW-Form-UrlEncoded ; Charset=utf-8", body: good}, scope: bothScope},
		{name: "row 1 success whatever is accepted", request: request{header: []string{"Accept: text/html"}, body: good}, scope: bothScope},
		{name: "row 2 GET", request: request{method: "GET", body: good}, error: "invalid_request"},
		{name: "row 2 PUT", request: request{method: "PUT", body: good}, error: "invalid_request"},
		{name: "row 2 DELETE", request: request{method: "DELETE", body: good}, error: "invalid_request"},
		{name: "row 2 PATCH", request: request{method: "PATCH", body: good}, error: "invalid_request"},
		{name: "row 2 OPTIONS", request: request{method: "OPTIONS", ctype: "none"}, error: "invalid_request"},
		{name: "row 3 JSON", request: request{ctype: "application/json", body: `{"client_id":"c"}`}, error: "invalid_request"},
		{name: "row 3 multipart", request: request{ctype: "multipart/form-data; boundary=x", body: good}, error: "invalid_request"},
		{name: "row 3 no content type", request: request{ctype: "none", body: good}, error: "invalid_request"},
		{name: "row 3 a parameter without a value", request: request{ctype: formType + "; charset", body: good}, scope: bothScope},
		{name: "row 3 a parameter without a value, then one with", request: request{ctype: formType + ";a;charset=\"utf-8\";", body: good}, scope: bothScope},
		{name: "row 3 a parameter with an empty value, twice", request: request{ctype: formType + "; charset=; charset=", body: good}, scope: bothScope},
		{name: "row 3 a parameter that is no name", request: request{ctype: formType + "; =utf-8", body: good}, error: "invalid_request"},
		{name: "row 3 a second type", request: request{ctype: formType + ", " + formType, body: good}, error: "invalid_request"},
		{name: "row 3 the header twice", request: request{header: []string{"Content-Type: " + formType}, body: good}, error: "invalid_request"},
		{name: "row 3 text", request: request{ctype: "text/plain", body: good}, error: "invalid_request"},
		{name: "row 4 no credentials", request: request{body: cc}, error: "invalid_client"},
		{name: "row 4 empty body", request: request{}, error: "invalid_client"},
		{name: "row 4 JSON sent as a form", request: request{body: `{"client_id":"c","client_secret":"s"}`}, error: "invalid_client"},
		{name: "row 5 unknown client", request: request{body: as("nobody")}, error: "invalid_client"},
		{name: "row 5 client id in another case", request: request{body: as("C")}, error: "invalid_client"},
		{name: "row 6 wrong secret in the body", request: request{body: "client_id=c&client_secret=S&" + cc}, error: "invalid_client"},
		{name: "row 6 wrong secret in Basic", request: request{header: basic("c:wrong"), body: cc}, error: "invalid_client"},
		{name: "row 7 missing secret", request: request{body: "client_id=c&" + cc}, error: "invalid_client"},
		{name: "row 7 empty secret", request: request{body: "client_id=c&client_secret=&" + cc}, error: "invalid_client"},
		{name: "row 7 empty secret in Basic", request: request{header: basic("c:"), body: cc}, error: "invalid_client"},
		{name: "row 7 client that has no secret", request: request{body: as("secretless")}, error: "invalid_client"},
		{name: "row 8 disabled client", request: request{body: as("disabled")}, error: "invalid_client"},
		{name: "row 9 client with invalid configuration", request: request{body: as("misconfigured")}, error: "invalid_client"},
		{name: "row 10 expired secret", request: request{body: as("expired")}, error: "invalid_client"},
		{name: "row 10 first of two secrets", request: request{body: "client_id=two&client_secret=a&" + cc}, scope: bothScope},
		{name: "row 10 second of two secrets", request: request{body: "client_id=two&client_secret=b&" + cc}, scope: bothScope},
		{name: "row 10 expired secret beside others", request: request{body: "client_id=two&client_secret=old&" + cc}, error: "invalid_client"},
		{name: "row 11 client of another protocol", request: request{body: as("wsfed")}, error: "invalid_client"},
		{name: "row 11 client of protocol oidc", request: request{body: as("oidc")}, scope: bothScope},
		{name: "row 12 malformed Basic", request: request{header: []string{"Authorization: Basic !!!"}, body: cc}, error: "invalid_client"},
		{name: "row 12 Basic without a colon", request: request{header: basic("cs"), body: cc}, error: "invalid_client"},
		{name: "row 12 another scheme", request: request{header: []string{"Authorization: Bearer abc"}, body: cc}, error: "invalid_client"},
		{name: "row 12 malformed Basic with good body", request: request{header: []string{"Authorization: Basic !!!"}, body: good}, scope: bothScope},
		{name: "row 12 Basic with empty secret and good body", request: request{header: basic("c:"), body: good}, scope: bothScope},
		{name: "row 12 lower-case scheme", request: request{header: []string{"Authorization: basic Yzpz"}, body: cc}, scope: bothScope},
		{name: "row 13 longest id and secret", request: request{body: "client_id=" + strings.Repeat("i", 100) + "&client_secret=" + strings.Repeat("s", 100) + "&" + cc}, scope: bothScope},
		{name: "row 13 id too long", request: request{body: as(long)}, error: "invalid_client"},
		{name: "row 13 secret too long", request: request{body: "client_id=c&client_secret=" + long + "&" + cc}, error: "invalid_client"},
		{name: "row 13 Basic too long falls back to the body", request: request{header: basic(long + ":s"), body: good}, scope: bothScope},
		{name: "row 14 bad credentials and missing grant_type", request: request{body: "client_id=c&client_secret=wrong"}, error: "invalid_client"},
		{name: "row 15 missing grant_type", request: request{body: "client_id=c&client_secret=s"}, error: "unsupported_grant_type"},
		{name: "row 15 blank grant_type", request: request{body: "client_id=c&client_secret=s&grant_type=+%20"}, error: "unsupported_grant_type"},
		{name: "row 16 grant_type too long", request: request{body: "client_id=c&client_secret=s&grant_type=" + long}, error: "unsupported_grant_type"},
		{name: "row 17 unknown grant", request: request{body: "client_id=c&client_secret=s&grant_type=foo"}, error: "unsupported_grant_type"},
		{name: "row 17 grant in another case", request: request{body: "client_id=c&client_secret=s&grant_type=Client_Credentials"}, error: "unsupported_grant_type"},
		{name: "row 17 grant with spaces", request: request{body: "client_id=c&client_secret=s&grant_type=+client_credentials+"}, error: "unsupported_grant_type"},
		{name: "row 17 implicit", request: request{body: "client_id=c&client_secret=s&grant_type=implicit"}, error: "unsupported_grant_type"},
		{name: "row 18 extension grant", request: request{body: "client_id=c&client_secret=s&grant_type=urn:ietf:params:oauth:grant-type:token-exchange"}, error: "unsupported_grant_type"},
		{name: "row 19 client without the grant", request: request{body: as("code")}, error: "unauthorized_client"},
		{name: "row 19 implicit-only client without a secret", request: request{body: "client_id=implicit&" + cc}, error: "unauthorized_client"},
		{name: "row 19 implicit-only client with any secret", request: request{header: basic("implicit:x"), body: cc}, error: "unauthorized_client"},
		{name: "row 19 implicit-only client with an empty secret in Basic", request: request{header: basic("implicit:"), body: cc}, error: "unauthorized_client"},
		{name: "row 15 implicit-only client without a grant_type", request: request{body: "client_id=implicit"}, error: "unsupported_grant_type"},
		{name: "row 17 implicit-only client with its grant", request: request{body: "client_id=implicit&grant_type=implicit"}, error: "unsupported_grant_type"},
		{name: "row 21 implicit-only client with a refresh_token", request: request{body: "client_id=implicit&grant_type=refresh_token&refresh_token=x"}, error: "invalid_grant"},
		{name: "row 7 client of the implicit grant and another, without a secret", request: request{body: "client_id=implicit%2B&" + cc}, error: "invalid_client"},
		{name: "row 20 authorization_code", request: request{body: "client_id=c&client_secret=s&grant_type=authorization_code"}, error: "unauthorized_client"},
		{name: "row 20 password", request: request{body: "client_id=c&client_secret=s&grant_type=password"}, error: "unauthorized_client"},
		{name: "row 20 device_code", request: request{body: "client_id=c&client_secret=s&grant_type=urn:ietf:params:oauth:grant-type:device_code"}, error: "unauthorized_client"},
		{name: "row 21 refresh_token missing", request: request{body: "client_id=c&client_secret=s&grant_type=refresh_token"}, error: "invalid_request"},
		{name: "row 21 refresh_token bogus", request: request{body: "client_id=c&client_secret=s&grant_type=refresh_token&refresh_token=x"}, error: "invalid_grant"},
		{name: "row 22 scope missing", request: request{body: good}, scope: bothScope},
		{name: "row 22 scope blank", request: request{body: good + "&scope=+%09"}, scope: bothScope},
		{name: "row 22 identity scopes are left out of the default", request: request{body: as("mixed")}, scope: "avatax_api"},
		{name: "row 23 client without scopes", request: request{body: as("noscope")}, error: "invalid_scope"},
		{name: "row 23 client with identity scopes only", request: request{body: as("users")}, error: "invalid_scope"},
		{name: "row 24 unknown scope", request: request{body: good + "&scope=nope"}, error: "invalid_scope"},
		{name: "row 24 scope in another case", request: request{body: good + "&scope=AVATAX_API"}, error: "invalid_scope"},
		{name: "row 24 scopes parted by a tab", request: request{body: good + "&scope=avatax_api%09hs-code-classification"}, error: "invalid_scope"},
		{name: "row 25 scope of another client", request: request{body: as("mixed") + "&scope=hs-code-classification"}, error: "invalid_scope"},
		{name: "row 25 a good and a bad scope", request: request{body: good + "&scope=avatax_api+nope"}, error: "invalid_scope"},
		{name: "row 26 openid", request: request{body: good + "&scope=openid"}, error: "invalid_scope"},
		{name: "row 26 openid that the client may have", request: request{body: as("mixed") + "&scope=openid+avatax_api"}, error: "invalid_scope"},
		{name: "row 27 offline_access", request: request{body: good + "&scope=avatax_api+offline_access"}, error: "invalid_scope"},
		{name: "row 27 offline_access that the client may have", request: request{body: as("mixed") + "&scope=offline_access"}, error: "invalid_scope"},
		{name: "row 28 longest scope string", request: request{body: good + "&scope=" + strings.TrimSuffix(strings.Repeat("avatax_api+", 27), "+") + "+++"}, scope: "avatax_api"},
		{name: "row 28 scope string too long", request: request{body: good + "&scope=" + strings.Repeat("avatax_api+", 28)}, error: "invalid_scope"},
		{name: "row 28 default scope string too long", request: request{body: as("many")}, error: "invalid_scope"},
		{name: "row 29 a scope twice", request: request{body: good + "&scope=avatax_api++avatax_api"}, scope: "avatax_api"},
		{name: "row 29 scopes are sorted", request: request{body: good + "&scope=hs-code-classification+avatax_api"}, scope: bothScope},
		{name: "row 29 literal spaces", request: request{body: good + "&scope=hs-code-classification avatax_api"}, scope: bothScope},
		{name: "row 30 first of two good", request: request{body: good + "&grant_type=foo"}, scope: bothScope},
		{name: "row 30 first of two bad", request: request{body: "grant_type=foo&" + good}, error: "unsupported_grant_type"},
		{name: "row 30 the same key in two cases", request: request{body: "GRANT_TYPE=foo&" + good}, error: "unsupported_grant_type"},
		{name: "row 30 keys in any case", request: request{body: "Client_ID=c&CLIENT_SECRET=s&Grant_Type=client_credentials&SCOPE=avatax_api"}, scope: "avatax_api"},
		{name: "row 31 good Basic and bad body", request: request{header: basic("c:s"), body: "client_id=x&client_secret=y&" + cc}, scope: bothScope},
		{name: "row 31 bad Basic and good body", request: request{header: basic("c:wrong"), body: good}, error: "invalid_client"},
		{name: "row 31 Basic decodes plus and percent", request: request{header: basic("a+b%2Bc%25%3Ad:p%2Bq%2541+r%3A%C3%A9"), body: cc}, scope: bothScope},
		{name: "row 31 Basic without encoding is altered", request: request{header: basic("a b+c%:d:p+q%41 r:é"), body: cc}, error: "invalid_client"},
		{name: "row 32 credentials in the query", request: request{target: tokenPath + "?client_id=c&client_secret=s", body: cc}, error: "invalid_client"},
		{name: "row 32 grant_type in the query", request: request{target: tokenPath + "?" + cc, body: "client_id=c&client_secret=s"}, error: "unsupported_grant_type"},
		{name: "row 33 resource is ignored", request: request{body: good + "&resource=::&resource=b"}, scope: bothScope},
		{name: "row 33 unknown parameters are ignored", request: request{body: good + "&a;b=%zz&&=&c"}, scope: bothScope},
		{name: "row 34 null character", request: request{body: good + "&x=%00"}, status: 500},
		{name: "row 34 null character before bad credentials", request: request{body: "client_id=%00"}, status: 500},
		{name: "row 34 null character after bad credentials in Basic", request: request{header: basic("c:x"), body: "a=%00"}, error: "invalid_client"},
		{name: "row 34 null character after good credentials in Basic", request: request{header: basic("c:s"), body: "a=%00"}, status: 500},
		{name: "row 34 null character where Basic has no secret", request: request{header: basic("implicit:"), body: "a=%00"}, status: 500},
		{name: "row 34 as many values as allowed", request: request{body: good + strings.Repeat("&a=b", 1021)}, scope: bothScope},
		{name: "row 34 too many values", request: request{body: good + strings.Repeat("&a=b", 1022)}, status: 500},
		{name: "row 34 key too long", request: request{body: good + "&" + strings.Repeat("k", 2049)}, status: 500},
		{name: "row 34 value too long", request: request{body: good + "&k=" + strings.Repeat("v", 4<<20+1)}, status: 500},
		{name: "row 37 slash at the end", request: request{target: tokenPath + "/", body: good}, status: 404},
		{name: "row 37 other path", request: request{target: "/", body: good}, status: 404},
	}
	for _, tenant := range []mockidp.Config{mockidp.Sandbox(), mockidp.Production()} {
		tenant.Clients, tenant.Keys = rowClients(), mockidp.NewMockKeys()
		_, srv := start(t, tenant)
		for _, tt := range tests {
			t.Run(tenant.Name+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				got := tt.request.send(t, srv)
				switch {
				case tt.error != "":
					got.wantJSON(t, http.StatusBadRequest, `{"error":"`+tt.error+`"}`)
				case tt.status != 0:
					got.wantEmpty(t, tt.status)
				default:
					token, scope := got.granted(t)
					assert.Equal(t, tt.scope, scope)
					assert.NoError(t, split(t, token).verify(t, srv))
				}
			})
		}
	}
}

func TestRow2Head(t *testing.T) {
	_, srv := start(t, mockidp.Config{})
	got := request{method: http.MethodHead, ctype: "none"}.send(t, srv)
	assert.Equal(t, 400, got.status)
	assert.Equal(t, jsonHeader, got.header)
}

func TestRow35BodyTooLarge(t *testing.T) {
	_, srv := start(t, mockidp.Config{})
	t.Run("row 35 announced", func(t *testing.T) {
		got := request{body: "a", length: 30_000_001}.send(t, srv)
		got.wantEmpty(t, 413)
		assert.True(t, got.closed)
	})
	t.Run("row 35 in chunks", func(t *testing.T) {
		body := io.LimitReader(endless{}, 30_000_001)
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tokenPath, body)
		req.ContentLength = -1
		req.Header.Set("Content-Type", formType)
		rec := httptest.NewRecorder()
		srv.Config.Handler.ServeHTTP(rec, req)
		assert.Equal(t, 413, rec.Code)
		assert.Empty(t, rec.Body.String())
	})
}

// Row 36 is what a validator of Avalara's own might say. Its content is unknown,
// so it is scripted: a fault makes the answer, in the shape that row gives.
func TestRow36CustomValidator(t *testing.T) {
	idp, srv := start(t, mockidp.Config{})
	body := `{"error":"invalid_request","error_description":"account is locked","account":7}`
	require.NoError(t, idp.Faults().Add(control.Fault{
		On: "token", Status: 400, Body: body,
		Headers: map[string]string{"Content-Type": "application/json; charset=UTF-8", "Cache-Control": "no-store, no-cache, max-age=0", "Pragma": "no-cache"},
	}))
	got := request{body: good}.send(t, srv)
	assert.Equal(t, 400, got.status)
	assert.Equal(t, body, got.body)
	assert.Empty(t, got.header["Www-Authenticate"])
	request{body: good}.send(t, srv).granted(t)
}

// TestEveryRowIsWalked reads this file: of the 37 rows of the case table each is
// the name of a test.
func TestEveryRowIsWalked(t *testing.T) {
	text, err := os.ReadFile("rows_test.go")
	require.NoError(t, err)
	named := regexp.MustCompile(`"row (\d+) |func TestRow(\d+)`)
	walked := map[string]bool{}
	for _, m := range named.FindAllStringSubmatch(string(text), -1) {
		walked[m[1]+m[2]] = true
	}
	for row := 1; row <= 37; row++ {
		assert.True(t, walked[strconv.Itoa(row)], "row %d has no test", row)
	}
}

// endless reads as the letter a for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}
