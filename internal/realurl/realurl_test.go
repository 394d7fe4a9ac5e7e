package realurl_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/realurl"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

const apiHost = "hscode.api.sbx.avalara.com"

func newIDP(t *testing.T) *mockidp.Server {
	t.Helper()
	idp, err := mockidp.New(mockidp.Config{Issuer: "http://127.0.0.1:8700"})
	require.NoError(t, err)
	return idp
}

// get asks over c and returns the body, as far as it came.
func get(t *testing.T, c *http.Client, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// On the wire a header's name is read in any letters.
func TestHeadersInAnyLetters(t *testing.T) {
	idp := newIDP(t)
	client := &http.Client{Transport: realurl.New(realurl.Config{Sandbox: idp})}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://ai-sbx.avlr.sh/connect/token", strings.NewReader("grant_type=client_credentials"))
	require.NoError(t, err)
	req.SetBasicAuth(mockidp.DefaultClientID, mockidp.DefaultClientSecret)
	req.Header = http.Header{"authorization": req.Header["Authorization"], "content-type": {"application/x-www-form-urlencoded"}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "Basic ***", idp.Journal().Entries(0)[0].Header.Get("Authorization"))
}

func TestRealIdentityHost(t *testing.T) {
	idp := newIDP(t)
	client := &http.Client{Transport: realurl.New(realurl.Config{Sandbox: idp})}
	config := clientcredentials.Config{
		ClientID: mockidp.DefaultClientID, ClientSecret: mockidp.DefaultClientSecret,
		TokenURL: "https://ai-sbx.avlr.sh/connect/token",
	}
	_, err := config.Token(context.WithValue(t.Context(), oauth2.HTTPClient, client))
	require.NoError(t, err)

	resp, body, err := get(t, client, "https://AI-SBX.avlr.sh:443/.well-known/openid-configuration")
	require.NoError(t, err)
	assert.Contains(t, body, `{"issuer":"https://ai-sbx.avlr.sh",`, "the real issuer, not the tenant's own")
	assert.Equal(t, []string{"chunked"}, resp.TransferEncoding)
	assert.Empty(t, resp.Header.Get("Transfer-Encoding"))
	assert.Equal(t, 2, idp.Journal().Count(nil), "the tenant's journal has them")
}

func TestHandlersSeeAServersRequest(t *testing.T) {
	var seen *http.Request
	var sent string
	client := &http.Client{Transport: realurl.New(realurl.Config{Hosts: map[string]http.Handler{
		apiHost: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			seen, sent = r, string(body)
			w.WriteHeader(http.StatusTeapot)
		}),
	}})}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+apiHost+"/a%2Fb?c=d", strings.NewReader("body"))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	assert.Equal(t, http.StatusTeapot, resp.StatusCode)
	assert.Equal(t, "0", resp.Header.Get("Content-Length"))
	assert.Equal(t, "body", sent)
	assert.Equal(t, "/a%2Fb?c=d", seen.RequestURI)
	assert.Equal(t, "/a%2Fb?c=d", seen.URL.String())
	assert.Equal(t, apiHost, seen.Host)
	assert.Equal(t, "https://"+apiHost+"/a%2Fb?c=d", resp.Request.URL.String())

	_, _, err = get(t, client, "https://"+apiHost)
	require.NoError(t, err)
	assert.Equal(t, "/", seen.RequestURI)
}

func TestNothingLeavesTheMachine(t *testing.T) {
	next := roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was sent", r.URL)
		return nil, http.ErrServerClosed
	})
	client := &http.Client{Transport: realurl.New(realurl.Config{
		Sandbox: newIDP(t), Hosts: map[string]http.Handler{apiHost: http.NotFoundHandler()}, Next: next,
	})}
	for url, want := range map[string]string{
		"https://example.com/":                  `host "example.com" is refused: it is neither a host that realurl was given nor loopback`,
		"https://identity.avalara.com/":         `host "identity.avalara.com" is refused: it is a real host`,
		"http://ai-sbx.avlr.sh/":                "http://ai-sbx.avlr.sh is refused: the real host is https on port 443 only",
		"https://ai-sbx.avlr.sh:8443/":          "https on port 443 only",
		"https://ai-sbx。avlr。sh/":               "plain ASCII",
		"http://2130706433/":                    "looks like an address",
		"https://" + apiHost + ".evil.example/": "is refused",
		"http://10.0.0.1/":                      "is refused",
		"http://127.0.0.1.example/":             "is refused",
		"http://localhost.example/":             "is refused",
		"http://[::2]/":                         "is refused",
	} {
		_, _, err := get(t, client, url)
		assert.ErrorContains(t, err, want, url)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARealHostInAnotherSpelling(t *testing.T) {
	client := &http.Client{Transport: realurl.New(realurl.Config{Sandbox: newIDP(t)})}
	for _, base := range []string{"https://AI-SBX.avlr.sh.", "https://ai-sbx.avlr.sh:443"} {
		resp, _, err := get(t, client, base+avalara.PathDiscovery)
		require.NoError(t, err, base)
		assert.Equal(t, http.StatusOK, resp.StatusCode, base)
	}
}

func TestLoopbackPassesOn(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	t.Cleanup(srv.Close)
	client := &http.Client{Transport: realurl.New(realurl.Config{})}
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST."} {
		_, body, err := get(t, client, strings.Replace(srv.URL, "127.0.0.1", host, 1))
		require.NoError(t, err)
		assert.Equal(t, "here", body)
	}
}

func TestDroppedConnections(t *testing.T) {
	idp := newIDP(t)
	require.NoError(t, idp.Faults().Add(control.Fault{Drop: true}, control.Fault{Nth: []int{2}, Truncate: 10}))
	client := &http.Client{Transport: realurl.New(realurl.Config{Production: idp})}
	const url = "https://identity.avalara.com/.well-known/openid-configuration"
	_, _, err := get(t, client, url)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	resp, body, err := get(t, client, url)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, `{"issuer":`, body)
	_, body, err = get(t, client, url)
	require.NoError(t, err)
	assert.Contains(t, body, `"https://identity.avalara.com"`)
}

func TestHeadHasNoBody(t *testing.T) {
	client := &http.Client{Transport: realurl.New(realurl.Config{Hosts: map[string]http.Handler{
		apiHost: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "text") }),
	}})}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, "https://"+apiHost, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Empty(t, body)
	assert.EqualValues(t, 4, resp.ContentLength)
}

func TestOwnRespondersComeFirst(t *testing.T) {
	tr := realurl.New(realurl.Config{Hosts: map[string]http.Handler{apiHost: http.NotFoundHandler()}})
	tr.RegisterResponder(http.MethodGet, "https://"+apiHost+"/own", httpmock.NewStringResponder(200, "own"))
	client := &http.Client{Transport: tr}
	_, body, err := get(t, client, "https://"+apiHost+"/own")
	require.NoError(t, err)
	assert.Equal(t, "own", body)
	resp, _, err := get(t, client, "https://"+apiHost+"/other")
	require.NoError(t, err)
	assert.Equal(t, 404, resp.StatusCode)

	tr.Reset()
	_, _, err = get(t, client, "https://"+apiHost+"/other")
	require.Error(t, err, "after Reset nothing answers")
}
