package recording_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/share"
)

// live is what is in use. What is in a [sync.Pool] to be used again, such as a buffer that was
// as long as an answer, is there until the second collection.
func live() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestEachReadsOneAfterTheOther: a folder of long answers takes as much memory as the
// longest, whatever they are together. No other test allocates meanwhile.
func TestEachReadsOneAfterTheOther(t *testing.T) {
	s, _ := open(t, recording.Config{})
	s.LimitCache(1 << 10)
	const n, length = 16, 100 << 10
	long := `"` + strings.Repeat("x", length) + `"`
	for i := range n {
		require.NoError(t, s.Put(t.Context(), s.Key(classify(fmt.Sprintf(`{"a":%d}`, i))), answer(long)))
	}
	before := live()
	read, most := 0, 0
	var wrong error
	for rec := range s.Each(&wrong) {
		most = max(most, live()-before)
		assert.Len(t, rec.Answer().Response.Body, length+2)
		read++
	}
	require.NoError(t, wrong)
	assert.Equal(t, n, read)
	assert.Less(t, most, n*length*3/4)
}

// TestPushHasOneInMemory: what is shared of a folder takes as much memory as the longest, and
// goes out in the order of keys. No other test allocates meanwhile.
func TestPushHasOneInMemory(t *testing.T) {
	m := &inMemory{}
	s := machine(t, m)
	s.LimitCache(1 << 10)
	const n, length = 16, 100 << 10
	long := `"` + strings.Repeat("x", length) + `"`
	for i := range n {
		require.NoError(t, s.Put(t.Context(), asked(s, fmt.Sprintf(`{"a":%d}`, i)), answered(long)))
	}
	m.all = nil
	before := live()
	most, calls := 0, 0
	moved, err := s.Push(t.Context(), true, func(done, of int) {
		most = max(most, live()-before)
		calls++
		assert.Equal(t, [2]int{calls, n}, [2]int{done, of})
	})
	require.NoError(t, err)
	assert.Equal(t, n, moved.Answers)
	assert.Less(t, most, n*length*3/4)
	_, err = s.Push(t.Context(), false, func(int, int) {})
	require.NoError(t, err)
	assert.Len(t, m.all, n)
	assert.True(t, slices.IsSortedFunc(m.all, func(a, b share.Answer) int { return strings.Compare(a.Key, b.Key) }))
}

// TestEachNamesWhatCantBeRead: that is known once all were read, and keeps no other away.
func TestEachNamesWhatCantBeRead(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	for i := range 3 {
		require.NoError(t, s.Put(t.Context(), s.Key(classify(fmt.Sprintf(`{"a":%d}`, i))), answer(`1`)))
	}
	all, err := filepath.Glob(filepath.Join(root, "recordings", "*", "*.json"))
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.NoError(t, os.WriteFile(all[0], []byte("{"), 0o600))
	read := 0
	var wrong error
	for range s.Each(&wrong) {
		read++
	}
	assert.Equal(t, 2, read)
	var file *recording.FileError
	require.True(t, errors.As(wrong, &file), wrong)
	assert.Equal(t, all[0], file.File)
	wrong = nil
	for range s.Each(&wrong) {
		break
	}
	assert.ErrorAs(t, wrong, &file, "what was met until then")
}
