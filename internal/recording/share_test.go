package recording_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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

func TestWhatOneMachineBoughtAnotherHas(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	a, b := machine(t, m), machine(t, m)
	k := asked(a, `{"description":"cup"}`)
	require.NoError(t, a.Put(t.Context(), k, answered(`{"hsCode":"691200"}`)))
	_, _, err := b.Answer(k)
	require.ErrorIs(t, err, recording.ErrMiss, "who does not ask does not have it")
	unlock, err := b.Lock(t.Context(), k)
	require.NoError(t, err)
	defer unlock()
	rec, take, err := b.Answer(k)
	require.NoError(t, err)
	assert.JSONEq(t, `{"hsCode":"691200"}`, string(take.Response.Body))
	theirs, err := a.Get(k)
	require.NoError(t, err)
	one, err := os.ReadFile(theirs.File)
	require.NoError(t, err)
	other, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	assert.Equal(t, string(one), string(other), "byte for byte")
}

func TestNothingIsBoughtWhereTheShareCannotBeAsked(t *testing.T) {
	t.Parallel()
	m := &inMemory{fail: errors.New("gone")}
	s := machine(t, m)
	k := asked(s, `{"a":1}`)
	_, err := s.Lock(t.Context(), k)
	var unasked *recording.ShareError
	require.ErrorAs(t, err, &unasked)
	require.ErrorAs(t, s.Fetch(t.Context(), k), &unasked)
}

// TestWhatCouldNotBeSharedIsSharedLater: the database goes away between the request and
// its answer.
func TestWhatCouldNotBeSharedIsSharedLater(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	s := machine(t, m)
	k, other := asked(s, `{"a":1}`), asked(s, `{"a":2}`)
	require.NoError(t, s.Put(t.Context(), other, answered(`2`)))
	m.fail = errors.New("gone")
	require.NoError(t, s.Put(t.Context(), k, answered(`1`)), "it is kept, and its client has it")
	_, _, err := s.Answer(k)
	require.NoError(t, err)
	var unasked *recording.ShareError
	require.ErrorAs(t, s.ShareLate(t.Context()), &unasked)
	m.fail = nil
	require.NoError(t, s.ShareLate(t.Context()))
	require.Len(t, m.all, 2)
	assert.Equal(t, k.Sum, m.all[1].Key)
	m.all = nil
	require.NoError(t, s.ShareLate(t.Context()))
	assert.Empty(t, m.all, "it is done once")
	moved, err := s.Push(t.Context(), false, func(int, int) {})
	require.NoError(t, err)
	assert.Equal(t, 2, moved.Answers)
	moved, err = s.Push(t.Context(), false, func(int, int) {})
	require.NoError(t, err)
	assert.Zero(t, moved.Answers, "and then nothing is lacking")
}

func TestPendingIsSharedAndAnswersAfterAccept(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	a, b := machine(t, m), machine(t, m)
	k := asked(a, `{"a":1}`)
	require.NoError(t, a.Put(t.Context(), k, answered(`"old"`)))
	a.Withhold()
	require.NoError(t, a.Put(t.Context(), k, answered(`"new"`)))
	pull := func() string {
		_, err := b.Pull(t.Context(), false, func(int, int) {})
		require.NoError(t, err)
		_, take, err := b.Answer(k)
		require.NoError(t, err)
		return string(take.Response.Body)
	}
	assert.Equal(t, `"old"`, pull())
	rec, err := b.Get(k)
	require.NoError(t, err)
	require.NotNil(t, rec.Waiting(), "it waits there too")
	rec, err = a.Get(k)
	require.NoError(t, err)
	require.NoError(t, a.Accept(t.Context(), rec))
	assert.Equal(t, `"new"`, pull())
	moved, err := b.Pull(t.Context(), false, func(int, int) {})
	require.NoError(t, err)
	assert.Zero(t, moved.Answers)
}

// TestNoSecretIsShared looks at all that is shared of answers that hold secrets, in plain
// and in a form that can't be taken out.
func TestNoSecretIsShared(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	s := machine(t, m)
	require.NoError(t, s.Put(t.Context(), asked(s, `{"key":"`+sharedSecret+`"}`), answered(`{"echo":"`+sharedSecret+`"}`)))
	var aside *recording.QuarantineError
	require.ErrorAs(t, s.Put(t.Context(), asked(s, `{"a":2}`), answered(string([]byte{0xff, 0xfe})+sharedSecret)), &aside)
	_, err := s.Push(t.Context(), false, func(int, int) {})
	require.NoError(t, err)
	require.Len(t, m.all, 1)
	text, err := json.Marshal(m.all)
	require.NoError(t, err)
	assert.NotContains(t, string(text)+string(m.all[0].Text), sharedSecret)
	assert.Contains(t, string(m.all[0].Text), "{{secret:client_secret")
}

