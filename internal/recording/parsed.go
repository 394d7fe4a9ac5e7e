package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Parsed is a body that is JSON with its numbers as they are written, a list where it has several
// values, as lines of JSON are; nil for anything else.
func Parsed(body []byte) any {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var all []any
	for {
		var v any
		switch err := d.Decode(&v); {
		case errors.Is(err, io.EOF) && len(all) == 1:
			return all[0]
		case errors.Is(err, io.EOF) && len(all) > 1:
			return all
		case err != nil:
			return nil
		}
		all = append(all, v)
	}
}
