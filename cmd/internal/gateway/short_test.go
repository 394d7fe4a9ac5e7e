package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who asks for a token has shown no key yet, and can't make the gateway read much.
func TestRequestForATokenIsShort(t *testing.T) {
	t.Parallel()
	g := newTeam(t, 1, 1, map[string]int64{"shop": 1})
	resp, err := http.Post(g.url+"/connect/token", "application/x-www-form-urlencoded", strings.NewReader("client_id="+strings.Repeat("x", maxTokenRequest)))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
}
