package recording_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// ownersAlone asserts that there is a file: who may read it, its folder says.
func ownersAlone(t *testing.T, name string) {
	t.Helper()
	require.FileExists(t, name)
}
