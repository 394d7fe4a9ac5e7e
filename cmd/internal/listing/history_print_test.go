package listing_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/quota"
)

// filter is what somebody typed.
func filter(t *testing.T, words ...string) *listing.Filter {
	t.Helper()
	f, flags := &listing.Filter{}, pflag.NewFlagSet("history", pflag.ContinueOnError)
	f.Flags(flags)
	require.NoError(t, flags.Parse(words))
	require.NoError(t, f.Check(now))
	return f
}

// asTyped is a run's whole id.
func asTyped(_ context.Context, begins string) (string, error) { return begins, nil }

// All entries as JSON are those that a limit above their number has, to the letter.
func TestAllEntriesAsJSON(t *testing.T) {
	t.Parallel()
	store := journal(t)
	for words, n := range map[string]int{
		"": 25, "--run=two": 8, "--run=four": 0, "--kind=spend": 6, "--kind=block": 0, "--became=unknown": 3, "--test=TestShop --run=one": 4, "--until=2000-01-01": 0,
	} {
		var all, some strings.Builder
		require.NoError(t, filter(t, strings.Fields(words)...).Print(t.Context(), &all, true, store, asTyped, 0))
		require.NoError(t, filter(t, strings.Fields(words)...).Print(t.Context(), &some, true, store, asTyped, 1000))
		assert.Equal(t, some.String(), all.String(), words)
		var entries []quota.Entry
		require.NoError(t, json.Unmarshal([]byte(all.String()), &entries), words)
		assert.Len(t, entries, n, words)
	}
}

// long is a journal of many entries, which looks at each whether it should go on.
type long struct {
	quota.Store
	each func(n int) error
}

func (l long) Entries(context.Context, int64) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		for n := range 100_000 {
			if !yield(quota.Entry{Seq: int64(n + 1), Kind: quota.KindSpend}, l.each(n)) {
				return
			}
		}
	}
}

// A journal of any length is written as it is read, and ends with what can't be read or
// written.
func TestAllEntriesAreNotKept(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	store := long{each: func(n int) error {
		if n%10_000 == 9_999 {
			assert.Greater(t, out.Len(), n*20, "entry %d is read, and those before it are not written", n)
		}
		return nil
	}}
	require.NoError(t, filter(t).Print(t.Context(), &out, true, store, asTyped, 0))
	assert.True(t, json.Valid([]byte(out.String())))

	broken := errors.New("the disk is gone")
	out.Reset()
	store.each = func(n int) error {
		if n == 5000 {
			return broken
		}
		return nil
	}
	require.ErrorIs(t, filter(t).Print(t.Context(), &out, true, store, asTyped, 0), broken)
	assert.False(t, json.Valid([]byte(out.String())), "a part is not taken for the whole")

	store.each = func(n int) error {
		assert.Less(t, n, 5000, "nobody reads")
		return nil
	}
	require.ErrorIs(t, filter(t).Print(t.Context(), full{}, true, store, asTyped, 0), errFull)
}

var errFull = errors.New("no space left")

// full is a writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
