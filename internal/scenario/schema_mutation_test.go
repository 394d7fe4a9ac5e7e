package scenario_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// meanings are parts of the messages of what only the parser can know.
var meanings = []string{"undefined ", "unknown name ", "is no value of matrix.", "there is no file ", "the wanted code ", "undefined column ", "matrix.where must be true or false, not a value of type", "row is known only where", "an assertion must be true or false, not a value of type"}

// TestSchemaAndParserRefuseTheSame changes right files at every place, to every
// kind of value, and compares the two verdicts.
func TestSchemaAndParserRefuseTheSame(t *testing.T) {
	t.Parallel()
	schema := validator(t)
	refused := 0
	for _, name := range files(t, "right") {
		for i, changed := range mutations(instance(t, read(t, name))) {
			if i%detectorsShare != 0 { // nothing happens at once here
				continue
			}
			src, err := json.Marshal(changed)
			require.NoError(t, err)
			again, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
			require.NoError(t, err)
			_, parseErr := scenario.ParseFile("testdata/right/x.yaml", src)
			schemaErr := schema.Validate(again)
			if schemaErr != nil {
				refused++
				assert.Error(t, parseErr, "the schema refuses what the parser takes: %v\n%s", schemaErr, src)
				continue
			}
			var errs scenario.Errors
			if !errors.As(parseErr, &errs) {
				continue
			}
			for _, e := range errs {
				assert.True(t, slices.ContainsFunc(meanings, func(m string) bool { return strings.Contains(e.Msg, m) }),
					"the parser refuses what the schema takes: %s", e.Error())
			}
		}
	}
	assert.Greater(t, refused, 1000/detectorsShare, "hardly anything was changed")
}

// mutations lists copies of a document, each with one place changed.
func mutations(doc any) []any {
	var out []any
	values := []any{nil, true, "text", "7", "", -1, 1.5, 5000000000, []any{}, map[string]any{"odd": 1}}
	switch v := doc.(type) {
	case map[string]any:
		for key, value := range v {
			with := func(changed any) map[string]any {
				m := make(map[string]any, len(v))
				for k, old := range v {
					m[k] = old
				}
				m[key] = changed
				return m
			}
			below := values
			if !slices.Contains([]string{"body", "json", "vars"}, key) { // of which the format says nothing
				below = append(mutations(value), values...)
			}
			for _, changed := range below {
				out = append(out, with(changed))
			}
			without := with(nil)
			delete(without, key)
			out = append(out, without)
			renamed := with(nil)
			delete(renamed, key)
			renamed[key+"x"] = value
			out = append(out, renamed)
		}
	case []any:
		for i, value := range v {
			for _, changed := range append(mutations(value), values...) {
				l := slices.Clone(v)
				l[i] = changed
				out = append(out, l)
			}
		}
	}
	return out
}
