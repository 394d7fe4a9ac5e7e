package scenario

import (
	"strings"
	"testing"
)

// A place in a text that stands as it is in its line is counted; it is the one that a
// walk over the text finds.
func TestPlacesAreThoseOfAWalk(t *testing.T) {
	const file = `plain: an é text with   spaces # and a comment
single: 'an é text'
double: "an é text "
doubled: 'it''s two'
last: 'two'''
slash: "two \\"
escaped: "a \"quote\", \\ and a \u00e9"
folded: "two
  lines"
continued: one
  two
block: |
  one
  two
flow: { a: 'x y', b: "z", c: [ é w, 'v' ] }
empty: ""
blank: ' '
`
	d := &decoder{file: "places.yaml", lines: strings.Split(file, "\n")}
	root := d.read([]byte(file))
	if len(d.errs) > 0 {
		t.Fatal(d.errs)
	}
	counted, walked := 0, 0
	var look func(n *node)
	look = func(n *node) {
		for _, e := range n.entries {
			look(e.value)
		}
		for _, item := range n.items {
			look(item)
		}
		if n.kind != String {
			return
		}
		if d.asWritten(n) {
			counted++
		} else {
			walked++
		}
		for offset := range n.text {
			if got, want := d.at(n, offset), place(n, d.places(n), offset); got != want {
				t.Errorf("byte %d of %q: at %v, by a walk %v", offset, n.text, got, want)
			}
		}
		if end := len(n.text); d.at(n, end) != place(n, d.places(n), end) {
			t.Errorf("the end of %q: at %v, by a walk %v", n.text, d.at(n, end), place(n, d.places(n), end))
		}
	}
	look(root)
	if counted != 9 || walked != 7 {
		t.Errorf("%d texts were counted and %d walked, want 9 and 7", counted, walked)
	}
}
