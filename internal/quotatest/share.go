package quotatest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/share"
	"github.com/hsharness/hsharness/quota"
)

// Shares runs what a store that shares answers must pass besides [Run]. Open is as there.
func Shares(t *testing.T, suite Suite) {
	for name, test := range shareTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, suite, 100)
			test(f, f.shares(f.store))
		})
	}
	t.Run("model", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(rt *rapid.T) {
			f := newFixture(t, suite, 100)
			defer func() {
				assert.NoError(t, f.store.Close())
				f.closed = true
			}()
			other := f.suite.Reopen(f, f.config)
			defer func() { assert.NoError(f, other.Close()) }()
			m := &shareMachine{
				ctx: f.ctx, stores: []share.Store{f.shares(f.store), f.shares(other)}, all: map[string]share.Answer{}, claims: map[string]func(){}, gone: f.gone,
			}
			rt.Repeat(map[string]func(*rapid.T){
				"add": m.add, "trim": m.trim, "claim": m.claim, "let go": m.letGo, "kill": m.kill, "let go late": m.letGoLate, "": m.check,
			})
			for _, release := range m.claims {
				release()
			}
			m.letGoLate(rt)
		})
	})
}

func (f *fixture) shares(s quota.Store) share.Store {
	f.Helper()
	with, ok := s.(share.Store)
	require.True(f, ok, "the store shares answers")
	return with
}

// sharedAnswer is the n-th answer of a key.
func sharedAnswer(key string, n int, state string) share.Answer {
	text := fmt.Appendf(nil, "answer %d of %s", n, key)
	return share.Answer{
		Hash: share.Sum(text), Key: key, Operation: "post-hscode-classify", Environment: "sandbox", State: state,
		Entry: strconv.Itoa(n), BoughtAt: start.Add(time.Duration(n) * time.Minute), Bytes: int64(len(text)), Text: text,
	}
}

