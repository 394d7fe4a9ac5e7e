package main

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// taped records one bought answer as the guard does, so many days ago, and sets
// KEY to its key: taped DIR DESCRIPTION DAYS STATUS ANSWER.
func taped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: taped DIR DESCRIPTION DAYS STATUS ANSWER")
	}
	days, err := strconv.Atoi(args[2])
	ts.Check(err)
	status, err := strconv.Atoi(args[3])
	ts.Check(err)
	store, err := recording.Open(recording.Config{Dir: ts.MkAbs(args[0])})
	ts.Check(err)
	body, err := json.Marshal(map[string]string{"description": args[1]})
	ts.Check(err)
	header := http.Header{"Content-Type": {"application/json"}}
	k := store.Key(recording.Request{
		Environment: "sandbox", API: "current", Operation: "POST /hscode/classify", Method: http.MethodPost,
		Path: "/hscode/classify", Header: header, Body: body,
	})
	ts.Check(store.Put(context.Background(), k, recording.Take{
		RecordedAt: time.Now().Add(-time.Duration(days)*24*time.Hour - time.Minute), Cost: 1, Entry: "spend-" + args[2],
		Response: recording.Message{Status: status, Header: header, Body: []byte(args[4])}, ElapsedMS: 12,
	}))
	ts.Setenv("KEY", k.Sum)
}

func TestCompareMessages(t *testing.T) {
	asJSON := http.Header{"Content-Type": {"application/json"}}
	for _, row := range []struct {
		name    string
		was, is recording.Message
		want    []string
	}{
		{"same, in another order", recording.Message{Body: []byte(`{"a":1,"b":[2]}`)}, recording.Message{Body: []byte(`{"b":[2],"a":1}`)}, nil},
		{"other headers", recording.Message{Header: http.Header{"Date": {"x"}}}, recording.Message{}, nil},
		{"new", recording.Message{Body: []byte(`{}`)}, recording.Message{Body: []byte(`{"a":{"b":1}}`)}, []string{`new field      response /a: {"b":1}`}},
		{"new null", recording.Message{Body: []byte(`{}`)}, recording.Message{Body: []byte(`{"a":null}`)}, []string{`new field      response /a: null`}},
		{"removed", recording.Message{Body: []byte(`{"a/b":1,"c~d":2}`)}, recording.Message{Body: []byte(`{}`)},
			[]string{`removed        response /a~1b: 1`, `removed        response /c~0d: 2`}},
		{"type", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`{"a":"1"}`)}, []string{`type changed   response /a: 1 -> "1"`}},
		{"type of the whole", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`[1]`)}, []string{`type changed   response body: {"a":1} -> [1]`}},
		{"value", recording.Message{Body: []byte(`[{"a":1}]`)}, recording.Message{Body: []byte(`[{"a":10000000000000001}]`)},
			[]string{`value changed  response /0/a: 1 -> 10000000000000001`}},
		{"elements", recording.Message{Body: []byte(`[1,2]`)}, recording.Message{Body: []byte(`[1]`)}, []string{`removed        response /1: 2`}},
		{"status and type", recording.Message{Status: 200, Header: asJSON}, recording.Message{Status: 400},
			[]string{`removed        response content-type: "application/json"`, `value changed  response status: 200 -> 400`}},
		{"no longer JSON", recording.Message{Body: []byte(`{}`)}, recording.Message{Body: []byte(`<p>`)}, []string{`type changed   response body: "{}" -> "<p>"`}},
		{"texts", recording.Message{Body: []byte(`<a>`)}, recording.Message{Body: []byte(`<p>`)}, []string{`value changed  response body: "<a>" -> "<p>"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, d := range compareMessages("response", row.was, row.is) {
				got = append(got, d.String())
			}
			assert.Equal(t, row.want, got)
		})
	}
}

func TestShape(t *testing.T) {
	for _, row := range []struct {
		name    string
		was, is recording.Message
		want    bool
	}{
		{"value", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`{"a":2}`)}, false},
		{"longer list", recording.Message{Body: []byte(`[{"a":1}]`)}, recording.Message{Body: []byte(`[{"a":1},{"a":2}]`)}, false},
		{"shorter list", recording.Message{Body: []byte(`[1,2]`)}, recording.Message{Body: []byte(`[1]`)}, false},
		{"field of an element", recording.Message{Body: []byte(`[{"a":1}]`)}, recording.Message{Body: []byte(`[{"a":1,"b":2}]`)}, true},
		{"removed", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`{}`)}, true},
		{"null", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`{"a":null}`)}, true},
		{"status", recording.Message{Status: 200}, recording.Message{Status: 404}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			diff := compareMessages("response", row.was, row.is)
			require.NotEmpty(t, diff)
			assert.Equal(t, row.want, slices.ContainsFunc(diff, drift.ofShape))
		})
	}
}

// A request that would not be the recorded one, or that may not be sent at all,
// is never bought again.
func TestRebuyable(t *testing.T) {
	for _, row := range []struct {
		name, environment, path, body string
		cost                          int
		want                          bool
	}{
		{"bought", "sandbox", "/hscode/classify", `{"description":"bolt"}`, 1, true},
		{"free", "sandbox", "/hscode/classify", `{"description":"bolt"}`, 0, false},
		{"production", "production", "/hscode/classify", `{"description":"bolt"}`, 1, false},
		{"secret in the body", "sandbox", "/hscode/classify", `{"description":"license-key-1"}`, 1, false},
		{"secret in the path", "sandbox", "/hscode/license-key-1", `{}`, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			store, err := recording.Open(recording.Config{
				Dir: filepath.Join(t.TempDir(), "recordings"), Secrets: []recording.Secret{{Name: "client_secret", Value: "license-key-1"}},
			})
			require.NoError(t, err)
			header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer abc"}}
			k := store.Key(recording.Request{
				Environment: row.environment, API: "current", Operation: "x", Method: http.MethodPost, Path: row.path, Header: header, Body: []byte(row.body),
			})
			require.NoError(t, store.Put(t.Context(), k, recording.Take{Cost: row.cost, Response: recording.Message{Status: 200, Body: []byte(`{}`)}}))
			r, err := store.Get(k)
			require.NoError(t, err)
			assert.Equal(t, row.want, rebuyable(store, r))

			r.Takes[len(r.Takes)-1].Request.Body = []byte(`{"description":"another"}`)
			assert.False(t, rebuyable(store, r), "the request is not that of the key")
		})
	}
}

func FuzzCompareValues(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, `{"a":[1,{"c":""}],"a/b":2}`)
	f.Add(`1`, `1.0`)
	f.Add(`[]`, `{}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		was, err := parseBody([]byte(a))
		if err != nil {
			return
		}
		require.Empty(t, compareValues("response", "", was, was))
		is, err := parseBody([]byte(b))
		if err != nil {
			return
		}
		there, back := compareValues("response", "", was, is), compareValues("response", "", is, was)
		require.Len(t, back, len(there))
		for i, d := range there {
			require.Equal(t, d.Path, back[i].Path)
			require.Equal(t, d.Was, back[i].Is)
		}
	})
}

func TestPlain(t *testing.T) {
	assert.Equal(t, "größe 1", plain("größe 1"))
	assert.Equal(t, `"\x1b[2J"`, plain("\x1b[2J"))
	assert.Equal(t, `"a\nb"`, plain("a\nb"))
}
