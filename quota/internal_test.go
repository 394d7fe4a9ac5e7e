package quota

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseWitness(t *testing.T) {
	mark := func(c string) string { return strings.Repeat(c, 16) }
	for name, row := range map[string]struct {
		text string
		seq  int64
		mark string
	}{
		"empty":         {"", 0, ""},
		"last":          {"3 " + mark("a") + "\n4 " + mark("b") + "\n", 4, mark("b")},
		"out of order":  {"4 " + mark("b") + "\n3 " + mark("a") + "\n", 4, mark("b")},
		"reset":         {"9 " + mark("a") + "\nreset 4 " + mark("b") + "\n", 4, mark("b")},
		"after a reset": {"9 " + mark("a") + "\nreset 4 " + mark("b") + "\n5 " + mark("c") + "\n", 5, mark("c")},
		"half written":  {"3 " + mark("a") + "\n4 " + mark("b"), 3, mark("a")},
		"torn mark":     {"3 " + mark("a") + "\n4 bb\n", 3, mark("a")},
		"zeros":         {"3 " + mark("a") + "\n\x00\x00\x00\n", 3, mark("a")},
	} {
		t.Run(name, func(t *testing.T) {
			seq, m := parseWitness(row.text)
			assert.Equal(t, row.seq, seq)
			assert.Equal(t, row.mark, m)
		})
	}
}

func FuzzParseWitness(f *testing.F) {
	f.Add("3 aaaaaaaaaaaaaaaa\nreset 2 bbbbbbbbbbbbbbbb\n")
	f.Fuzz(func(t *testing.T, text string) {
		seq, mark := parseWitness(text)
		if seq < 0 || seq > 0 && len(mark) != 16 || seq == 0 && mark != "" {
			t.Errorf("parseWitness(%q) = %d, %q", text, seq, mark)
		}
		// A line more can only raise it.
		if after, _ := parseWitness(text + "\n7 cccccccccccccccc\n"); after < max(seq, 7) {
			t.Errorf("%q: %d after %d", text, after, seq)
		}
	})
}
