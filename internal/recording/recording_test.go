package recording_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// now is when everything in these tests happens.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open opens a store in a folder of its own and returns that folder's parent.
func open(t testing.TB, cfg recording.Config) (*recording.Store, string) {
	t.Helper()
	root := t.TempDir()
	cfg.Dir = filepath.Join(root, "recordings")
	cfg.Now = func() time.Time { return now }
	s, err := recording.Open(cfg)
	require.NoError(t, err)
	return s, root
}

// classify is a classification request with the given body.
func classify(body string) recording.Request {
	return recording.Request{
		Environment: "sandbox", API: "current", Operation: "POST /hscode/classify",
		Method: "POST", Path: "/hscode/classify", Body: []byte(body),
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// answer is a take of cost 1 with the given body.
func answer(body string) recording.Take {
	return recording.Take{
		Cost: 1, Entry: "spend-1", ElapsedMS: 412,
		Response: recording.Message{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)},
	}
}

func put(t testing.TB, s *recording.Store, r recording.Request, takes ...recording.Take) recording.Key {
	t.Helper()
	k := s.Key(r)
	for _, take := range takes {
		require.NoError(t, s.Put(t.Context(), k, take))
	}
	return k
}

// files lists the files under root, slashed and without the .gitignore.
func files(t testing.TB, root string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != ".gitignore" && d.Name() != "recordings.lock" {
			rel, _ := filepath.Rel(root, name)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	}))
	return all
}

func TestFileIsAsDocumented(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{Secrets: []recording.Secret{{Name: "account", Value: "acct-0815-x"}}})
	k := put(t, s, classify(`{"description": "knitted <shirt>", "countryOfDestination": "US"}`),
		answer(`{"hsCode":"6109.10","confidence":1.0,"account":"acct-0815-x"}`))

	name := "recordings/post-hscode-classify/" + k.Sum[:12] + ".json"
	require.Equal(t, []string{name}, files(t, root), "nothing else stays: no temporary file")
	got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	require.NoError(t, err)
	assert.Equal(t, `{
  "format": 1,
  "key": "`+k.Sum+`",
  "key_inputs": {
    "method": "POST",
    "environment": "sandbox",
    "api": "current",
    "path": "/hscode/classify",
    "query": "",
    "body_sha256": "`+k.Inputs.BodySHA256+`"
  },
  "key_headers": [
    "Accept-Language"
  ],
  "takes": [
    {
      "key": "`+k.Sum+`",
      "recorded_at": "2026-03-01T12:00:00Z",
      "cost": 1,
      "entry": "spend-1",
      "request": {
        "headers": {
          "Content-Type": [
            "application/json"
          ]
        },
        "json": {
          "description": "knitted <shirt>",
          "countryOfDestination": "US"
        }
      },
      "response": {
        "status": 200,
        "headers": {
          "Content-Type": [
            "application/json"
          ]
        },
        "json": {
          "hsCode": "6109.10",
          "confidence": 1.0,
          "account": "{{secret:account#6d66}}"
        }
      },
      "elapsed_ms": 412,
      "redactions": [
        "response.json.account"
      ]
    }
  ]
}
`, string(got))
}
