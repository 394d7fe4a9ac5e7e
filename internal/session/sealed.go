package session

import (
	"cmp"
	"fmt"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
)

// UnsealedError refuses a mode that buys for programs that are in no seal, where
// policy.sealed is required: what they send past the guard would be in no bill.
type UnsealedError struct {
	Mode guard.Mode
	// Max is what was to be spent at most, in units; zero where that was not said.
	Max int64
	// File is the project file with the policy.
	File string
}

func (e *UnsealedError) Error() string {
	return fmt.Sprintf("mode %s, but policy.sealed in %s is required, and what asks this guard is in no seal", e.Mode, e.File)
}

// CheckSealed says why a project may not buy in a mode for programs that are sealed or
// are not. No variable is asked: whoever is in a seal is a client of the guard that made
// it, and has no run of its own.
func CheckSealed(proj *project.Project, mode guard.Mode, sealed bool, most int64) error {
	if sealed || !mode.Buys() || !proj.Policy.MustSeal() {
		return nil
	}
	return &UnsealedError{Mode: mode, Max: cmp.Or(most, proj.PerRun), File: proj.File}
}
