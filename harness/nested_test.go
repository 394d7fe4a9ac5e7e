package harness_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp/control"
)

// inside puts this test's process inside the exec of a set of services.
func inside(t *testing.T) *services.Local {
	t.Helper()
	outer, err := services.New(services.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = outer.Close() })
	enter(t, outer)
	return outer
}

// enter puts this test's process inside the exec of outer.
func enter(t *testing.T, outer *services.Local) {
	t.Helper()
	environ, err := outer.Environ(avalara.Sandbox)
	require.NoError(t, err)
	for _, v := range append(environ, "HSHARNESS_RUN_ID=r") {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

func TestInsideExecATestIsAClient(t *testing.T) {
	outer := inside(t)
	_, err := classify((&http.Client{Transport: services.Authorized(outer, http.DefaultTransport)}), mustURL(t, outer), "laptop")
	require.NoError(t, err)

	h, other := harness.Start(t, harness.Options{}), harness.Start(t, harness.Options{})
	assert.NotEqual(t, h.TokenURL(), other.TokenURL())
	assert.NotEqual(t, h.ClientSecret(), other.ClientSecret())
	for _, base := range []string{h.APIURL(), h.LegacyAPIURL(), "https://hscode.api.sbx.avalara.com"} {
		_, err := classify(h.Client(), base, "laptop")
		require.NoError(t, err, base)
	}
	h.ExpectSpend(3)
	h.ExpectCalls(3)
	other.ExpectCalls(0)
	tally, err := outer.Tally()
	require.NoError(t, err)
	assert.Equal(t, guard.Tally{Requests: 4, Mocked: 4, Price: 4}, tally, "the guard counts what its clients do")

	h.Clock().Advance(66 * time.Minute)
	assert.Zero(t, outer.Clock.Offset(), "a clock of its own")
	assert.WithinDuration(t, time.Now().Add(66*time.Minute), h.Clock().Now(), time.Minute)
	assert.WithinDuration(t, time.Now(), other.Clock().Now(), time.Minute)
	_, err = classify(h.Client(), h.APIURL(), "laptop")
	require.NoError(t, err, "the client renews its token by that clock")
	h.Fault(control.Fault{On: "api", Status: 503})
	_, err = classify(other.Client(), other.APIURL(), "laptop")
	require.NoError(t, err, "another's fault does not strike")
	_, err = classify(h.Client(), h.APIURL(), "laptop")
	assert.EqualError(t, err, "status 503")
	assert.NotEmpty(t, h.Requests())
	assert.NotEqual(t, len(h.Requests()), len(other.Requests()))
}

// TestInsideExecAClientsTokenIsItsOwn sends one client's token to another.
func TestInsideExecAClientsTokenIsItsOwn(t *testing.T) {
	inside(t)
	h, other := harness.Start(t, harness.Options{}), harness.Start(t, harness.Options{})
	r, err := http.NewRequest(http.MethodGet, h.APIURL(), nil)
	require.NoError(t, err)
	resp, err := h.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	r, err = http.NewRequest(http.MethodPost, other.APIURL()+"/hscode/classify", strings.NewReader(`{}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", resp.Request.Header.Get("Authorization"))
	resp, err = http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
}

func mustURL(t *testing.T, s *services.Local) string {
	t.Helper()
	u, err := s.APIURL(avalara.Sandbox, avalara.Current)
	require.NoError(t, err)
	return u
}

func TestInsideExecProductionIsOffline(t *testing.T) {
	inside(t)
	h := harness.Start(t, harness.Options{Production: true})
	for _, base := range []string{h.APIURL(), "https://hscode.api.avalara.com"} {
		_, err := classify(h.Client(), base, "laptop")
		require.NoError(t, err, base)
	}
	h.ExpectSpend(0)
	h.ExpectCalls(2)
}

func TestInsideExecWhoseGuardIsGone(t *testing.T) {
	outer := inside(t)
	require.NoError(t, outer.Close())
	rec := &fatalRecorder{recorder: recorder{TB: t}}
	assert.Panics(t, func() { harness.Start(rec, harness.Options{}) })
	assert.Contains(t, rec.fatal, "start again: hsharness exec")
}

func TestInsideExecTheMockCannotBeChosen(t *testing.T) {
	inside(t)
	one := int64(1)
	rec := &fatalRecorder{recorder: recorder{TB: t}}
	for _, o := range []harness.Options{{SandboxAllowance: &one}, {API: harness.API{RateLimit: 1}}} {
		rec.fatal = ""
		assert.Panics(t, func() { harness.Start(rec, o) })
		assert.Contains(t, rec.fatal, "inside an exec")
	}
}
