package services_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp/control"
)

// mapped is a server that callers reach by another name and other ports.
type mapped struct {
	*testing.T
	server *services.Server
	client *http.Client
}

// serveMapped serves on a loopback address that no other test uses, so that the ports
// after a free one are free as well.
func serveMapped(t *testing.T, host string, public services.Public) mapped {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	require.NoError(t, err)
	first := l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it was opened so
	require.NoError(t, l.Close())
	at := func(offset int) string { return net.JoinHostPort(host, strconv.Itoa(first+offset)) }
	server, err := services.Serve(services.Config{}, services.Addresses{Identity: at(0), API: at(2), Control: at(8), Public: public})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	ports := map[string]int{"8700": 0, "8701": 1, "8710": 2, "8711": 3, "8712": 4, "8713": 5, "8714": 6, "8715": 7, "8720": 8}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if name, port, _ := net.SplitHostPort(address); name == "hs.local" {
			address = at(ports[port])
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	transport := &http.Transport{DialContext: dial, ExpectContinueTimeout: time.Minute}
	t.Cleanup(transport.CloseIdleConnections)
	return mapped{t, server, &http.Client{Transport: transport}}
}

// everything has a public URL for each service.
func everything() services.Public {
	at := func(port string) string { return "http://hs.local:" + port }
	return services.Public{
		Sandbox:    services.URLs{Identity: at("8700"), API: at("8710"), Legacy: at("8711"), Managed: at("8712")},
		Production: services.URLs{Identity: at("8701"), API: at("8713"), Legacy: at("8714"), Managed: at("8715")},
		Control:    at("8720"),
	}
}

// ask sends a request, as JSON where it is no form, and reads what is answered.
func (m mapped) ask(method, target string, body any, answer any) int {
	m.Helper()
	var sent io.Reader
	kind := "application/json"
	switch v := body.(type) {
	case nil:
	case url.Values:
		sent, kind = strings.NewReader(v.Encode()), "application/x-www-form-urlencoded"
	default:
		data, err := json.Marshal(v)
		require.NoError(m, err)
		sent = bytes.NewReader(data)
	}
	r, err := http.NewRequest(method, target, sent)
	require.NoError(m, err)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+m.server.Endpoints.ControlToken)
	resp, err := m.client.Do(r)
	require.NoError(m, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(m, err)
	if answer != nil {
		require.NoError(m, json.Unmarshal(data, answer), "%s", data)
	}
	return resp.StatusCode
}

// token gets one, and looks who issued it.
func (m mapped) token(e services.Endpoints, env avalara.Environment) string {
	m.Helper()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	status := m.ask("POST", e.Of(env).Token, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {e.ClientID}, "client_secret": {e.ClientSecret}, "scope": {"hs-code-classification"},
	}, &answer)
	require.Equal(m, 200, status)
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(answer.AccessToken, ".")[1])
	require.NoError(m, err)
	var says struct{ Iss string }
	require.NoError(m, json.Unmarshal(claims, &says))
	assert.Equal(m, e.Of(env).Identity, says.Iss)
	var found map[string]any
	require.Equal(m, 200, m.ask("GET", says.Iss+avalara.PathDiscovery, nil, &found))
	assert.Equal(m, says.Iss, found["issuer"])
	assert.Equal(m, e.Of(env).Token, found["token_endpoint"])
	assert.Equal(m, says.Iss+avalara.PathJWKS, found["jwks_uri"])
	var keys struct{ Keys []any }
	require.Equal(m, 200, m.ask("GET", says.Iss+avalara.PathJWKS, nil, &keys))
	assert.NotEmpty(m, keys.Keys)
	return answer.AccessToken
}

