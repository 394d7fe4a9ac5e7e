package files

import (
	"fmt"
	"slices"
	"strings"
)

// ledgers is how SQLite's files begin: nothing is written over one, nor added to it.
const ledgers = "SQLite format 3"

// besides are the ends of the names of what stands beside a ledger. It is empty, or not there,
// where nobody uses that, and has all that was counted meanwhile where somebody does.
var besides = []string{"-wal", "-shm", "-journal", ".lock"}

// Like says why a file is not written over: it is there, and begins in none of these ways, so
// somebody else wrote it. Without any it may be all but a ledger, or a part of one. What is
// empty, or can't be read here, is somebody else's to judge.
func Like(name string, begins ...string) error {
	if err := PartOfLedger(name); err != nil {
		return err
	}
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

// PartOfLedger says why nothing of its own goes into a file: it stands beside a ledger.
func PartOfLedger(name string) error {
	real, err := Real(name)
	if err != nil {
		return nil //nolint:nilerr // whether it can be written is asked of Writable
	}
	for _, end := range besides {
		at := len(real) - len(end)
		if at <= 0 || !strings.EqualFold(real[at:], end) { // some systems take both letters
			continue
		}
		if text, err := Begins(real[:at]); err == nil && strings.HasPrefix(string(text), ledgers) {
			return fmt.Errorf("%s is a part of the ledger %s, and is not written over: name another file", name, real[:at])
		}
	}
	return nil
}
