package report

import (
	"encoding/json"
	"io"
)

// JSON writes one object a line: each scenario, and at last the bill.
func JSON(w io.Writer, r Run) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, s := range r.Scenarios {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	return enc.Encode(r.Bill)
}
