package services_test

import (
	"encoding/json"
	"net/http"
	"net/url"
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

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// program is one without a browser, which asks for tokens as a device.
type program struct {
	t        *testing.T
	identity string
	id       string
}

func (p program) ask(path string, form url.Values) (status int, answer map[string]any) {
	p.t.Helper()
	form.Set("client_id", p.id)
	resp, err := http.PostForm(p.identity+path, form)
	require.NoError(p.t, err)
	defer func() { _ = resp.Body.Close() }()
	require.NoError(p.t, json.NewDecoder(resp.Body).Decode(&answer))
	return resp.StatusCode, answer
}

// codes asks for scope.
func (p program) codes(scope string) (code, userCode string) {
	p.t.Helper()
	status, answer := p.ask(avalara.PathDeviceAuthorization, url.Values{"scope": {scope}})
	require.Equal(p.t, 200, status, answer)
	return answer["device_code"].(string), answer["user_code"].(string)
}

func (p program) poll(code string) (status int, answer map[string]any) {
	p.t.Helper()
	return p.ask(avalara.PathToken, url.Values{"grant_type": {deviceGrant}, "device_code": {code}})
}

// TestADeviceIsAnsweredAtItsOwnClient makes two clients of a guard whose programs are
// devices: each is answered at its own control endpoint, and its token opens the API.
func TestADeviceIsAnsweredAtItsOwnClient(t *testing.T) {
	t.Parallel()
	s := start(t)
	base, err := s.ControlURL()
	require.NoError(t, err)
	parent := caller{t, base}
	var one, two services.ClientAnswer
	for _, made := range []*services.ClientAnswer{&one, &two} {
		status, text := parent.do("POST", "/clients", map[string]any{"grants": []string{deviceGrant}, "public": true}, made)
		require.Equal(t, 201, status, text)
	}
	own, other := caller{t, one.ControlURL}, caller{t, two.ControlURL}
	for _, env := range avalara.Environments() {
		device := program{t, one.Of(env).Identity, one.ClientID}
		code, userCode := device.codes("hs-code-classification")
		answer := services.DeviceAnswer{UserCode: userCode, Approve: true, Subject: "alice"}
		for _, elsewhere := range []caller{parent, other} {
			var problem services.Problem
			status, _ := elsewhere.do("POST", "/device", answer, &problem)
			assert.Equal(t, 404, status)
			assert.Equal(t, "user_code", problem.Field)
		}
		status, refused := device.poll(code)
		assert.Equal(t, 400, status)
		assert.Equal(t, "authorization_pending", refused["error"])
		var answered services.DeviceAnswered
		status, _ = own.do("POST", "/device", answer, &answered)
		require.Equal(t, 200, status)
		assert.Equal(t, []string{"hs-code-classification"}, answered.Scopes)
		_, refused = device.poll(code)
		assert.Equal(t, "slow_down", refused["error"])
		own.do("POST", "/clock", services.ClockMove{Advance: control.Duration(5 * time.Second)}, nil)
		status, tokens := device.poll(code)
		require.Equal(t, 200, status, tokens)
		api := post(t, one.Of(env).API+avalara.PathClassify, tokens["access_token"].(string))
		assert.Equal(t, 200, api.StatusCode)
		status, _ = own.do("POST", "/device", answer, nil)
		assert.Equal(t, 404, status, "the tokens were fetched")
	}

	device := program{t, one.Sandbox.Identity, one.ClientID}
	code, userCode := device.codes("avatax_api")
	status, _ := own.do("POST", "/device", services.DeviceAnswer{UserCode: userCode}, nil)
	require.Equal(t, 200, status)
	_, refused := device.poll(code)
	assert.Equal(t, "access_denied", refused["error"])
	status, _ = own.do("POST", "/reset", nil, nil)
	require.Equal(t, 204, status)
	_, refused = device.poll(code)
	assert.Equal(t, "invalid_grant", refused["error"], "a reset forgets the devices")

	var entries []control.Entry
	own.do("GET", "/requests", nil, &entries)
	require.Len(t, entries, 1)
	assert.True(t, strings.HasSuffix(entries[0].Body, "device_code=***&grant_type="+url.QueryEscape(deviceGrant)), entries[0].Body)
}

func TestADeviceOfAClientWithoutTheGrant(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := client(t, s, services.Rules{Public: true})
	id, _ := c.Client()
	status, refused := program{t, c.IdentityURL(avalara.Sandbox), id}.ask(avalara.PathDeviceAuthorization, url.Values{})
	assert.Equal(t, 400, status)
	assert.Equal(t, map[string]any{"error": "unauthorized_client"}, refused)
	c = client(t, s, services.Rules{Grants: []string{deviceGrant}})
	id, _ = c.Client()
	_, refused = program{t, c.IdentityURL(avalara.Sandbox), id}.ask(avalara.PathDeviceAuthorization, url.Values{})
	assert.Equal(t, map[string]any{"error": "invalid_client"}, refused, "it keeps a secret")
}

// TestWhatIsWrongWithAnAnswerToADevice names the field that is wrong.
func TestWhatIsWrongWithAnAnswerToADevice(t *testing.T) {
	t.Parallel()
	s := start(t)
	base, err := s.ControlURL()
	require.NoError(t, err)
	control := caller{t, base}
	for body, want := range map[string]struct {
		status int
		field  string
	}{
		`{"user_code":"1","approve":true}`:                                              {404, "user_code"},
		`{"user_code":"1","approve":false,"environment":"production"}`:                  {404, "user_code"},
		`{"user_code":"","approve":true}`:                                               {400, "user_code"},
		`{"approve":true}`:                                                              {400, "user_code"},
		`{"user_code":123456789,"approve":true}`:                                        {400, "user_code"},
		`{"user_code":null,"approve":true}`:                                             {400, "user_code"},
		`{"user_code":"1"}`:                                                             {400, "approve"},
		`{"user_code":"1","approve":"yes"}`:                                             {400, "approve"},
		`{"user_code":"1","approve":null}`:                                              {400, "approve"},
		`{"user_code":"1","approve":true,"approve":false}`:                              {400, "approve"},
		`{"user_code":"1","Approve":true}`:                                              {400, "Approve"},
		`{"user_code":"1","approve":true,"user":"x"}`:                                   {400, "user"},
		`{"user_code":"1","approve":false,"subject":"x"}`:                               {400, "subject"},
		`{"user_code":"1","approve":true,"subject":" "}`:                                {400, "subject"},
		`{"user_code":"1","approve":true,"subject":"` + strings.Repeat("x", 256) + `"}`: {400, "subject"},
		`{"user_code":"1","approve":true,"environment":"prod"}`:                         {400, "environment"},
		`[]`: {400, ""},
	} {
		var problem services.Problem
		status, _ := control.do("POST", "/device", json.RawMessage(body), &problem)
		assert.Equal(t, want.status, status, body)
		assert.Equal(t, want.field, problem.Field, body)
	}
	status, text := control.do("POST", "/device", nil, nil)
	assert.Equal(t, 400, status)
	assert.Contains(t, text, `"field":"user_code"`)
	status, _ = control.do("GET", "/device", nil, nil)
	assert.Equal(t, 405, status)

	for body, field := range map[string]string{
		`{"grants":[]}`: "grants", `{"grants":["client_credentials","device_code"]}`: "grants[1]", `{"grants":"x"}`: "grants",
		`{"grants":[1]}`: "grants[0]", `{"public":"true"}`: "public", `{"public":null}`: "public",
	} {
		var problem services.Problem
		status, _ := control.do("POST", "/clients", json.RawMessage(body), &problem)
		assert.Equal(t, 400, status, body)
		assert.Equal(t, field, problem.Field, body)
	}
}

// TestADeviceWithTheRealHostsBuiltIn goes through the flow as SDKs do, with an id that
// nobody here knows and without a secret, and asks the API with the token of the user.
func TestADeviceWithTheRealHostsBuiltIn(t *testing.T) {
	t.Parallel()
	keys := services.NewKeys(guard.Live)
	for _, mode := range []guard.Mode{guard.Offline, guard.Record} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			m := real(t, mode, keys)
			c := m.client(true)
			send := func(path string, form url.Values) answer {
				form.Set("client_id", "built-in")
				r, err := http.NewRequest(http.MethodPost, "https://ai-sbx.avlr.sh"+path, strings.NewReader(form.Encode()))
				require.NoError(t, err)
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				return m.do(c, r)
			}
			got := send(avalara.PathDeviceAuthorization, url.Values{"scope": {avalara.ScopeHSCode}})
			require.Equal(t, 200, got.status, got.text)
			var device struct {
				Code     string `json:"device_code"`
				UserCode string `json:"user_code"`
				URI      string `json:"verification_uri"`
			}
			require.NoError(t, json.Unmarshal([]byte(got.text), &device))
			assert.Equal(t, "https://ai-sbx.avlr.sh/device", device.URI)
			base, err := m.local.ControlURL()
			require.NoError(t, err)
			status, text := caller{t, base}.do("POST", "/device", services.DeviceAnswer{UserCode: device.UserCode, Approve: true}, nil)
			require.Equal(t, 200, status, text)
			token := accessToken(t, send(avalara.PathToken, url.Values{"grant_type": {deviceGrant}, "device_code": {device.Code}}))
			got = m.classify(c, "hscode.api.sbx.avalara.com", token)
			assert.Equal(t, 200, got.status, got.text)
			assert.EqualValues(t, map[guard.Mode]int{guard.Record: 1}[mode], m.sent.Load())
		})
	}
}
