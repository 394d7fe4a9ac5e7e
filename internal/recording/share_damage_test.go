package recording_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/share"
)

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
