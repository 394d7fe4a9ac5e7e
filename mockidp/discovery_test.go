package mockidp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

const (
	discoveryPath = "/.well-known/openid-configuration"
	jwksPath      = "/.well-known/openid-configuration/jwks"
)

// captured is the live document of https://identity.avalara.com, 2026-06-20.
const captured = `{"issuer":"https://identity.avalara.com","jwks_uri":"https://identity.avalara.com/.well-known/openid-configuration/jwks","authorization_endpoint":"https://identity.avalara.com/connect/authorize","token_endpoint":"https://identity.avalara.com/connect/token","userinfo_endpoint":"https://identity.avalara.com/connect/userinfo","end_session_endpoint":"https://identity.avalara.com/connect/endsession","check_session_iframe":"https://identity.avalara.com/connect/checksession","revocation_endpoint":"https://identity.avalara.com/connect/revocation","introspection_endpoint":"https://identity.avalara.com/connect/introspect","device_authorization_endpoint":"https://identity.avalara.com/connect/deviceauthorization","frontchannel_logout_supported":true,"frontchannel_logout_session_supported":true,"backchannel_logout_supported":true,"backchannel_logout_session_supported":true,"scopes_supported":["openid","profile","email","phone","address","avatax","testscope-3","orl","svr","testscope-2","studio.connector.adapter","saas_vat_reporting","avatax_account_override","excise","ecm","testscope-1","studio.connector","studio.extractor.adapter","testscope-4","crr_api","content-studio-sourcing:read","content-studio-compliance:read","content-studio-sourcing:write","cross-border-quoting","provisioning_agent","elr.audit.publish","content-studio-compliance:write","offline_access"],"claims_supported":["sub","name","family_name","given_name","middle_name","nickname","preferred_username","profile","picture","website","gender","birthdate","zoneinfo","locale","updated_at","email","email_verified","phone_number","phone_number_verified","address","avatax_user_id","avatax_account_id","svr_customer_id","studio.connector.adapter:read","studio.connector.adapter:write","studio.connector.adapter:review","account_override_event_id","override_avatax_account_id","audit_message","ecm_role","studio.connector:read","studio.connector:write","studio.connector:review","studio.connector:admin","studio.connector:superadmin","studio.extractor.adapter:read","studio.extractor.adapter:write","studio.extractor.adapter:review"],"grant_types_supported":["authorization_code","client_credentials","refresh_token","implicit","password","urn:ietf:params:oauth:grant-type:device_code","urn:ietf:params:oauth:grant-type:token-exchange"],"response_types_supported":["code","token","id_token","id_token token","code id_token","code token","code id_token token"],"response_modes_supported":["form_post","query","fragment"],"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt"],"id_token_signing_alg_values_supported":["RS256"],"subject_types_supported":["public"],"code_challenge_methods_supported":["plain","S256"],"request_parameter_supported":true,"registration_endpoint":"https://identity.avalara.com/register/public"}`

func get(path string) request {
	return request{method: http.MethodGet, target: path, ctype: "none"}
}

func TestDiscoveryIsTheCapturedDocument(t *testing.T) {
	idp, srv := start(t, mockidp.Config{})
	got := get(discoveryPath).send(t, srv)
	assert.Equal(t, 200, got.status)
	assert.Equal(t, plainJSONHeader, got.header, "nothing is said about caching")
	assert.Equal(t, strings.ReplaceAll(captured, "https://identity.avalara.com", idp.Issuer()), got.body)
}

func TestDiscoveryAndKeysAreForGETOnly(t *testing.T) {
	_, srv := start(t, mockidp.Config{})
	for _, path := range []string{discoveryPath, jwksPath} {
		for _, method := range []string{"POST", "HEAD", "PUT", "OPTIONS"} {
			r := request{method: method, target: path}.send(t, srv)
			assert.Equal(t, 405, r.status, "%s %s", method, path)
			assert.Empty(t, r.body)
			if method != "HEAD" {
				r.wantEmpty(t, 405)
			}
		}
	}
	get("/.well-known/oauth-authorization-server").send(t, srv).wantEmpty(t, 404)
}

// TestDiscoveryEndpointsAnswer walks the URLs of the document: each answers as
// the package comment's table says.
func TestDiscoveryEndpointsAnswer(t *testing.T) {
	_, srv := start(t, mockidp.Config{})
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(get(discoveryPath).send(t, srv).body), &doc))
	want := map[string]int{
		"jwks_uri":                      200,
		"token_endpoint":                400,
		"userinfo_endpoint":             401,
		"revocation_endpoint":           405,
		"introspection_endpoint":        405,
		"authorization_endpoint":        501,
		"end_session_endpoint":          501,
		"check_session_iframe":          501,
		"device_authorization_endpoint": 400,
		"registration_endpoint":         501,
	}
	walked := map[string]int{}
	for name, value := range doc {
		text, ok := value.(string)
		if !ok || name == "issuer" {
			continue
		}
		path, ok := strings.CutPrefix(text, srv.URL)
		require.True(t, ok, "%s is %s", name, text)
		got := get(path).send(t, srv)
		walked[name] = got.status
		if got.status == 501 {
			assert.Equal(t, "not mirrored: no source", got.body)
			assert.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
		}
	}
	assert.Equal(t, want, walked)
}

func TestKeySetLayout(t *testing.T) {
	_, srv := start(t, mockidp.Config{})
	got := get(jwksPath).send(t, srv)
	assert.Equal(t, 200, got.status)
	assert.Equal(t, plainJSONHeader, got.header)
	assert.Regexp(t, `^{"keys":\[{"kty":"RSA","use":"sig","kid":"[0-9A-F]{32}","e":"AQAB","n":"[-_0-9A-Za-z]{342}","alg":"RS256"}\]}$`, got.body)
}

func TestRotationKeepsOldKeysListed(t *testing.T) {
	idp, srv := start(t, mockidp.Config{Keys: mockidp.NewKeys(nil)})
	before, _ := request{body: good}.send(t, srv).granted(t)
	require.NoError(t, idp.Keys().Rotate())
	after, _ := request{body: good}.send(t, srv).granted(t)

	old, young := split(t, before), split(t, after)
	assert.NotEqual(t, old.kid(t), young.kid(t))
	assert.Len(t, jwks(t, srv), 2)
	assert.NoError(t, old.verify(t, srv))
	assert.NoError(t, young.verify(t, srv))
	first := regexp.MustCompile(`"kid":"([^"]+)"`).FindStringSubmatch(get(jwksPath).send(t, srv).body)
	assert.Equal(t, young.kid(t), first[1], "the signing key comes first")
}

func TestKeysAreMadeOnceAndLazily(t *testing.T) {
	made := 0
	broken := errors.New("no entropy")
	set := mockidp.NewKeys(func() (crypto.Signer, error) {
		made++
		if made == 1 {
			return nil, broken
		}
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	})
	idp, srv := start(t, mockidp.Config{Keys: set})
	assert.Zero(t, made)
	_, err := idp.Mint(mockidp.Claims{})
	require.ErrorIs(t, err, broken)
	_, err = idp.Mint(mockidp.Claims{})
	require.ErrorContains(t, err, "its public key is not an RSA key")
	request{body: good}.send(t, srv).wantEmpty(t, 500)
	get(jwksPath).send(t, srv).wantEmpty(t, 500)

	var zero mockidp.Keys
	require.NoError(t, zero.Rotate(), "the zero Keys works")
}
