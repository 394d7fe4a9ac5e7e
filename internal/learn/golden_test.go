package learn_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/learn"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
)

// answer is what a service said.
type answer struct {
	status int
	header http.Header
	body   string
}

func ask(t testing.TB, url, token, body string, header http.Header) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(got)}
}

// start serves a stand-in.
func (s *standIn) start(t testing.TB) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		status, text := s.answer(s, body, learn.Language(r.Header.Get("Accept-Language")))
		w.Header().Set("Content-Type", "application/json")
		for name, values := range s.header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// buy records an answer as the guard does.
func buy(t testing.TB, store *recording.Store, s *standIn, url, body string, header http.Header) {
	t.Helper()
	got := ask(t, url+s.path, "", body, header)
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	key := store.Key(recording.Request{
		Environment: "sandbox", API: "current", Operation: "POST " + s.path, Method: http.MethodPost, Path: s.path, Header: header, Body: []byte(body),
	})
	require.NoError(t, store.Put(context.Background(), key, recording.Take{
		Cost: 1, Entry: "spend", RecordedAt: time.Now(), ElapsedMS: 40,
		Response: recording.Message{Status: got.status, Header: got.header, Body: []byte(got.body)},
	}))
}

// learnt buys five answers, learns, and reads what was written.
func learnt(t testing.TB, s *standIn, url string) *shape.Set {
	t.Helper()
	dir := t.TempDir()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(dir, "recordings")})
	require.NoError(t, err)
	for i := range 5 {
		body, header := s.ask(i)
		buy(t, store, s, url, body, header)
	}
	for _, bad := range s.bad {
		buy(t, store, s, url, bad.bought, nil)
	}
	recs, err := store.List()
	require.NoError(t, err)
	result := learn.From(slices.Values(recs))
	require.Empty(t, result.Left)
	_, err = result.Write(filepath.Join(dir, "mock"), nil)
	require.NoError(t, err)
	set, err := shape.Read("mock", os.DirFS(filepath.Join(dir, "mock")))
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("learned from %d recordings", 5+len(s.bad)), set.String())

	again, err := learn.From(slices.Values(recs)).Write(filepath.Join(dir, "mock"), nil)
	require.NoError(t, err)
	for _, w := range again {
		assert.False(t, w.Changed, "learning again changes nothing")
	}
	return set
}

// skeleton is a value without what may be another in each answer: members in order,
// types, and lists with each form of their elements once.
func skeleton(v shape.Value) string {
	switch v.Kind {
	case shape.Object:
		var members []string
		for i, name := range v.Names {
			members = append(members, name+":"+skeleton(v.Items[i]))
		}
		return "{" + strings.Join(members, ",") + "}"
	case shape.List:
		var forms []string
		for _, item := range v.Items {
			if s := skeleton(item); len(forms) == 0 || forms[len(forms)-1] != s {
				forms = append(forms, s)
			}
		}
		return "[" + strings.Join(forms, ",") + "]"
	case shape.True, shape.False:
		return "boolean"
	}
	return string(v.Kind)
}

// TestUnseenAnswersHaveTheServicesShape: what was learned from five answers of an operation
// answers goods never asked so that the service's own schema holds, with its members in
// their order, types and nesting, headers and statuses; and what it refuses is refused so.
func TestUnseenAnswersHaveTheServicesShape(t *testing.T) {
	t.Parallel()
	for _, s := range standIns() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			url := s.start(t)
			set := learnt(t, s, url)
			mock, err := services.New(services.Config{API: mockapi.Config{Learned: set}})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, mock.Close()) })
			base, err := mock.APIURL(avalara.Sandbox, avalara.Current)
			require.NoError(t, err)
			token, err := mock.Token(t.Context(), avalara.Sandbox, avalara.ScopeHSCode)
			require.NoError(t, err)

			compiler := jsonschema.NewCompiler()
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(s.schema))
			require.NoError(t, err)
			require.NoError(t, compiler.AddResource("schema.json", doc))
			schema, err := compiler.Compile("schema.json")
			require.NoError(t, err)

			const unseen = 200
			ids := map[string]bool{}
			for i := range unseen {
				body, header := s.ask(5 + i)
				own, got := ask(t, url+s.path, "", body, header), ask(t, base+s.path, token, body, header)
				require.Equal(t, own.status, got.status, "%s\n%s", body, got.body)
				require.Equal(t, own.header.Get("Content-Type"), got.header.Get("Content-Type"))
				require.Equal(t, own.header.Get("X-Engine"), got.header.Get("X-Engine"))
				for _, text := range []string{own.body, got.body} {
					doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
					require.NoError(t, err, text)
					require.NoError(t, schema.Validate(doc), "%s\n%s", body, text)
				}
				ownValue, err := shape.Parse([]byte(own.body))
				require.NoError(t, err)
				gotValue, err := shape.Parse([]byte(got.body))
				require.NoError(t, err)
				require.Equal(t, skeleton(ownValue), skeleton(gotValue), "%s\n%s\n%s", body, own.body, got.body)
				ids[got.body] = true
			}
			assert.Greater(t, len(ids), unseen/4, "answers are the goods' own")
			for _, bad := range s.bad {
				own, got := ask(t, url+s.path, "", bad.unseen, nil), ask(t, base+s.path, token, bad.unseen, nil)
				assert.Equal(t, own.status, got.status, "%s\n%s", bad.unseen, got.body)
				assert.JSONEq(t, own.body, got.body, bad.unseen)
			}
			t.Logf("%d unseen answers, all valid", unseen)
		})
	}
}
