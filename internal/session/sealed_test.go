package session_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/internal/session"
)

// TestSealedIsRequired: a run that buys for programs in no seal is refused before its
// credential or its ledger is asked for, whatever a variable says.
func TestSealedIsRequired(t *testing.T) {
	t.Parallel()
	errAsked := errors.New("the ledger was asked")
	open := func(text string, mode guard.Mode, sealed bool) (asked bool, err error) {
		p, getenv := read(t, text, map[string]string{"HSHARNESS_SEALED": "yes", "KEY": "k"})
		s, err := session.Open(t.Context(), session.Config{
			Project: p, Getenv: getenv, Limits: []guard.Limit{{Mode: mode}}, Max: 7, Sealed: sealed, Mocks: services.Config{},
			Credential: func() (guard.Credential, []recording.Secret, error) {
				asked = true
				return guard.Credential{}, nil, nil
			},
			Ledger: func(context.Context) (session.Ledger, error) { return nil, errAsked },
		})
		if err == nil {
			s.Close()
		}
		return asked, err
	}
	required := real + "policy: { sealed: required }\n"
	for _, mode := range []guard.Mode{guard.Record, guard.Live} {
		asked, err := open(required, mode, false)
		var unsealed *session.UnsealedError
		require.ErrorAs(t, err, &unsealed, mode)
		assert.Equal(t, mode, unsealed.Mode)
		assert.Equal(t, int64(7), unsealed.Max)
		assert.Contains(t, err.Error(), "mode "+mode.String()+", but policy.sealed in "+unsealed.File+" is required")
		assert.False(t, asked, "the credential was asked for")
		_, err = open(required, mode, true)
		require.ErrorIs(t, err, errAsked)
		for _, text := range []string{real, real + "policy: { sealed: optional }\n"} {
			_, err = open(text, mode, false)
			require.ErrorIs(t, err, errAsked)
		}
	}
	for _, mode := range []guard.Mode{guard.Offline, guard.Replay} {
		_, err := open(required, mode, false)
		require.NoError(t, err, mode)
	}
}
