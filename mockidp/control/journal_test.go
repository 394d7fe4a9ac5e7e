package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp/control"
)

func TestJournalIsBoundedAndNumbered(t *testing.T) {
	j := control.Journal{Size: 3}
	for range 5 {
		j.Record(control.Entry{Endpoint: "token"})
	}
	var seqs []int64
	for _, e := range j.Entries(0) {
		seqs = append(seqs, e.Seq)
	}
	assert.Equal(t, []int64{3, 4, 5}, seqs)
	assert.Len(t, j.Entries(4), 1)
	j.Clear()
	assert.Zero(t, j.Count(nil))
	j.Record(control.Entry{})
	assert.EqualValues(t, 6, j.Entries(0)[0].Seq, "numbers go on after a clear")
}

func TestJournalBoundsWhatOneEntryKeeps(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	header := http.Header{"X": {long, "y"}}
	for i := range 1000 {
		header.Set("N"+strconv.Itoa(i), "v")
	}
	var j control.Journal
	j.Record(control.Entry{Path: long, Query: long, Body: "client_secret=" + long, Header: header})
	data, err := json.Marshal(j.Entries(0))
	require.NoError(t, err)
	assert.Less(t, len(data), 64<<10)
	assert.Equal(t, "client_secret=***", j.Entries(0)[0].Body)
}

func TestJournalMasksSecrets(t *testing.T) {
	var j control.Journal
	header := http.Header{"Authorization": {"Basic aWQ6c2VjcmV0"}, "Cookie": {"a=b"}, "Accept": {"*/*"}}
	j.Record(control.Entry{
		Header: header,
		Body:   "grant_type=client_credentials&CLIENT_SECRET=hunter2&client%5Fsecret=hunter3&scope=a",
	})
	e := j.Entries(0)[0]
	assert.Equal(t, "Basic ***", e.Header.Get("Authorization"))
	assert.Equal(t, "***", e.Header.Get("Cookie"))
	assert.Equal(t, "*/*", e.Header.Get("Accept"))
	assert.Equal(t, "grant_type=client_credentials&CLIENT_SECRET=***&client%5Fsecret=***&scope=a", e.Body)
	assert.Equal(t, "Basic aWQ6c2VjcmV0", header.Get("Authorization"), "the request's own headers must not change")

	// In a process of one's own headers have names in any letters; APIs take tokens in a query.
	j.Record(control.Entry{Query: "a=b&access_token=hunter2", Header: http.Header{"authorization": {"Bearer hunter2"}, "cookie": {"a=hunter2"}}})
	e = j.Entries(1)[0]
	assert.Equal(t, "a=b&access_token=***", e.Query)
	assert.Equal(t, http.Header{"authorization": {"Bearer ***"}, "cookie": {"***"}}, e.Header)
}

func TestAHeaderThatIsNoSchemeAndACredentialIsMaskedWhole(t *testing.T) {
	for value, want := range map[string]string{
		"Bearer hunter2": "Bearer ***", "BASIC hunter2": "BASIC ***", "DPoP hunter2": "DPoP ***", "Bearer": "***",
		"Bearerhunter2 x": "***", "Bearer\thunter2 x": "***", "hunter2 x": "***", "hunter2": "***",
	} {
		got := control.MaskHeader(http.Header{"Authorization": {value}, "Proxy-Authorization": {value}})
		assert.Equal(t, http.Header{"Authorization": {want}, "Proxy-Authorization": {want}}, got, value)
	}
}

func TestJournalWaitFor(t *testing.T) {
	var j control.Journal
	token := func(e control.Entry) bool { return e.Endpoint == "token" }
	done := make(chan error, 1)
	go func() {
		got, err := j.WaitFor(t.Context(), 2, token)
		if err == nil && len(got) != 2 {
			err = errors.New("not two entries")
		}
		done <- err
	}()
	j.Record(control.Entry{Endpoint: "token"})
	j.Record(control.Entry{Endpoint: "jwks"})
	j.Record(control.Entry{Endpoint: "token"})
	require.NoError(t, <-done)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := j.WaitFor(ctx, 3, token)
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "2 of 3 requests came; 1 others did")
}
