package recording_test

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/share"
)

// inMemory is a share that a test can make fail. What PostgreSQL does is in the suite
// of the stores.
type inMemory struct {
	mu   sync.Mutex
	all  []share.Answer
	fail error
	held sync.Mutex
	// tooMuch is a key of which there is too much, and most the longest that was read at once.
	tooMuch string
	most    int64
}

func (m *inMemory) ShareClaim(context.Context, string) (func(), error) {
	if m.fail != nil {
		return nil, m.fail
	}
	m.held.Lock()
	return sync.OnceFunc(m.held.Unlock), nil
}

func (m *inMemory) ShareOf(_ context.Context, key string, since time.Time) ([]share.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []share.Answer
	for _, a := range m.all {
		if a.Key == key && !a.BoughtAt.Before(since) {
			found = append(found, a)
		}
	}
	return found, m.fail
}

func (m *inMemory) ShareList(_ context.Context, since time.Time) ([]share.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	listed := slices.Clone(m.all)
	for i := range listed {
		listed[i].Text = nil
	}
	return slices.DeleteFunc(listed, func(a share.Answer) bool { return a.BoughtAt.Before(since) }), m.fail
}

func (m *inMemory) ShareRead(_ context.Context, hashes []string) ([]share.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := slices.DeleteFunc(slices.Clone(m.all), func(a share.Answer) bool { return !slices.Contains(hashes, a.Hash) })
	var bytes int64
	for _, a := range found {
		bytes += a.Bytes
		if a.Key == m.tooMuch {
			return nil, &share.TooMuchError{Of: "key " + a.Key}
		}
	}
	m.most = max(m.most, bytes)
	return found, m.fail
}

func (m *inMemory) ShareAdd(_ context.Context, a share.Answer, _ int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for i := range m.all {
		if m.all[i].Hash == a.Hash {
			if m.all[i].State == "pending" {
				m.all[i].State = a.State
			}
			return nil
		}
	}
	m.all = append(m.all, a)
	return nil
}

func (m *inMemory) ShareTrim(context.Context, time.Time) (int64, error) { return 0, m.fail }

func (m *inMemory) ShareRemoval(hash string) string { return "REMOVE " + hash }

const sharedSecret = "license-key-4711"

// machine is a store with a folder of its own on a share.
func machine(t *testing.T, m *inMemory) *recording.Store {
	t.Helper()
	s, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings"), Secrets: []recording.Secret{{Name: "client_secret", Value: sharedSecret}}})
	require.NoError(t, err)
	s.Share(recording.Sharing{With: m, Warn: func(err error) { t.Log(err) }})
	return s
}

func asked(s *recording.Store, body string) recording.Key {
	return s.Key(recording.Request{
		Environment: "sandbox", API: "current", Operation: "POST /hscode/classify", Method: "POST", Path: "/hscode/classify",
		Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body),
	})
}

func answered(body string) recording.Take {
	return recording.Take{RecordedAt: time.Now(), Cost: 1, Entry: "spend-1", Response: recording.Message{Status: 200, Header: http.Header{}, Body: []byte(body)}}
}