func (m mapped) classify(api, token string) int {
	m.Helper()
	r, err := http.NewRequest("POST", api+avalara.PathClassify, strings.NewReader(`{"description":"laptop","countryOfDestination":"US"}`))
	require.NoError(m, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := m.client.Do(r)
	require.NoError(m, err)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestPublicURLsAreSaidEverywhere: where ports are mapped, nothing that a server says
// leads past them, and no client needs a port of its own.
func TestPublicURLsAreSaidEverywhere(t *testing.T) {
	t.Parallel()
	m := serveMapped(t, "127.0.0.78", everything())
	ends := m.server.Endpoints
	text, err := json.Marshal(ends)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "127.0.0.")
	assert.Equal(t, "http://hs.local:8720", ends.ControlURL)
	for env, api := range map[avalara.Environment]string{avalara.Sandbox: "http://hs.local:8710", avalara.Production: "http://hs.local:8713"} {
		assert.Equal(t, api, ends.Of(env).API)
		assert.Equal(t, 200, m.classify(api, m.token(ends, env)))
	}

	// Who is not on this machine needs the token.
	resp, err := m.client.Get(ends.ControlURL + "/usage")
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Equal(t, 401, resp.StatusCode)

	parent := m.token(ends, avalara.Sandbox)
	one, inner, other := services.ClientAnswer{}, services.ClientAnswer{}, services.ClientAnswer{}
	require.Equal(t, 201, m.ask("POST", ends.ControlURL+"/clients", services.Rules{Max: units(2)}, &one))
	require.Equal(t, 201, m.ask("POST", one.ControlURL+"/clients", services.Rules{}, &inner))
	require.Equal(t, 201, m.ask("POST", ends.ControlURL+"/clients", nil, &other))
	assert.Equal(t, "http://hs.local:8720/clients/"+one.ID, one.ControlURL)
	assert.Equal(t, "http://hs.local:8711/clients/"+one.ID+"/clients/"+inner.ID, inner.Sandbox.Legacy)
	for _, c := range []services.ClientAnswer{one, inner, other} {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "127.0.0.")
		assert.Equal(t, 401, m.classify(c.Sandbox.API, parent), "another's token")
		for _, env := range avalara.Environments() {
			assert.Equal(t, 200, m.classify(c.Of(env).API, m.token(c.Endpoints, env)))
		}
		var list struct{ Calls []services.Call }
		require.Equal(t, 200, m.ask("GET", c.ControlURL, nil, &list))
		require.Equal(t, 200, m.ask("GET", c.ControlURL+"/", nil, &list))
		assert.NotEmpty(t, list.Calls)
	}

	// Clocks, counts and maxima are their own.
	require.Equal(t, 200, m.ask("POST", one.ControlURL+"/clock", map[string]string{"advance": "66m"}, nil))
	var now, others services.Time
	m.ask("GET", one.ControlURL+"/clock", nil, &now)
	m.ask("GET", other.ControlURL+"/clock", nil, &others)
	assert.Greater(t, now.Now.Sub(others.Now).Minutes(), 60.0)
	assert.Equal(t, 424, m.classify(inner.Sandbox.API, m.token(inner.Endpoints, avalara.Sandbox)), "the two of both are used")
	var tally guard.Tally
	require.Equal(t, 200, m.ask("GET", other.ControlURL+"/tally", nil, &tally))
	assert.Equal(t, 1, tally.Price, "production's costs nothing")

	// A client that has ended is not there any more, nor are its own.
	require.Equal(t, 200, m.ask("DELETE", one.ControlURL, nil, nil))
	for _, c := range []services.ClientAnswer{one, inner} {
		assert.Equal(t, 404, m.ask("GET", c.ControlURL+"/tally", nil, nil))
		assert.Equal(t, 404, m.ask("GET", c.Sandbox.Identity+avalara.PathDiscovery, nil, nil))
		assert.NotEqual(t, 200, m.classify(c.Sandbox.API, parent))
	}
	assert.Equal(t, 200, m.classify(other.Sandbox.API, m.token(other.Endpoints, avalara.Sandbox)))
}

