package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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
	var told atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	t.Cleanup(hook.Close)
	require.Len(t, p.yaml, 1)
	require.Contains(t, p.yaml[0], "rate: [25/1s]")
	r.configure(strings.Replace(p.yaml[0], "25/1s", "4/1s", 1)) // so that a night of 20 waits
	r.exports = "export HOOK=" + hook.URL + "\n"
	code, out := r.types("hsharness quota init --granted 400")
	require.Zero(t, code, out)
	r.write("scenarios/goods.yaml", goods(440, ""))
	r.write("scenarios/titles.csv", goodsTable+"wool hat,650500,IT\nwool sock,611594,PT\nsteel spoon,821599,CN\n")
	r.write("scenarios/titles.yaml", scoring)
	for _, line := range p.typed {
		code, out := r.types(line)
		require.Zero(t, code, "%s\n%s", line, out)
		if strings.HasPrefix(line, "hsharness run --plan night.json --mode record") {
			assert.Regexp(t, `spent 20 · .*[0-9]+ requests? waited, `, out, "what waits its turn is told")
		}
	}
	assert.EqualValues(t, 20+5, r.served(), "a night, and what fits")
	assert.EqualValues(t, 1, told.Load(), "the test of the hook: of 400 units 25 are spent")
	short, err := os.ReadFile(filepath.Join(r.dir, "short.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(short), "confidence_of,why\n", "the gate judged")
	r.verify()
}
