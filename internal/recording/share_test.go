package recording_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/share"
)

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