func TestWhatIsTooLongStaysInTheFolder(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	var said error
	s := machine(t, m)
	s.Share(recording.Sharing{With: m, Warn: func(err error) { said = err }})
	k := asked(s, `{"a":1}`)
	// Of spaces, in which no secret can be spelled: it is its length that is looked at.
	require.NoError(t, s.Put(t.Context(), k, answered(`"`+strings.Repeat(" ", share.Largest)+`"`)))
	var large *share.LargeError
	require.ErrorAs(t, said, &large)
	assert.Contains(t, said.Error(), "4194304 at most are shared")
	assert.Empty(t, m.all)
	_, _, err := s.Answer(k)
	require.NoError(t, err)
	moved, err := s.Push(t.Context(), false, func(int, int) {})
	require.NoError(t, err)
	assert.Equal(t, 1, moved.Left)
}

// TestPollsAreSharedOnce: what costs nothing is asked by each machine, and each gets the
// same.
func TestPollsAreSharedOnce(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	for range 3 {
		s := machine(t, m)
		take := answered(`"PENDING"`)
		take.Cost, take.Entry = 0, ""
		require.NoError(t, s.Put(t.Context(), asked(s, `{"a":1}`), take))
	}
	assert.Len(t, m.all, 1)
}

// TestWhatIsSharedIsCheckedAsAFile lets the database have rows that this program never
// wrote: none of them gets into the folder, and each says why.
func TestWhatIsSharedIsCheckedAsAFile(t *testing.T) {
	t.Parallel()
	good := &inMemory{}
	a := machine(t, good)
	k := asked(a, `{"a":1}`)
	require.NoError(t, a.Put(t.Context(), k, answered(`"good"`)))
	edit := func(old, replacement string) func(*share.Answer) {
		return func(a *share.Answer) {
			text := strings.Replace(string(a.Text), old, replacement, 1)
			a.Text, a.Hash = []byte(text), share.Sum([]byte(text))
		}
	}
	for want, change := range map[string]func(*share.Answer){
		"its text has the hash":  func(a *share.Answer) { a.Text = append(slices.Clone(a.Text), '\n') },
		"its key_inputs give":    edit(`"method": "POST"`, `"method": "PUT"`),
		"its state is \"fine\"":  func(a *share.Answer) { a.State = "fine" },
		"its state is \"\"":      func(a *share.Answer) { a.State = "" },
		"says its state":         edit(`"recorded_at"`, `"state": "evidence", "recorded_at"`),
		"it holds client_secret": edit(`"good"`, `"`+sharedSecret+`"`),
		"which no answer has":    edit(`"status": 200`, `"status": 99`),
		"unknown field":          edit(`"cost"`, `"costs"`),
		"this version reads":     edit(`"format": 1`, `"format": 2`),
		"bytes, and 4194304":     edit(`"good"`, `"`+strings.Repeat(" ", share.Largest)+`"`),
		"it answers another request": func(a *share.Answer) {
			other := asked(machine(t, good), `{"a":2}`)
			a.Key = other.Sum
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			row := good.all[0]
			change(&row)
			m := &inMemory{all: []share.Answer{row}}
			s := machine(t, m)
			asks := k
			asks.Sum = row.Key
			_, err := s.Lock(t.Context(), asks)
			var damaged *recording.FileError
			require.ErrorAs(t, err, &damaged)
			assert.ErrorContains(t, err, want)
			_, err = s.Pull(t.Context(), false, func(int, int) {})
			require.ErrorContains(t, err, want)
			_, _, err = s.Answer(asks)
			require.ErrorIs(t, err, recording.ErrMiss)
		})
	}
}

