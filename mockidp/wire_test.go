package mockidp_test

import (
	"bufio"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

const (
	formType  = "application/x-www-form-urlencoded"
	good      = "client_id=c&client_secret=s&grant_type=client_credentials"
	tokenPath = "/connect/token"
)

// keys are shared by the tests: making an RSA key is slow. Tests that rotate
// make their own.
var keys = mockidp.NewKeys(nil)

// start serves a tenant whose issuer is its own loopback URL.
func start(t testing.TB, c mockidp.Config) (*mockidp.Server, *httptest.Server) {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	t.Cleanup(srv.Close)
	c.Issuer = "http://" + srv.Listener.Addr().String()
	if c.Keys == nil {
		c.Keys = keys
	}
	if c.Clients == nil {
		c.Clients = []mockidp.Client{{ID: "c", Secrets: []mockidp.Secret{{Value: "s"}}}}
	}
	idp, err := mockidp.New(c)
	require.NoError(t, err)
	srv.Config.Handler = idp
	srv.Start()
	return idp, srv
}

// request is one HTTP/1.1 request as it goes over the wire, without a client
// library that tidies it up.
type request struct {
	method string   // empty: POST
	target string   // empty: the token endpoint
	ctype  string   // empty: a form; "none": no header
	header []string // whole lines
	body   string
	length int // of the body as announced; zero: its own
}

// response is what came back.
type response struct {
	status int
	header http.Header // without Date
	body   string
	coding []string
	closed bool // the server said it closes the connection
}

func (r request) send(t testing.TB, srv *httptest.Server) response {
	t.Helper()
	if r.method == "" {
		r.method = http.MethodPost
	}
	if r.target == "" {
		r.target = tokenPath
	}
	if r.length == 0 {
		r.length = len(r.body)
	}
	lines := []string{
		fmt.Sprintf("%s %s HTTP/1.1", r.method, r.target),
		"Host: elsewhere.example",
		fmt.Sprintf("Content-Length: %d", r.length),
	}
	switch r.ctype {
	case "none":
	case "":
		lines = append(lines, "Content-Type: "+formType)
	default:
		lines = append(lines, "Content-Type: "+r.ctype)
	}
	lines = append(append(lines, r.header...), "", r.body)

	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, strings.Join(lines, "\r\n"))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	resp.Header.Del("Date")
	return response{resp.StatusCode, resp.Header, string(body), resp.TransferEncoding, resp.Close}
}

// The header sets of the facts, without what is about length.
var (
	jsonHeader = http.Header{
		"Content-Type":  {"application/json; charset=UTF-8"},
		"Cache-Control": {"no-store, no-cache, max-age=0"},
		"Pragma":        {"no-cache"},
	}
	plainJSONHeader = http.Header{"Content-Type": {"application/json; charset=UTF-8"}}
	emptyHeader     = http.Header{"Content-Length": {"0"}}
)

// wantJSON checks a JSON answer that must not be cached, headers included.
func (r response) wantJSON(t *testing.T, status int, body string) {
	t.Helper()
	assert.Equal(t, status, r.status)
	assert.Equal(t, body, r.body)
	assert.Equal(t, jsonHeader, r.header)
	assert.Equal(t, []string{"chunked"}, r.coding)
}

// wantEmpty checks an answer that is a status and nothing else.
func (r response) wantEmpty(t *testing.T, status int) {
	t.Helper()
	assert.Equal(t, status, r.status)
	assert.Empty(t, r.body)
	assert.Equal(t, emptyHeader, r.header)
}

// granted checks a success and returns its token and scope.
func (r response) granted(t testing.TB) (token, scope string) {
	t.Helper()
	require.Equal(t, http.StatusOK, r.status, r.body)
	assert.Equal(t, jsonHeader, r.header)
	var b struct {
		Token string `json:"access_token"`
		Scope string `json:"scope"`
	}
	require.NoError(t, json.Unmarshal([]byte(r.body), &b))
	assert.Equal(t, `{"access_token":"`+b.Token+`","expires_in":3600,"token_type":"Bearer","scope":"`+b.Scope+`"}`, r.body)
	return b.Token, b.Scope
}

// jwt is a token taken apart.
type jwt struct {
	header, payload string
	signed          string
	signature       []byte
}

func split(t testing.TB, token string) jwt {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	var raw [3][]byte
	for i, p := range parts {
		b, err := base64.RawURLEncoding.DecodeString(p)
		require.NoError(t, err)
		raw[i] = b
	}
	return jwt{string(raw[0]), string(raw[1]), parts[0] + "." + parts[1], raw[2]}
}

// claims decodes the payload.
func (j jwt) claims(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(j.payload), &m))
	return m
}

// kid is the header's.
func (j jwt) kid(t testing.TB) string {
	t.Helper()
	var h struct{ KID string }
	require.NoError(t, json.Unmarshal([]byte(j.header), &h))
	return h.KID
}

// jwks fetches the published keys, by kid, in no other way than a stranger's
// program would.
func jwks(t testing.TB, srv *httptest.Server) map[string]*rsa.PublicKey {
	t.Helper()
	r := request{method: http.MethodGet, target: "/.well-known/openid-configuration/jwks", ctype: "none"}.send(t, srv)
	var set struct{ Keys []struct{ KID, N, E string } }
	require.NoError(t, json.Unmarshal([]byte(r.body), &set))
	out := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		require.NoError(t, err)
		e, err := base64.RawURLEncoding.DecodeString(k.E)
		require.NoError(t, err)
		out[k.KID] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return out
}

// verify checks the signature with the published keys.
func (j jwt) verify(t testing.TB, srv *httptest.Server) error {
	t.Helper()
	key := jwks(t, srv)[j.kid(t)]
	if key == nil {
		return fmt.Errorf("kid %q is not published", j.kid(t))
	}
	digest := sha256.Sum256([]byte(j.signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], j.signature)
}
