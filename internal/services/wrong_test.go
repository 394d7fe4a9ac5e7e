package services_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/services"
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
			`{"latency":"-1s"}`: "latency", `{"status":500,"nth":[0]}`: "nth", `{"token":"bent"}`: "token", `{"on":"api"}`: "",
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
