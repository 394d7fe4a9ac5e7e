package files

import (
	"fmt"
	"slices"
	"strings"
)

// ledgers is how SQLite's files begin: nothing is written over one, nor added to it.
const ledgers = "SQLite format 3"

// Like says why a file is not written over: it is there, and begins in none of these ways, so
// somebody else wrote it. Without any it may be all but a ledger. What is empty, or can't be
// read here, is somebody else's to judge.
func Like(name string, begins ...string) error {
	text, err := Begins(name)
	if err != nil || len(text) == 0 {
		return nil //nolint:nilerr // whether it can be written is asked of Writable
	}
	like := len(begins) == 0 || slices.ContainsFunc(begins, func(b string) bool { return strings.HasPrefix(string(text), b) })
	if !like || strings.HasPrefix(string(text), ledgers) {
		return fmt.Errorf("%s holds something else, and is not written over: name another file, or remove it", name)
	}
	return nil
}
