package harness_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/harness"
)

// value is that of the last variable of a name, which a command gets.
func value(environ []string, name string) string {
	for _, v := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

func TestEnvironLeadsAProgramToTheTestsServices(t *testing.T) {
	inProject(t, "version: 1\nexec: { env: { SHOP_URL: '{api_url}/{{v1}}', SHOP_AUTH: '{client_id}:{client_secret}' } }\n")
	h := harness.Start(t, harness.Options{})
	environ := h.Environ()
	assert.Equal(t, h.APIURL(), value(environ, "HSHARNESS_API_URL"))
	assert.Equal(t, h.TokenURL(), value(environ, "HSHARNESS_TOKEN_URL"))
	assert.Equal(t, h.APIURL()+"/{v1}", value(environ, "SHOP_URL"))
	assert.Equal(t, h.ClientID()+":"+h.ClientSecret(), value(environ, "SHOP_AUTH"))

	// A program that makes a client of its own there gives it the same names.
	for _, name := range []string{"HSHARNESS_CONTROL_URL", "HSHARNESS_CONTROL_TOKEN", "HSHARNESS_EXEC_ENV"} {
		t.Setenv(name, value(environ, name))
	}
	inner := harness.Start(t, harness.Options{})
	assert.NotEqual(t, h.APIURL(), inner.APIURL())
	assert.Equal(t, inner.APIURL()+"/{v1}", value(inner.Environ(), "SHOP_URL"))
}

func TestInsideExecEnvironHasTheNamesOfTheExec(t *testing.T) {
	inProject(t, "version: 1\nexec: { env: { SHOP_URL: not this one } }\n")
	outer := inside(t)
	t.Setenv("HSHARNESS_EXEC_ENV", `{"SHOP_URL":"{api_url}","SHOP_MODE":"plain"}`)
	h := harness.Start(t, harness.Options{})
	environ := h.Environ()
	assert.Equal(t, h.APIURL(), value(environ, "SHOP_URL"))
	assert.NotEqual(t, mustURL(t, outer), value(environ, "SHOP_URL"))
	assert.Equal(t, "plain", value(environ, "SHOP_MODE"))
	assert.Equal(t, "r", value(environ, "HSHARNESS_RUN_ID"))

	t.Setenv("HSHARNESS_EXEC_ENV", `{"SHOP_URL":"{api}"}`)
	rec := &fatalRecorder{recorder: recorder{TB: t}}
	broken := harness.Start(rec, harness.Options{})
	assert.Panics(t, func() { broken.Environ() })
	assert.Contains(t, rec.fatal, "HSHARNESS_EXEC_ENV")
	rec.fatal = ""
}
