package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What docs/codes.md says is typed, and a recording with a code that can't be declared
// is found.
func TestCodesPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/codes.md")
	text, err := os.ReadFile(filepath.FromSlash("../../docs/codes.md"))
	require.NoError(t, err)
	r := newReader(t)
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "csv" {
			require.NoError(t, os.WriteFile(filepath.Join(r.dir, "hs2022-2028.csv"), []byte(m[2]), 0o600))
		}
	}
	code, out := r.types("hsharness quota init --granted 1000")
	require.Zero(t, code, out)
	require.Len(t, p.typed, 3)
	for i, line := range p.typed {
		want := []int{0, 0, exitFailed}[i]
		code, out := r.types(line)
		assert.Equal(t, want, code, "%s\n%s", line, out)
		if want != 0 {
			assert.Contains(t, out, " splits into 610911, 610912")
			assert.Contains(t, out, "from HS 2022 to HS 2028")
		}
	}
	code, out = r.types("hsharness recordings ls --format json")
	assert.Zero(t, code, out)
	assert.Contains(t, out, `"edition":"HS 2`, "what was bought says of which edition it is")
	const spoilt = `sed -i 's/"hsCode": *"[0-9]*"/"hsCode": "6109990000"/' recordings/*/*.json`
	code, out = r.types(spoilt + " && hsharness recordings check")
	assert.Equal(t, exitFailed, code, out)
	assert.Contains(t, out, " /hsCode")
	assert.Contains(t, out, "6109990000 is no code of H")
	code, out = r.types("hsharness recordings check --format json")
	assert.Equal(t, exitFailed, code, out)
	assert.Contains(t, out, `"illegal":[{"recording":"`)

	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "bad.csv"), []byte("HS 2022,HS 2028\n6109.1A,6109.12\n"), 0o600))
	code, out = r.types("hsharness recordings check --at 2028-01-01 --correlation bad.csv")
	assert.Equal(t, exitUsage, code, out)
	assert.Contains(t, out, `bad.csv:2:1: "6109.1A" is no code`)
	for _, line := range []string{"--at 2028-01-01", "--correlation hs2022-2028.csv", "--at soon --correlation hs2022-2028.csv", "--at 2027-12-31 --correlation hs2022-2028.csv"} {
		code, out = r.types("hsharness recordings check " + line)
		assert.Equal(t, exitUsage, code, "%s\n%s", line, out)
	}
	r.verify()
}
