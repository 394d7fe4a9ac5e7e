package seal

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestACommandOfWhichNothingIsKnownDidNotGoWell: a shim that ends without a word of its
// command.
func TestACommandOfWhichNothingIsKnownDidNotGoWell(t *testing.T) {
	t.Parallel()
	s := Seal{over: make(chan error, 1), gone: make(chan struct{})}
	s.over <- nil
	close(s.gone)
	code, err := s.Wait()
	require.ErrorIs(t, err, errGone)
	assert.Equal(t, 1, code)
}
