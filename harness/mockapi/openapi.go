package mockapi

import (
	_ "embed" // the document
	"slices"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI is the OpenAPI 3.1 document of what the handlers serve, in JSON. Each
// operation, answer and field has x-status, verified or assumed, and x-source.
func OpenAPI() []byte { return slices.Clone(openAPI) }
