package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestGoneOfThisMachine lets a run of this machine whose process is gone give its
// units back at the next admission, while one of another machine keeps them until
// its lease has passed.
func TestGoneOfThisMachine(t *testing.T) {
	s := newStore(t, postgres.Config{})
	gone := quota.ThisProcess() // the same number, but started at another time
	gone.Start = gone.Start[:strings.LastIndexByte(gone.Start, '/')+1] + "1"
	require.True(t, gone.Gone())
	elsewhere := gone
	elsewhere.Host += "-other"

	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "elsewhere", Max: 40, Process: elsewhere}, nil)
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "gone", Max: 60, Process: gone}, nil)
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "next", Max: 60}, nil)
	require.NoError(t, err)

	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "too much", Max: 1}, nil)
	var blocked *quota.BlockedError
	require.ErrorAs(t, err, &blocked)
	var holders []string
	for _, h := range blocked.Holders {
		holders = append(holders, h.ID)
	}
	assert.Equal(t, []string{"elsewhere", "next"}, holders)
}
