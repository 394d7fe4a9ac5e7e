package session_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/session"
)

// read is a project of this text, in an environment.
func read(t *testing.T, text string, environ map[string]string) (*project.Project, func(string) string) {
	t.Helper()
	getenv := func(name string) string { return environ[name] }
	file := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	p, err := project.Read(file, false, getenv)
	require.NoError(t, err)
	return p, getenv
}

const (
	real     = "version: 1\nenvironments: { sandbox: { client_id: me, client_secret: \"${KEY}\" } }\n"
	loopback = "version: 1\nenvironments: { sandbox: { identity_url: http://127.0.0.1:1, api_url: http://127.0.0.1:1 } }\n"
)

// Of all that say how far a run may go the lowest counts, and is named.
func TestLimit(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text    string
		environ map[string]string
		want    guard.Limit
	}{
		"what is typed":           {real, nil, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"the policy":              {real + "policy: { mode: record }\n", nil, guard.Limit{Mode: guard.Record, By: "policy.mode"}},
		"the environment":         {real, map[string]string{"HSHARNESS_MAX_MODE": "replay"}, guard.Limit{Mode: guard.Replay, By: "HSHARNESS_MAX_MODE"}},
		"CI":                      {real, map[string]string{"CI": "1"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}},
		"CI=true":                 {real, map[string]string{"CI": "true"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}},
		"CI=0":                    {real, map[string]string{"CI": "0"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"CI=false":                {real, map[string]string{"CI": "false"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"CI=False":                {real, map[string]string{"CI": "False"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"CI, on loopback":         {loopback, map[string]string{"CI": "1"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}},
		"CI, loopback exempt":     {loopback + "policy: { loopback: exempt }\n", map[string]string{"CI": "1"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"CI, real, exempt":        {real + "policy: { loopback: exempt }\n", map[string]string{"CI": "1"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}},
		"the lowest of them":      {real + "policy: { mode: record }\n", map[string]string{"HSHARNESS_MAX_MODE": "offline", "CI": "1"}, guard.Limit{Mode: guard.Offline, By: "HSHARNESS_MAX_MODE"}},
		"more than typed is none": {real + "policy: { mode: live }\n", map[string]string{"HSHARNESS_MAX_MODE": "live"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
	} {
		p, getenv := read(t, row.text, row.environ)
		upstream, err := p.Upstream()
		require.NoError(t, err, name)
		got, err := session.Limit(p, upstream, getenv, guard.Limit{Mode: guard.Live, By: "--mode"})
		require.NoError(t, err, name)
		assert.Equal(t, row.want, got, name)
	}
}

// A run that does not buy asks nobody for the credential; one that does, and has
// neither an amount nor a ledger, sends nothing.
func TestOpenAsksOnlyForWhatItNeeds(t *testing.T) {
	t.Parallel()
	p, getenv := read(t, loopback, nil)
	for mode, wrong := range map[guard.Mode]string{guard.Offline: "", guard.Replay: "", guard.Record: "needs an amount", guard.Live: "needs an amount"} {
		asked := false
		s, err := session.Open(t.Context(), session.Config{
			Project: p, Getenv: getenv, Limits: []guard.Limit{{Mode: mode, By: "a test"}},
			Credential: func() (guard.Credential, []recording.Secret, error) {
				asked = true
				return guard.Credential{}, nil, nil
			},
		})
		assert.Equal(t, mode.Buys(), asked, mode)
		if wrong != "" {
			require.ErrorContains(t, err, wrong)
			continue
		}
		require.NoError(t, err)
		services, err := s.Services(guard.Live, nil)
		require.NoError(t, err)
		assert.Equal(t, mode, services.Mode(), "no ceiling lets it go further")
		require.NoError(t, services.Close())
		s.Close()
	}
}
