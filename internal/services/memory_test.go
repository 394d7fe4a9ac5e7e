package services_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp/control"
)

// All clients have one memory for faults and one for journals, and what a client held is
// free for others once it has ended.
func TestClientsShareAMemory(t *testing.T) {
	t.Parallel()
	s, err := services.New(services.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	large := control.Fault{Status: 500, Body: strings.Repeat("x", 4<<20-1000)}
	text := strings.Repeat("x", 3<<10)
	var all []*services.Local
	for range 16 {
		c, err := s.NewClient(services.Rules{})
		require.NoError(t, err)
		require.NoError(t, c.AddFaults(large))
		all = append(all, c)
		for range 600 {
			c.Journal.Record(control.Entry{Path: text, Query: text, Body: text, Method: text, Client: text})
		}
	}
	last, err := s.NewClient(services.Rules{})
	require.NoError(t, err)
	require.ErrorContains(t, last.AddFaults(large), "all may have together")
	kept := 0
	for _, c := range all {
		kept += len(c.Journal.Entries(0))
	}
	assert.Less(t, kept, 64<<20/(15<<10)+16)
	require.NoError(t, all[0].Close())
	assert.NoError(t, last.AddFaults(large))
}

// What a client had classified is forgotten with it: it is in the memory of all.
func TestAnEndedClientKeepsNoClassifications(t *testing.T) {
	t.Parallel()
	s, err := services.New(services.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	c, err := s.NewClient(services.Rules{})
	require.NoError(t, err)
	token, err := c.Token(t.Context(), avalara.Sandbox, avalara.HostOf(avalara.Sandbox, avalara.Managed).Scopes[0])
	require.NoError(t, err)
	api := c.API(avalara.Sandbox).Handler(avalara.Managed) // as a request has it that outlives the client
	ask := func(method, path, body string) int {
		r := httptest.NewRequest(method, "/api/v2/companies/1/classifications/hs"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusCreated, ask(http.MethodPost, "", `{"countryOfDestination":"US","item":{"companyId":1,"itemCode":"A1","description":"cup","itemGroup":"cups"}}`))
	assert.Equal(t, http.StatusOK, ask(http.MethodGet, "/1-A1-US", ""))
	require.NoError(t, c.Close())
	assert.Equal(t, http.StatusNotFound, ask(http.MethodGet, "/1-A1-US", ""))
}

// Lists are told as they were, in parts: with none, one and many elements.
func TestListsAreToldInParts(t *testing.T) {
	t.Parallel()
	s, err := services.New(services.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	url, err := s.ControlURL()
	require.NoError(t, err)
	assert.Equal(t, "[]\n", get(t, url+"/requests"))
	assert.Equal(t, "[]\n", get(t, url+"/faults"))
	for i := range 100 {
		resp, err := http.Get(fmt.Sprintf("%s/none/%d", s.IdentityURL(avalara.Sandbox), i))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	assert.Equal(t, 100, strings.Count(get(t, url+"/requests"), `"path":"/none/`))
	assert.Equal(t, 40, strings.Count(get(t, url+"/requests?since=60"), `"path":"/none/`))
	assert.Equal(t, "[]\n", get(t, url+"/requests?since=100"))
	require.NoError(t, s.AddFaults(control.Fault{Status: 500, Body: "<"}, control.Fault{Drop: true}))
	assert.JSONEq(t, `[{"status":500,"body":"<"},{"drop":true}]`, get(t, url+"/faults"))
}

// get is the answer of a URL.
func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	return string(text)
}
