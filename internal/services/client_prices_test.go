package services_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

// TestAClientHasThePricesAroundIt: a client that brings no prices has those of the run,
// also where the project's are lower than the built-in ones, and one further inside too.
func TestAClientHasThePricesAroundIt(t *testing.T) {
	t.Parallel()
	s, err := services.New(services.Config{Operations: guard.Operations{{Match: "POST /hscode/hints", Cost: 0}, {Match: "POST /hscode/classify", Cost: 3}}})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	outer := client(t, s, services.Rules{})
	inner := client(t, outer, services.Rules{Operations: guard.Operations{{Match: "POST /hscode-enhanced/classify", Cost: 7}}})
	for path, want := range map[string]int{
		avalara.PathHints: 0, avalara.PathClassify: 3, avalara.PathEnhanced: 1,
	} {
		for name, caller := range map[string]*services.Local{"the run": s, "its client": outer} {
			before := tallyOf(t, caller).Price
			assert.Equal(t, 200, askAt(t, caller, path))
			assert.Equal(t, want, tallyOf(t, caller).Price-before, "%s: %s", name, path)
		}
	}
	before := tallyOf(t, inner).Price
	assert.Equal(t, 200, askAt(t, inner, avalara.PathHints))
	assert.Equal(t, before, tallyOf(t, inner).Price, "its own rule is for other requests")
	assert.Equal(t, 200, askAt(t, inner, avalara.PathEnhanced))
	assert.Equal(t, before+7, tallyOf(t, inner).Price)
}

// TestAClientPricesNothingThatTheRunDoesNotKnow: what a client says costs nothing would be
// sent, and the service may count it. Where nothing is bought its price is its own.
func TestAClientPricesNothingThatTheRunDoesNotKnow(t *testing.T) {
	t.Parallel()
	m := real(t, guard.Record, services.NewKeys(guard.Record))
	s := m.local
	own := guard.Operations{{Match: "POST /weather", Cost: 0}, {Match: "POST /forecast", Cost: 2}}
	outer := client(t, s, services.Rules{Operations: own})
	for _, caller := range []*services.Local{outer, client(t, outer, services.Rules{})} {
		for _, path := range []string{"/weather", "/forecast"} {
			assert.Equal(t, http.StatusFailedDependency, askAt(t, caller, path), path)
		}
		verdict, reason := caller.Verdict()
		assert.Equal(t, guard.Policy, verdict)
		assert.Contains(t, reason, "no operation rule knows what POST /weather costs")
	}
	assert.Zero(t, m.sent.Load())
	offline := guard.Offline
	before := client(t, s, services.Rules{Mode: &offline, Operations: own})
	assert.Equal(t, http.StatusNotFound, askAt(t, before, "/forecast"))
	assert.Equal(t, 2, tallyOf(t, before).Price)
}

func askAt(t *testing.T, s *services.Local, path string) int {
	t.Helper()
	token, err := s.Token(t.Context(), avalara.Sandbox, avalara.HostOf(avalara.Sandbox, avalara.Current).Scopes[0])
	require.NoError(t, err)
	base, err := s.APIURL(avalara.Sandbox, avalara.Current)
	require.NoError(t, err)
	return post(t, base+path, token).StatusCode
}
