package mockidp_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

func TestFaultsStrikeByEndpointClientAndScope(t *testing.T) {
	idp, srv := start(t, mockidp.Config{})
	require.NoError(t, idp.Faults().Add(
		control.Fault{On: "token", Client: "c", Scope: "avatax_api", Status: 429, Headers: map[string]string{"Retry-After": "1"}},
		control.Fault{On: "jwks", Status: 503, Body: "later"},
		control.Fault{On: "authorize", Status: 503},
	))
	assert.Equal(t, 200, request{body: good + "&scope=hs-code-classification"}.send(t, srv).status)
	got := request{body: good}.send(t, srv) // asks for all it may have
	assert.Equal(t, 429, got.status)
	assert.Equal(t, http.Header{"Retry-After": {"1"}, "Content-Length": {"0"}}, got.header)
	assert.Equal(t, "later", get(jwksPath).send(t, srv).body)
	assert.Equal(t, 503, get("/connect/authorize").send(t, srv).status)
	assert.Equal(t, 404, get("/other").send(t, srv).status)
	for _, path := range []string{discoveryPath, jwksPath} {
		assert.Equal(t, 200, get(path).send(t, srv).status)
	}
}

func TestFaultsOnTheAnswer(t *testing.T) {
	idp, srv := start(t, mockidp.Config{})
	require.NoError(t, idp.Faults().Add(
		control.Fault{Nth: []int{1}, MalformedJSON: true},
		control.Fault{Nth: []int{2}, Truncate: 20},
		control.Fault{Nth: []int{3}, Drop: true},
	))
	ask := func() ([]byte, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+discoveryPath, nil)
		require.NoError(t, err)
		resp, err := srv.Client().Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		return io.ReadAll(resp.Body)
	}
	body, err := ask()
	require.NoError(t, err)
	assert.Equal(t, byte('"'), body[len(body)-1])
	body, err = ask()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Len(t, body, 20)
	_, err = ask()
	require.Error(t, err)
	var statuses []int
	for _, e := range idp.Journal().Entries(0) {
		statuses = append(statuses, e.Status)
		assert.True(t, e.Faulted)
	}
	assert.Equal(t, []int{200, 200, 0}, statuses, "a dropped connection has no status")
}

func TestJournalMasksSecrets(t *testing.T) {
	idp, srv := start(t, mockidp.Config{Name: "sandbox"})
	token := mint(t, idp, mockidp.Claims{})
	const secret = "hunter2"
	for _, r := range []request{
		{body: "client_id=c&client_secret=" + secret + "&" + cc},
		{body: "client_id=c&CLIENT%5Fsecret=" + secret},
		{header: basic("c:" + secret), body: cc},
		{target: tokenPath + "?client_secret=" + secret + "&a=b"},
		{ctype: "application/json", body: `{"client_secret":"` + secret + `"}`},
		{target: revocationPath, body: "token=" + token},
		{target: userinfoPath, header: []string{"Authorization: Bearer " + token}},
	} {
		r.send(t, srv)
	}
	entries := idp.Journal().Entries(0)
	require.Len(t, entries, 7)
	for _, e := range entries {
		text := e.Body + e.Query + e.Path + e.Header.Get("Authorization") + e.String()
		assert.NotContains(t, text, secret)
		assert.NotContains(t, text, base64.StdEncoding.EncodeToString([]byte("c:"+secret)))
		assert.NotContains(t, text, token)
	}
	first := entries[0]
	assert.Equal(t, "sandbox identity", first.Service)
	assert.Equal(t, "token", first.Endpoint)
	assert.Equal(t, "c", first.Client)
	assert.Equal(t, 400, first.Status)
	assert.Equal(t, "client_id=c&client_secret=***&"+cc, first.Body)
	assert.Equal(t, "client_secret=***&a=b", entries[3].Query)
	assert.Equal(t, "c", entries[2].Client, "the id of a Basic header")
}

// curl -d sends JSON as a form: all of it reads as a key, and its secrets as no value.
func TestJournalKeepsNothingOfWhatIsNoForm(t *testing.T) {
	idp, srv := start(t, mockidp.Config{})
	for _, body := range []string{
		`{"client_id":"c","client_secret":"hunter2=="}`, `%7B%22client_secret%22:%22hunter2%22%7D`, "client_secret: hunter2\nscope: x=y",
		`<client_secret>hunter2</client_secret>`,
	} {
		assert.Equal(t, 400, request{body: body}.send(t, srv).status)
	}
	request{body: good + "&resource[]=a&x.y-z=b&flag"}.send(t, srv)
	entries := idp.Journal().Entries(0)
	require.Len(t, entries, 5)
	for _, e := range entries[:4] {
		assert.Empty(t, e.Body)
	}
	assert.Contains(t, entries[4].Body, "&resource[]=a&x.y-z=b&flag")
}

// TestJournalEntryPrecedesTheAnswer would be flaky, not wrong, if the entry
// were written after the answer; so it looks while the answer is being written.
func TestJournalEntryPrecedesTheAnswer(t *testing.T) {
	idp, _ := start(t, mockidp.Config{})
	w := &watcher{ResponseRecorder: httptest.NewRecorder(), journal: idp.Journal()}
	idp.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, discoveryPath, nil))
	assert.Equal(t, 1, w.seen)
	assert.Equal(t, 200, idp.Journal().Entries(0)[0].Status)
}

// watcher counts the journal's entries when the status is written.
type watcher struct {
	*httptest.ResponseRecorder
	journal *control.Journal
	seen    int
}

func (w *watcher) WriteHeader(status int) {
	w.seen = w.journal.Count(nil)
	w.ResponseRecorder.WriteHeader(status)
}

func TestConcurrentUse(t *testing.T) {
	idp, srv := start(t, mockidp.Config{Keys: mockidp.NewKeys(nil)})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 4 {
				got := request{body: good}.send(t, srv)
				assert.Equal(t, 200, got.status)
				get(jwksPath).send(t, srv)
			}
			if i == 0 {
				assert.NoError(t, idp.Keys().Rotate())
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 64, idp.Journal().Count(nil))
	assert.Len(t, jwks(t, srv), 2, "the first tokens share one key; the rotation made the second")
}
