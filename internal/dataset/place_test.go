package dataset_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/dataset"
)

// Each error of JSON stands where it is, in the order of the file.
func TestPlacesInJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[{\"a\":1},\n {\"a\":3}\n\n": "t.json:2:9: no JSON: unexpected end of JSON input",
		"[{\"a\":\"x\ty\"}]":          "t.json:1:9: no JSON: invalid character '\\t' in string literal",
		"[{\"a\":1},\n  {\"é\":1}]":   "t.json:2:3: the row has no \"a\", which the first one has: write null where it has no value\nt.json:2:4: the row has \"é\", which the first one has not: its columns are a",
	} {
		_, err := dataset.Read("t.json", strings.NewReader(text))
		assert.EqualError(t, err, want)
	}
}

// How deep a value is nested is asked of each by itself: rows do not add up.
func TestRowsAreNotNested(t *testing.T) {
	t.Parallel()
	set, err := dataset.Read("t.json", strings.NewReader("["+strings.Repeat("{\"a\":[{}]},\n", 200)+"{\"a\":[{}]}]"))
	require.NoError(t, err)
	assert.Len(t, set.Rows, 201)
}