// TestPublicOnLoopback: a port that is mapped on this machine needs no token, and
// whoever comes by another name is still turned away.
func TestPublicOnLoopback(t *testing.T) {
	t.Parallel()
	m := serveMapped(t, "127.0.0.79", services.Public{Control: "http://localhost:9720"})
	require.Empty(t, m.server.Endpoints.ControlToken)
	assert.Contains(t, m.server.Endpoints.Sandbox.Identity, "http://127.0.0.79:", "only what is given is another")
	status := func(host string) int {
		r, err := http.NewRequest("GET", "http://hs.local:8720/usage", nil)
		require.NoError(t, err)
		r.Host = host
		resp, err := m.client.Do(r)
		require.NoError(t, err)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	assert.Equal(t, 200, status("localhost:9720"))
	assert.Equal(t, 403, status("hs.local:8720"))
}

// TestRemoteBelowAPath joins a server whose clients are below its public URLs.
func TestRemoteBelowAPath(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.80:0")
	require.NoError(t, err)
	first := l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it was opened so
	require.NoError(t, l.Close())
	at := func(offset int) string { return "127.0.0.80:" + strconv.Itoa(first+offset) }
	server, err := services.Serve(services.Config{}, services.Addresses{Identity: at(0), API: at(2), Control: at(8), Public: services.Public{
		Sandbox: services.URLs{Identity: "http://" + at(0), API: "http://" + at(2)}, Control: "http://" + at(8),
	}})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	remote, err := services.Join(func(name string) string {
		return map[string]string{"HSHARNESS_CONTROL_URL": server.Endpoints.ControlURL}[name]
	}, services.Rules{})
	require.NoError(t, err)
	defer func() { require.NoError(t, remote.Close()) }()
	api, err := remote.APIURL(avalara.Sandbox, avalara.Current)
	require.NoError(t, err)
	assert.Contains(t, api, "/clients/")
	client := &http.Client{Transport: services.Authorized(remote, http.DefaultTransport)}
	resp, err := client.Post(api+avalara.PathClassify, "application/json", strings.NewReader(`{"description":"laptop","countryOfDestination":"US"}`))
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Equal(t, 200, resp.StatusCode)
	resp, err = client.Post("http://"+at(2)+avalara.PathClassify, "application/json", strings.NewReader(`{"description":"laptop"}`))
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Equal(t, 401, resp.StatusCode, "its parent's API is not its own")
	assert.NotContains(t, resp.Header.Get("WWW-Authenticate"), "invalid_token", "no token was sent there")
	tally, err := remote.Tally()
	require.NoError(t, err)
	assert.Equal(t, 1, tally.Price)
}

// TestRequestsThatOutliveTheirClientHoldNothing: a client below its parent's URL can end
// while a request for it is under way, and what that leaves is free for others.
func TestRequestsThatOutliveTheirClientHoldNothing(t *testing.T) {
	t.Parallel()
	m := serveMapped(t, "127.0.0.79", everything())
	var gone services.ClientAnswer
	require.Equal(t, 201, m.ask("POST", m.server.Endpoints.ControlURL+"/clients", nil, &gone))
	reading := make(chan struct{})
	body, sends := io.Pipe()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	r, err := http.NewRequestWithContext(ctx, "POST", gone.ControlURL+"/faults", body)
	require.NoError(t, err)
	r.Header = http.Header{"Content-Type": {"application/json"}, "Expect": {"100-continue"}, "Authorization": {"Bearer " + m.server.Endpoints.ControlToken}}
	answered := make(chan int)
	go func() {
		resp, err := m.client.Do(r)
		if !assert.NoError(t, err) {
			close(answered)
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-reading
	require.Equal(t, 200, m.ask("DELETE", gone.ControlURL, nil, nil))
	_, err = io.WriteString(sends, `{"status":500,"body":"`+strings.Repeat("x", 900_000)+`"}`)
	require.NoError(t, err)
	require.NoError(t, sends.Close())
	require.Equal(t, 204, <-answered)

	for range 16 { // as many as there is room for
		c, err := m.server.NewClient(services.Rules{})
		require.NoError(t, err)
		require.NoError(t, c.AddFaults(control.Fault{Status: 500, Body: strings.Repeat("x", 4<<20-1000)}))
	}
}
