// Package source says what to type to see where a figure of a report comes from, and
// what to type next about it. It touches nothing.
package source

import (
	"fmt"

	"github.com/hsharness/hsharness/internal/plain"
)

// What to type, whatever the ledger says.
const (
	// Status says what is left, and who holds it.
	Status = "hsharness quota status"
	// Runs lists the runs, with what they hold.
	Runs = "hsharness quota runs"
	// Reconcile tells the ledger what the service has counted.
	Reconcile = "hsharness quota reconcile --observed N --note WHY"
	// Grant adds what the service granted.
	Grant = "hsharness quota grant N --note WHY"
	// Report is the whole report.
	Report = "hsharness report"
)

// Filter is a flag of quota history and its value.
type Filter struct{ Flag, Value string }

// History lists the entries that filters leave, and says what they add up to. A
// filter without a value is one for what has none.
func History(filters ...Filter) string {
	text := "hsharness quota history"
	for _, f := range filters {
		text += fmt.Sprintf(" --%s %s", f.Flag, plain.Word(f.Value))
	}
	return text
}

// In is a command about the ledger at an address that is not the project's.
func In(command, ledger string) string { return command + " --ledger " + plain.Word(ledger) }
