package scenario_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness/scenario"
)

func TestDesign(t *testing.T) {
	src, err := os.ReadFile("testdata/right/design.yaml")
	require.NoError(t, err)
	s, err := scenario.Parse("x.yaml", src)
	require.NoError(t, err)
	assert.Len(t, s.Cases(), 2)
}
