package mockapi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/files"
)

// A state file that got a line for each request for ever was longer than what is read.
func TestStateFileIsWrittenAnewWhenItIsLong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	s := newState(nil, 0, 0)
	require.NoError(t, s.open(file, avalara.Sandbox))
	s.log.grows = 1000
	s.log.later()
	longest := int64(0)
	for range 200 {
		ok, err := s.take("a", 1)
		require.True(t, ok)
		require.NoError(t, err)
		info, err := os.Stat(file)
		require.NoError(t, err)
		longest = max(longest, info.Size())
	}
	assert.Less(t, longest, int64(1200), "200 lines have 5,500 bytes")
	again := newState(nil, 0, 0)
	require.NoError(t, again.open(file, avalara.Sandbox))
	assert.EqualValues(t, 200, again.served["a"])
}

// A last flush that failed had every later request fail until a restart: the file was
// another than the one that was written.
func TestStateGoesOnWhereItsLastFlushFailedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	s := newState(nil, 0, 0)
	require.NoError(t, s.open(file, avalara.Sandbox))
	for range 10 {
		_, err := s.take("a", 1)
		require.NoError(t, err)
	}
	failing, full := true, errors.New("input/output error")
	s.log.anew = 0
	s.log.replace = func(name string, data []byte) error {
		err := files.Replace(name, data)
		if failing {
			err = full
		}
		return err
	}
	ok, err := s.take("a", 1)
	require.NoError(t, err, "its line is on disk, in the file that was replaced")
	assert.True(t, ok)
	_, err = s.take("a", 1)
	require.ErrorIs(t, err, full, "nothing is counted in a file that may not stay")
	assert.EqualValues(t, 11, s.usage().Served)
	failing = false
	_, err = s.take("a", 1)
	require.NoError(t, err)
	again := newState(nil, 0, 0)
	require.NoError(t, again.open(file, avalara.Sandbox))
	assert.EqualValues(t, 12, again.served["a"])
}

// Where the file could not be replaced at all, the longer one goes on.
func TestStateGoesOnWhereItCantBeReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	s := newState(nil, 0, 0)
	require.NoError(t, s.open(file, avalara.Sandbox))
	s.log.anew = 0
	tried := 0
	s.log.replace = func(string, []byte) error { tried++; return errors.New("no space left") }
	for range 10 {
		_, err := s.take("a", 1)
		require.NoError(t, err)
	}
	assert.Equal(t, 1, tried, "once, until it has grown again")
	again := newState(nil, 0, 0)
	require.NoError(t, again.open(file, avalara.Sandbox))
	assert.EqualValues(t, 10, again.served["a"])
}

func TestStateOfAnySizeIsReadLineByLine(t *testing.T) {
	s := newState(nil, 0, 0)
	file := []io.Reader{strings.NewReader(`{"format":2,"environment":"sandbox"}` + "\n")}
	long := `{"account":"a","served":1}` + strings.Repeat(" ", 1<<20) + "\n"
	for range 64 {
		file = append(file, strings.NewReader(long))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, s.replay(io.MultiReader(file...), avalara.Sandbox))
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.TotalAlloc)-int64(before.TotalAlloc), int64(32<<20), "bytes, of a file of 64 MB")
	assert.EqualValues(t, 1, s.served["a"])
}

func TestStateHasALimitOfAccounts(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"format":2,"environment":"sandbox"}` + "\n")
	for i := range 2*maxAccounts + 2 {
		fmt.Fprintf(&b, `{"account":"%d","served":1}`+"\n", i)
	}
	err := newState(nil, 0, 0).replay(strings.NewReader(b.String()), avalara.Sandbox)
	assert.ErrorContains(t, err, "is damaged in line 200003: it has more than 200000 accounts")
}

// A name takes no more room in the file than in memory.
func TestAccountsAreShortInTheFileToo(t *testing.T) {
	s := newState(nil, 0, 0)
	assert.Len(t, s.known(strings.Repeat("\x01", 100)), 71)
	assert.Len(t, s.known(strings.Repeat("<", 150)), 150)
}
