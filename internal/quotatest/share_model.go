package quotatest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/share"
	"github.com/hsharness/hsharness/quota"
)

// shareMachine is the model: what is shared, in a map, and the claims that are held. Two
// processes with connections of their own act in turn, and those that hold a claim may be
// killed.
type shareMachine struct {
	ctx    context.Context
	stores []share.Store
	all    map[string]share.Answer
	claims map[string]func()
	gone   *processes
	// late are the claims of the dead that somebody took over: letting go of them frees
	// nothing.
	late []func()
}

func (m *shareMachine) store(t *rapid.T) share.Store {
	return rapid.SampledFrom(m.stores).Draw(t, "process")
}

var shareKeys, shareStates = []string{"a", "b", "c"}, []string{"answer", "evidence", "pending"}

func (m *shareMachine) add(t *rapid.T) {
	a := sharedAnswer(rapid.SampledFrom(shareKeys).Draw(t, "key"), rapid.IntRange(0, 5).Draw(t, "number"), rapid.SampledFrom(shareStates).Draw(t, "state"))
	most := rapid.Int64Range(0, 90).Draw(t, "most")
	var used int64
	for _, other := range m.all {
		used += other.Bytes
	}
	err := m.store(t).ShareAdd(m.ctx, a, most)
	old, there := m.all[a.Hash]
	switch {
	case !there && most > 0 && used+a.Bytes > most:
		var full *share.FullError
		require.ErrorAs(t, err, &full)
		assert.Equal(t, used, full.Used)
		return
	case there && old.State != "pending":
		a = old
	}
	require.NoError(t, err)
	m.all[a.Hash] = a
}

func (m *shareMachine) trim(t *rapid.T) {
	before := start.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "minute")) * time.Minute)
	n, err := m.store(t).ShareTrim(m.ctx, before)
	require.NoError(t, err)
	for hash, a := range m.all {
		if a.BoughtAt.Before(before) {
			delete(m.all, hash)
			n--
		}
	}
	assert.Zero(t, n)
}

func (m *shareMachine) claim(t *rapid.T) {
	key := rapid.SampledFrom(shareKeys).Draw(t, "key")
	if m.claims[key] == nil {
		m.take(t, key)
		return
	}
	ctx, cancel := context.WithTimeout(m.ctx, 5*time.Millisecond)
	defer cancel()
	_, err := m.store(t).ShareClaim(ctx, key)
	var held *share.HeldError
	require.ErrorAs(t, err, &held)
}

func (m *shareMachine) take(t *rapid.T, key string) {
	ctx, cancel := context.WithTimeout(m.ctx, buyersPatience)
	defer cancel()
	release, err := m.store(t).ShareClaim(ctx, key)
	require.NoError(t, err)
	m.claims[key] = release
}

// kill ends whoever has claims: another process, which lives, takes them over.
func (m *shareMachine) kill(t *rapid.T) {
	me := quota.ThisProcess()
	m.gone.end(me)
	for key, release := range m.claims {
		delete(m.claims, key)
		m.late = append(m.late, release)
		m.take(t, key)
	}
	m.gone.gone.Delete(me)
}

func (m *shareMachine) letGoLate(*rapid.T) {
	for _, release := range m.late {
		release()
	}
	m.late = nil
}

func (m *shareMachine) letGo(t *rapid.T) {
	key := rapid.SampledFrom(shareKeys).Draw(t, "key")
	if release := m.claims[key]; release != nil {
		release()
		delete(m.claims, key)
	}
}

func (m *shareMachine) check(t *rapid.T) {
	for _, key := range shareKeys {
		var want []share.Answer
		for _, a := range m.all {
			if a.Key == key {
				want = append(want, a)
			}
		}
		slices.SortFunc(want, func(a, b share.Answer) int { return cmp.Compare(a.BoughtAt.Unix(), b.BoughtAt.Unix()) })
		found, err := m.store(t).ShareOf(m.ctx, key, time.Time{})
		require.NoError(t, err)
		if len(want)+len(found) > 0 {
			assert.Equal(t, want, found)
		}
	}
	listed, err := m.store(t).ShareList(m.ctx, time.Time{})
	require.NoError(t, err)
	assert.Len(t, listed, len(m.all))
}
