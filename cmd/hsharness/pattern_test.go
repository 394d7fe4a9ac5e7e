package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pattern"
)

// The patterns of a program are compiled when they are used; here all are.
func TestPatternsCompile(t *testing.T) {
	t.Parallel()
	require.NoError(t, pattern.Check())
}
