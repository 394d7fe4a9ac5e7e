package scenario

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// SchemaID is the schema's $id, and where editors find that of the newest release.
const SchemaID = "https://raw.githubusercontent.com/hsharness/hsharness/main/internal/scenario/schema.json"

// Schema returns the JSON Schema (draft 2020-12) of a scenario file. It knows
// the structure: keys, types and fixed words. What it can't say (expressions,
// captures, matrix names) only [Parse] finds.
func Schema() []byte { return slices.Clone(schema) }
