package drift

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/show"
)

// String is the difference in one line.
func (d Difference) String() string {
	where := fmt.Sprintf("%-13s  %s %s", d.Change, d.Part, show.Plain(d.Path))
	switch {
	case d.Was == nil:
		return where + ": " + cutValue(d.Is)
	case d.Is == nil:
		return where + ": " + cutValue(d.Was)
	}
	return where + ": " + cutValue(d.Was) + " -> " + cutValue(d.Is)
}

// cutValue is a value short enough for a line.
func cutValue(raw json.RawMessage) string {
	const most = 120
	text := []rune(string(raw))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return show.Plain(string(text))
}

// Print writes what differs, for people: what counts first, with who uses it. Quiet leaves
// out which takes they are.
func (c Comparison) Print(w io.Writer, quiet bool) error {
	var b strings.Builder
	if !quiet {
		for _, t := range []struct {
			sign string
			TakeName
		}{{"-", c.Was}, {"+", c.Is}} {
			fmt.Fprintf(&b, "%s %s, take %d, %s\n", t.sign, show.Plain(t.File), t.Take, show.Time(t.RecordedAt))
		}
	}
	for _, change := range c.Changed {
		fmt.Fprintf(&b, "%s: %s, since %s at the earliest\n", Classification, change, c.Was.RecordedAt.UTC().Format(time.DateOnly))
	}
	if len(c.Tests) > 0 && c.Drifted() {
		fmt.Fprintf(&b, "used by %s\n", show.Plain(strings.Join(c.Tests, ", ")))
	}
	if len(c.Differences) == 0 && !quiet {
		fmt.Fprintln(&b, "no difference")
	}
	for _, d := range c.Differences {
		fmt.Fprintln(&b, d)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Classification are the words for a change that counts.
const Classification = "the classification changed"