var shareTests = map[string]func(*fixture, share.Store){
	"what is added is there, for whoever asks": func(f *fixture, s share.Store) {
		a, b := sharedAnswer("k", 1, "answer"), sharedAnswer("k", 2, "evidence")
		require.NoError(f, s.ShareAdd(f.ctx, b, 0))
		require.NoError(f, s.ShareAdd(f.ctx, a, 0))
		require.NoError(f, s.ShareAdd(f.ctx, sharedAnswer("other", 1, "answer"), 0))
		other := f.suite.Reopen(f, f.config)
		defer func() { require.NoError(f, other.Close()) }()
		found, err := f.shares(other).ShareOf(f.ctx, "k", time.Time{})
		require.NoError(f, err)
		assert.Equal(f, []share.Answer{a, b}, found, "by time")
		found, err = s.ShareOf(f.ctx, "k", b.BoughtAt)
		require.NoError(f, err)
		assert.Equal(f, []share.Answer{b}, found)
		found, err = s.ShareRead(f.ctx, []string{a.Hash, "no such"})
		require.NoError(f, err)
		assert.Equal(f, []share.Answer{a}, found)
		listed, err := s.ShareList(f.ctx, time.Time{})
		require.NoError(f, err)
		require.Len(f, listed, 3)
		assert.Nil(f, listed[0].Text)
		assert.Equal(f, a.Bytes, listed[0].Bytes)
	},
	"the same answer is kept once, and its state goes from pending on": func(f *fixture, s share.Store) {
		for _, step := range []struct{ add, want string }{
			{"pending", "pending"}, {"pending", "pending"}, {"answer", "answer"}, {"pending", "answer"}, {"evidence", "answer"},
		} {
			require.NoError(f, s.ShareAdd(f.ctx, sharedAnswer("k", 1, step.add), 0))
			found, err := s.ShareOf(f.ctx, "k", time.Time{})
			require.NoError(f, err)
			require.Len(f, found, 1)
			assert.Equal(f, step.want, found[0].State)
		}
	},
	"what has no room is refused with the numbers, and a state is no room": func(f *fixture, s share.Store) {
		a, b := sharedAnswer("k", 1, "pending"), sharedAnswer("k", 2, "answer")
		require.NoError(f, s.ShareAdd(f.ctx, a, a.Bytes))
		err := s.ShareAdd(f.ctx, b, a.Bytes+b.Bytes-1)
		var full *share.FullError
		require.ErrorAs(f, err, &full)
		assert.Equal(f, share.FullError{Bytes: b.Bytes, Used: a.Bytes, Most: a.Bytes + b.Bytes - 1}, *full)
		a.State = "answer"
		require.NoError(f, s.ShareAdd(f.ctx, a, a.Bytes), "it is there already")
		require.NoError(f, s.ShareAdd(f.ctx, a, 1), "again")
		require.NoError(f, s.ShareAdd(f.ctx, b, a.Bytes+b.Bytes))
	},
	"a text that is too long is not read": func(f *fixture, s share.Store) {
		a := sharedAnswer("k", 1, "answer")
		for _, more := range []int64{0, 1} {
			a.Text = make([]byte, share.Largest+more)
			a.Bytes, a.Hash = int64(len(a.Text)), share.Sum(a.Text)
			require.NoError(f, s.ShareAdd(f.ctx, a, 0))
			found, err := s.ShareRead(f.ctx, []string{a.Hash})
			require.NoError(f, err)
			require.Len(f, found, 1)
			assert.Equal(f, a.Bytes, found[0].Bytes)
			assert.Len(f, found[0].Text, int((1-more)*share.Largest))
		}
	},
	"what is too old is removed, and nothing else": func(f *fixture, s share.Store) {
		for n := range 4 {
			require.NoError(f, s.ShareAdd(f.ctx, sharedAnswer("k", n, "answer"), 0))
		}
		n, err := s.ShareTrim(f.ctx, time.Time{})
		require.NoError(f, err)
		assert.Zero(f, n)
		n, err = s.ShareTrim(f.ctx, sharedAnswer("k", 2, "").BoughtAt)
		require.NoError(f, err)
		assert.EqualValues(f, 2, n)
		listed, err := s.ShareList(f.ctx, time.Time{})
		require.NoError(f, err)
		assert.Len(f, listed, 2)
	},
	"one buys at a time": func(f *fixture, s share.Store) {
		other := f.suite.Reopen(f, f.config)
		defer func() { require.NoError(f, other.Close()) }()
		stores := []share.Store{s, f.shares(other)}
		var buying, bought atomic.Int64
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				release, err := stores[n%2].ShareClaim(f.ctx, "k")
				if !assert.NoError(f, err) {
					return
				}
				assert.EqualValues(f, 1, buying.Add(1))
				found, err := stores[n%2].ShareOf(f.ctx, "k", time.Time{})
				assert.NoError(f, err)
				if len(found) == 0 {
					bought.Add(1)
					assert.NoError(f, stores[n%2].ShareAdd(f.ctx, sharedAnswer("k", n, "answer"), 0))
				}
				buying.Add(-1)
				release()
				release() // more of it does nothing
			})
		}
		all.Wait()
		assert.EqualValues(f, 1, bought.Load())
	},
	"who waits too long is told for whom, and other keys wait for nobody": func(f *fixture, s share.Store) {
		release, err := s.ShareClaim(f.ctx, "k")
		require.NoError(f, err)
		defer release()
		another, err := s.ShareClaim(f.ctx, "other")
		require.NoError(f, err)
		another()
		ctx, cancel := context.WithTimeout(f.ctx, 20*time.Millisecond)
		defer cancel()
		_, err = s.ShareClaim(ctx, "k")
		var held *share.HeldError
		require.ErrorAs(f, err, &held)
		assert.Contains(f, held.Error(), strconv.Itoa(quota.ThisProcess().PID))
	},
	"who was killed claims nothing": func(f *fixture, s share.Store) {
		_, err := s.ShareClaim(f.ctx, "k")
		require.NoError(f, err)
		f.gone.end(quota.ThisProcess())
		release, err := s.ShareClaim(f.ctx, "k")
		require.NoError(f, err)
		release()
	},
	"accounting knows nothing of it": func(f *fixture, s share.Store) {
		before, err := f.store.Status(f.ctx)
		require.NoError(f, err)
		require.NoError(f, s.ShareAdd(f.ctx, sharedAnswer("k", 1, "answer"), 0))
		release, err := s.ShareClaim(f.ctx, "k")
		require.NoError(f, err)
		defer release()
		_, err = s.ShareTrim(f.ctx, start.Add(time.Hour))
		require.NoError(f, err)
		after, err := f.store.Status(f.ctx)
		require.NoError(f, err)
		assert.Equal(f, before, after)
	},
}
