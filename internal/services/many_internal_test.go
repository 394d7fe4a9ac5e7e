package services

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
)

// Clients that nobody ends are refused at last, those of clients counted; and each that
// ends makes room for one.
func TestClientsAreBounded(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	first, err := s.NewClient(Rules{})
	require.NoError(t, err)
	second, err := first.NewClient(Rules{})
	require.NoError(t, err)
	for range MaxClients - 2 { // as though there were so many: each takes a while to make
		_, err := s.calls.enter(0)
		require.NoError(t, err)
	}
	for _, of := range []*Local{s, first, second} {
		_, err = of.NewClient(Rules{})
		assert.ErrorIs(t, err, ErrManyClients)
	}
	w := httptest.NewRecorder()
	refused(w, err)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Contains(t, w.Body.String(), "2000 clients have not ended, and there may be no more: end each with DELETE /clients/ID when its test is over")
	assert.True(t, json.Valid(w.Body.Bytes()))
	require.NoError(t, second.Close())
	require.NoError(t, second.Close())
	again, err := s.NewClient(Rules{})
	require.NoError(t, err)
	_, err = s.NewClient(Rules{})
	require.ErrorIs(t, err, ErrManyClients)
	require.NoError(t, again.Close())
	_, err = s.NewClient(Rules{})
	assert.NoError(t, err)
}

// Rules are kept as long as their client, and a name or a list of prices may have a
// megabyte: those of all clients have a limit together.
func TestRulesOfClientsAreBounded(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	first, err := s.NewClient(Rules{Test: strings.Repeat("x", maxRules/2)})
	require.NoError(t, err)
	prices := guard.Operations{{Match: "POST /" + strings.Repeat("x", 900), Cost: 1}}
	second, err := first.NewClient(Rules{Test: strings.Repeat("x", maxRules/2-1000), Operations: prices})
	require.EqualError(t, err, "the rules of all clients that have not ended may have 67108864 bytes together: end clients, or give them shorter names and fewer operations")
	assert.Nil(t, second)
	rec := httptest.NewRecorder()
	refused(rec, err)
	assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
	_, err = first.NewClient(Rules{Test: "small", Operations: prices})
	require.NoError(t, err)
	require.NoError(t, first.Close())
	_, err = s.NewClient(Rules{Test: strings.Repeat("x", maxRules)})
	assert.NoError(t, err, "what ended made room, its own client too")
}
