package services_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
)

// A body that does not come in time is told so, by each service: no service says that its
// JSON is bad, and none hangs up without a word.
func TestSlowBodiesAreTold(t *testing.T) {
	t.Parallel()
	s, err := services.Serve(services.Config{Limits: bounded.Limits{BodyTime: 100 * time.Millisecond}}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	token, err := s.Identity(avalara.Sandbox).Mint(mockidp.Claims{})
	require.NoError(t, err)
	for name, to := range map[string]struct{ url, path, media, begins string }{
		"token":          {s.Endpoints.Sandbox.Identity, avalara.PathToken, "application/x-www-form-urlencoded", "grant_type=client_cred"},
		"revocation":     {s.Endpoints.Sandbox.Identity, avalara.PathRevocation, "application/x-www-form-urlencoded", "token="},
		"device":         {s.Endpoints.Sandbox.Identity, avalara.PathDeviceAuthorization, "application/x-www-form-urlencoded", "client_id"},
		"classification": {s.Endpoints.Sandbox.API, avalara.PathClassify, "application/json", `{"description":`},
		"control":        {s.Endpoints.ControlURL, "/clock", "application/json", `{"adv`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := strings.TrimPrefix(to.url, "http://")
			c, err := net.Dial("tcp", host)
			require.NoError(t, err)
			defer func() { _ = c.Close() }()
			require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
			_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\n%s", to.path, host, to.media, token, to.begins)
			require.NoError(t, err)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, http.StatusRequestTimeout, resp.StatusCode)
			assert.Contains(t, string(text), "did not arrive within 100ms")
		})
	}
}
