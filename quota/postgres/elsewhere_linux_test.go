package postgres_test

import (
	"os/exec"
	"testing"

	"github.com/hsharness/hsharness/internal/apart"
)

// Processes that can't see each other leave each other's runs alone.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]apart.Place{
		"another time":      {Unshare: []string{"--time", "--boottime", "100000"}},
		"another PID space": {Unshare: []string{"--pid", "--mount-proc"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if place.Possible(t) {
				processes.Elsewhere(t, func(program string) *exec.Cmd { return place.Command(t, program) })
			}
		})
	}
}
