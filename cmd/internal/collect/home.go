package collect

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/hsharness/hsharness/cmd/internal/show"
)

// Home is one file that was brought home, as JSON.
type Home struct {
	Key  string `json:"key"`
	From string `json:"from"`
	File string `json:"file"`
}

// PrintHome writes what was brought home, of so many files.
func PrintHome(w io.Writer, out []Home, of int, asJSON, quiet bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(out)
	}
	for _, l := range out {
		fmt.Fprintf(w, "%s  %s  from %s\n", show.Key(l.Key), show.Plain(l.File), show.Plain(l.From))
	}
	if quiet {
		return nil
	}
	if of == 0 {
		_, err := fmt.Fprintln(w, "every answer is where it belongs")
		return err
	}
	_, err := fmt.Fprintf(w, "recovered answers: %d of %d\n", len(out), of)
	return err
}