func TestOneMachineBuysAtATime(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	var bought atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		s := machine(t, m)
		all.Go(func() {
			k := asked(s, `{"a":1}`)
			unlock, err := s.Lock(t.Context(), k)
			if !assert.NoError(t, err) {
				return
			}
			defer unlock()
			if _, _, err := s.Answer(k); errors.Is(err, recording.ErrMiss) {
				bought.Add(1)
				assert.NoError(t, s.Put(t.Context(), k, answered(`1`)))
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, bought.Load())
}

// FuzzShared: whatever a row of the database is, it is refused, or it is in the folder as
// the answer of the key that was asked for, and shared as it came.
func FuzzShared(f *testing.F) {
	good := &inMemory{}
	dir := f.TempDir()
	s, err := recording.Open(recording.Config{Dir: filepath.Join(dir, "recordings")})
	require.NoError(f, err)
	s.Share(recording.Sharing{With: good})
	k := asked(s, `{"a":1}`)
	for _, body := range []string{`{"hsCode":"691200"}`, "no JSON"} {
		require.NoError(f, s.Put(f.Context(), k, answered(body)))
	}
	for _, a := range good.all {
		f.Add(a.Text, a.State, true)
	}
	f.Add([]byte("{}"), "pending", false)
	m := &inMemory{}
	// One folder for all: to make one each time takes most of it.
	at, err := recording.Open(recording.Config{Dir: filepath.Join(dir, "fetched"), Secrets: []recording.Secret{{Name: "client_secret", Value: sharedSecret}}})
	require.NoError(f, err)
	at.Share(recording.Sharing{With: m, Warn: func(error) {}})
	f.Fuzz(func(t *testing.T, text []byte, state string, hashed bool) {
		a := share.Answer{Key: k.Sum, Operation: "../../x", State: state, Text: text, Bytes: int64(len(text))}
		if hashed {
			a.Hash = share.Sum(text)
		}
		m.all = []share.Answer{a}
		if err := at.Fetch(t.Context(), k); err != nil {
			var damaged *recording.FileError
			require.ErrorAs(t, err, &damaged)
			_, err = at.Get(k)
			require.ErrorIs(t, err, recording.ErrMiss)
			return
		}
		rec, err := at.Get(k)
		require.NoError(t, err)
		require.Len(t, rec.Takes, 1)
		assert.True(t, strings.HasPrefix(rec.File, at.Dir()))
		require.NoError(t, os.Remove(rec.File))
		_, err = at.Get(k)
		require.ErrorIs(t, err, recording.ErrMiss, "what comes next is alone")
	})
}

// TestPullTellsOfDamageInBounds: whoever writes into the database may write a hundred
// thousand rows. A part of them is told, the rest counted, and what is right comes.
func TestPullTellsOfDamageInBounds(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	a := machine(t, m)
	require.NoError(t, a.Put(t.Context(), asked(a, `{"a":1}`), answered(`"good"`)))
	for n := range 500 {
		text := fmt.Append(nil, "row ", n)
		m.all = append(m.all, share.Answer{Hash: share.Sum(text), Key: share.Sum(fmt.Append(nil, n)), State: "answer", Text: text, Bytes: int64(len(text)), BoughtAt: time.Now()})
	}
	moved, err := machine(t, m).Pull(t.Context(), false, func(int, int) {})
	assert.Equal(t, 1, moved.Answers)
	assert.Equal(t, 500, moved.Left)
	require.ErrorContains(t, err, "and 480 shared answers more")
	assert.Equal(t, 20, strings.Count(err.Error(), "damaged recording"))
	var wrong *recording.SharedError
	require.ErrorAs(t, err, &wrong)
	assert.Contains(t, wrong.Removal, "REMOVE ")
}

// TestPullGoesOnBesideTooMuch: what is too much for one key keeps no other from coming,
// and no more is read at once than a portion.
func TestPullGoesOnBesideTooMuch(t *testing.T) {
	t.Parallel()
	m := &inMemory{}
	a := machine(t, m)
	for n := range 30 {
		k := asked(a, fmt.Sprintf(`{"a":%d}`, n))
		require.NoError(t, a.Put(t.Context(), k, answered(`"`+strings.Repeat("x", 32<<10)+`"`)))
	}
	slices.SortFunc(m.all, func(a, b share.Answer) int { return strings.Compare(a.Key, b.Key) })
	m.tooMuch = m.all[7].Key
	b := machine(t, m)
	b.ReadAtOnce(256 << 10)
	moved, err := b.Pull(t.Context(), false, func(int, int) {})
	var tooMuch *share.TooMuchError
	require.ErrorAs(t, err, &tooMuch)
	assert.Less(t, m.most, int64(300<<10))
	assert.Positive(t, moved.Left)
	assert.Equal(t, 30, moved.Answers+moved.Left)
	assert.GreaterOrEqual(t, moved.Answers, 20)
}
