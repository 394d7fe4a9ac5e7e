package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/bounded"
)

// Long answers of the sandbox, of all requests under way, have a memory together.
func TestLongAnswersShareAMemory(t *testing.T) {
	t.Parallel()
	const long = 200_000
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	read, goOn := make(chan struct{}, 2), make(chan struct{})
	servers := bounded.Servers{Gate: bounded.NewGate(bounded.Limits{Memory: long, AnswerTime: 300 * time.Millisecond})}
	servers.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := long
		if r.URL.Path == "/short" {
			n = 1000
		}
		resp := &http.Response{StatusCode: 200, ContentLength: -1, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", n)))}
		body, err := readAnswer(r.Context(), resp)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path == "/held" {
			read <- struct{}{}
			<-goOn
		}
		fmt.Fprint(w, len(body))
	}))
	t.Cleanup(func() { assert.NoError(t, servers.Close()) })
	ask := func(path string) string {
		resp, err := http.Get("http://" + l.Addr().String() + path)
		if !assert.NoError(t, err) {
			return ""
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		assert.NoError(t, err)
		return strings.TrimSpace(string(text))
	}
	held := make(chan string)
	go func() { held <- ask("/held") }()
	<-read
	assert.Contains(t, ask("/other"), "there was no memory for an answer of this size")
	assert.Equal(t, "1000", ask("/short"), "an ordinary one waits for nothing")
	close(goOn)
	assert.Equal(t, fmt.Sprint(long), <-held)
	assert.Equal(t, fmt.Sprint(long), ask("/other"))
}

// A service whose tokens live a moment gives one for each request: what is looked for in
// answers are the latest, and the account's secret.
func TestGivenTokensHaveALimit(t *testing.T) {
	t.Parallel()
	asked := 0
	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprintf("the-token-Number-%06d", asked), "expires_in": 1, "token_type": "Bearer"})
	}))
	t.Cleanup(identity.Close)
	now := time.Now()
	credential := Credential{ClientID: "id", ClientSecret: "the-real-license-key"}
	s := &tokenSource{
		identity: identity.URL, credential: credential, client: identity.Client(), now: func() time.Time { now = now.Add(time.Hour); return now },
		tokens: map[string]realToken{}, resent: map[string]bool{}, mayAsk: func(context.Context) error { return nil }, own: secretFinder(credential),
	}
	for range 50 {
		_, err := s.token(t.Context(), "scope")
		require.NoError(t, err)
	}
	assert.Len(t, s.latest, maxGiven)
	found := func(text string) bool { return s.finder().Has([]byte(text)) }
	assert.True(t, found("a the-token-Number-000050 b"))
	assert.True(t, found("a the-token-number-000050 b"))
	assert.True(t, found("a the-real-license-key b"))
	assert.False(t, found("a the-token-Number-000001 b"))
}
