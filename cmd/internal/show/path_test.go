package show

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is below the working directory or relative to it has slashes on every system.
func TestPath(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	assert.Equal(t, "a/b.json", Path(filepath.Join(here, "a", "b.json")))
	assert.Equal(t, "a/b.json", Path(filepath.Join("a", "b.json")))
	assert.Equal(t, "../../a.yaml", Path(filepath.Join("..", "..", "a.yaml")))
	above := filepath.Join(filepath.Dir(here), "a.json")
	assert.Equal(t, above, Path(above), "where it is, as the system has it")
}
