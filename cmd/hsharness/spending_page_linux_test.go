package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSpendingPageAsWritten types docs/spending.md from 400 units left to the end, with a
// set of goods that is larger.
func TestSpendingPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/spending.md")
	r := newReader(t)
	code, out := r.types("hsharness quota init --granted 400")
	require.Zero(t, code, out)
	r.write("scenarios/goods.yaml", goods(440, ""))
	r.write("scenarios/titles.csv", goodsTable+"wool hat,650500,IT\nwool sock,611594,PT\nsteel spoon,821599,CN\n")
	r.write("scenarios/titles.yaml", scoring)
	for _, line := range p.typed {
		code, out := r.types(line)
		require.Zero(t, code, "%s\n%s", line, out)
	}
	assert.EqualValues(t, 20+5, r.served(), "a night, and what fits")
	short, err := os.ReadFile(filepath.Join(r.dir, "short.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(short), "confidence_of,why\n", "the gate judged")
	r.verify()
}
