package mockapi

import (
	_ "embed" // the document

	"github.com/klauspost/compress/zstd"
)

// packedOpenAPI is docs/openapi.json, packed, which is a tenth of its size; the test of it
// packs it anew.
//
//go:embed openapi.json.zst
var packedOpenAPI []byte

// OpenAPI is the OpenAPI 3.1 document of what the handlers serve, in JSON. Each
// operation, answer and field says in x-status whether a source shows it, and in
// x-source which. An error is one of the program's own file.
func OpenAPI() ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(packedOpenAPI, nil)
}
