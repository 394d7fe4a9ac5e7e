package services_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp/control"
)

// TestAWrongValueIsNamed: an answer 400 has the member that is wrong, also where it can be
// read and is no value of that member.
func TestAWrongValueIsNamed(t *testing.T) {
	t.Parallel()
	base, err := start(t).ControlURL()
	require.NoError(t, err)
	for call, bodies := range map[string]map[string]string{
		"/tokens": {
			`{"defect":"bent"}`: "defect", `{"lifetime":"-1h"}`: "lifetime", `{"lifetime":"1ns"}`: "lifetime", `{"environment":"moon"}`: "environment",
		},
		"/faults": {
			`{"status":99}`: "status", `{"status":500,"probability":2}`: "probability", `{"status":500,"times":-1}`: "times", `{"truncate":-1}`: "truncate",
			`{"latency":"-1s"}`: "latency", `{"status":500,"nth":[0]}`: "nth", `{"token":"bent"}`: "token", `{"on":"api","token":"expired"}`: "token", `{"on":"api"}`: "",
			`{"on":"classify","status":500}`: "on", `[{"on":"api","status":500},{"on":"Token","status":500}]`: "[1].on",
			`[{"status":500},{"status":600}]`: "[1].status", `[{"status":"x"}]`: "[0].status",
		},
	} {
		for body, field := range bodies {
			var wrong services.Problem
			status, _ := caller{t, base}.do("POST", call, json.RawMessage(body), &wrong)
			assert.Equal(t, 400, status, body)
			assert.Equal(t, field, wrong.Field, "%s: %s", body, wrong.Detail)
		}
	}
}

// TestAFaultStrikesWhereItSays: each name that a fault may have is that of an endpoint. One
// that is refused is not kept.
func TestAFaultStrikesWhereItSays(t *testing.T) {
	t.Parallel()
	s := start(t)
	base, err := s.ControlURL()
	require.NoError(t, err)
	api, err := s.APIURL(avalara.Sandbox, avalara.Current)
	require.NoError(t, err)
	identity := s.IdentityURL(avalara.Sandbox)
	var wrong services.Problem
	status, _ := caller{t, base}.do("POST", "/faults", json.RawMessage(`[{"status":418},{"on":"moon","status":418}]`), &wrong)
	require.Equal(t, 400, status)
	require.ErrorContains(t, s.AddFaults(control.Fault{On: "classify", Status: 418}), `on "classify" is no endpoint`, "in Go as over HTTP")
	assert.Empty(t, s.Faults.List())
	_, names, found := strings.Cut(wrong.Detail, "it is one of ")
	names, _, ended := strings.Cut(names, ", or left out")
	require.True(t, found && ended, wrong.Detail)
	for _, name := range strings.Split(names, ", ") {
		at := map[string]string{
			"token": identity + avalara.PathToken, "discovery": identity + avalara.PathDiscovery, "jwks": identity + avalara.PathJWKS,
			"authorize": identity + avalara.PathAuthorize, "endsession": identity + avalara.PathEndSession, "checksession": identity + avalara.PathCheckSession,
			"deviceauthorization": identity + avalara.PathDeviceAuthorization, "device": identity + "/device", "register": identity + avalara.PathRegistration,
			"introspect": identity + avalara.PathIntrospection, "revocation": identity + avalara.PathRevocation, "userinfo": identity + avalara.PathUserInfo,
			"api": api + avalara.PathClassify,
		}[name]
		require.NotEmpty(t, at, name)
		status, _ := caller{t, base}.do("POST", "/faults", json.RawMessage(`{"on":"`+name+`","status":418}`), nil)
		require.Equal(t, 204, status, name)
		resp, err := http.Get(at)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 418, resp.StatusCode, name)
	}
}
