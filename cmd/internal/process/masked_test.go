package process_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/internal/secret"
)

// once is a disk that is full for a moment.
type once struct{ wrote int }

func (o *once) Write(text []byte) (int, error) {
	if o.wrote++; o.wrote == 1 {
		return 0, errors.New("no space left on device")
	}
	return len(text), nil
}

// TestWhatWasLostIsKnownAtTheEnd, also where all that came later went well, and with secrets
// to be looked for or without.
func TestWhatWasLostIsKnownAtTheEnd(t *testing.T) {
	t.Parallel()
	find, err := secret.NewFinder(secret.Secret{Name: "key", Value: "LK-4711/zoned+0815-cotton"})
	require.NoError(t, err)
	for _, find := range []*secret.Finder{nil, find} {
		m := process.NewMasked(&once{}, func() *secret.Finder { return find })
		_, err := m.Write([]byte("a line\n"))
		require.Error(t, err)
		_, err = m.Write([]byte("another\n"))
		require.NoError(t, err)
		assert.EqualError(t, m.Flush(), "no space left on device")
	}
}

// full is a disk that stays full.
type full struct{ longest int }

func (f *full) Write(text []byte) (int, error) {
	f.longest = max(f.longest, len(text))
	return 0, errors.New("no space left on device")
}

// TestNothingIsKeptOfWhatNobodyTakes, or a server would grow with each line of its log.
func TestNothingIsKeptOfWhatNobodyTakes(t *testing.T) {
	t.Parallel()
	find, err := secret.NewFinder(secret.Secret{Name: "key", Value: "LK-4711/zoned+0815-cotton"})
	require.NoError(t, err)
	var disk full
	m := process.NewMasked(&disk, func() *secret.Finder { return find })
	for range 100 {
		_, err := m.Write([]byte("a line\n"))
		require.Error(t, err)
	}
	assert.Equal(t, len("a line\n"), disk.longest)
}
