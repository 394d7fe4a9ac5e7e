package mockapi

import (
	_ "embed" // the document
	"slices"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI is the OpenAPI 3.1 document of what the handlers serve, in JSON. Each
// operation, answer and field says in x-status whether a source shows it, and in
// x-source which.
func OpenAPI() []byte { return slices.Clone(openAPI) }
