package scenario_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// validator compiles the schema with a library that is not ours.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(scenario.Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("scenario.json", doc))
	s, err := c.Compile("scenario.json")
	require.NoError(t, err)
	require.Equal(t, scenario.SchemaID, s.ID)
	return s
}

// instance reads a file as the schema's library wants it.
func instance(t *testing.T, src []byte) any {
	t.Helper()
	text, err := yaml.YAMLToJSON(src)
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return v
}

func TestSchemaAgreesWithParser(t *testing.T) {
	schema := validator(t)
	for _, name := range files(t, "right") {
		_, err := scenario.ParseFile(filepath.ToSlash(name), read(t, name))
		assert.NoError(t, err)
		assert.NoError(t, schema.Validate(instance(t, read(t, name))), name)
	}
	for _, glob := range []string{"../../scenarios/*.yaml", "../../cmd/internal/starter/files/*.yaml"} {
		names, err := filepath.Glob(glob)
		require.NoError(t, err)
		require.NotEmpty(t, names, glob)
		for _, name := range names {
			if filepath.Base(name) != "hsharness.yaml" {
				assert.NoError(t, schema.Validate(instance(t, read(t, name))), name)
			}
		}
	}
	for _, name := range files(t, "wrong/structure") {
		assert.Error(t, schema.Validate(instance(t, read(t, name))), "the parser refuses the structure of %s, the schema does not", name)
	}
	for _, name := range files(t, "wrong/meaning") {
		assert.NoError(t, schema.Validate(instance(t, read(t, name))), "only the parser can know what is wrong with %s", name)
	}
}

// TestSchemaKnowsTheParsersKeys compares the keys of each map in both
// directions.
func TestSchemaKnowsTheParsersKeys(t *testing.T) {
	type object struct {
		Properties map[string]any
		OneOf      []struct{ Properties map[string]any }
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(scenario.Schema(), &schema))
	schema.Defs["scenario"] = schema.object
	seen := 0
	for kind, keys := range scenario.Keys() {
		def, ok := schema.Defs[kind]
		require.True(t, ok, "the schema has no %s", kind)
		if kind == "auth" || kind == "gate" { // a word or a map
			def.Properties = def.OneOf[1].Properties
		}
		var got []string
		for key := range def.Properties {
			got = append(got, key)
		}
		slices.Sort(got)
		assert.Equal(t, slices.Sorted(slices.Values(keys)), got, kind)
		seen++
	}
	for kind, def := range schema.Defs {
		if len(def.Properties) > 0 {
			assert.Contains(t, scenario.Keys(), kind, "the parser has no %s", kind)
		}
	}
	assert.Equal(t, 14, seen)
}
