package recording

import "strings"

// The place of a value has the names of all that it is in: one name of a megabyte stands
// above each of thousands, and their places would be gigabytes.
const (
	// mostTold is how many places of secrets a recording names of one body, and longestPlace
	// how long one is, in bytes.
	mostTold     = 1000
	longestPlace = 1000
	// mostPlaces is how many bytes the places of all values may have in a body whose members
	// are compared one by one.
	mostPlaces = 8 << 20
)

// found tells where the value stands that is read, or its name.
func (w *redacting) found() {
	if w.told++; w.told <= mostTold {
		w.tell(w.where())
	}
}

// shownPlace is the beginning of a place that is too long.
func shownPlace(at []byte) string {
	return strings.ToValidUTF8(string(at[:longestPlace]), "") + "…"
}

// hasPlaces tells whether the places of all values in n can be written out.
func (n node) hasPlaces() bool {
	left := mostPlaces
	var take func(n node, at int) bool
	take = func(n node, at int) bool {
		if left -= at; left < 0 {
			return false
		}
		for i, item := range n.items {
			below := at + 2
			if n.kind == '{' {
				below += len(n.names[i])
			}
			if !take(item, below) {
				return false
			}
		}
		return true
	}
	return take(n, 0)
}
