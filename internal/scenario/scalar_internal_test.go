package scenario

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPlacesOfALongLine: each space of a text was looked for at the end of its line, which
// took minutes for a line of 250 kB, and a string of the rest each time.
func TestPlacesOfALongLine(t *testing.T) {
	words := strings.Repeat("x ", 20_000)
	for name, row := range map[string]struct {
		source string
		style  style
		start  Pos
	}{
		"plain":         {"body: " + words + "end   ", 0, Pos{1, 7}},
		"double quoted": {`body: "` + words + `end"`, doubleQuoted, Pos{1, 7}},
		"single quoted": {"body: '" + words + "end'", singleQuoted, Pos{1, 7}},
	} {
		n := &node{text: words + "end", style: row.style, pos: row.start}
		d := &decoder{lines: strings.Split(row.source, "\n")}
		places := d.places(n)
		require.Len(t, places, len(n.text)+1, name)
		last := places[len(places)-2]
		assert.Equal(t, byte('d'), row.source[last.Column-1], name)
		assert.Less(t, testing.AllocsPerRun(1, func() { d.places(n) }), 100.0, name)
	}
}
