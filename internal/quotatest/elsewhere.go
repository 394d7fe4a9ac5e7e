package quotatest

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Elsewhere lets a child that command makes of its program, perhaps in namespaces
// of its own or as another user, begin a run while a run of this machine is
// active that it may not be able to see: that one lives on.
func (p Processes) Elsewhere(t *testing.T, command func(program string) *exec.Cmd) {
	s := p.share(t, 50, long)
	live := s.child(long)
	live.must("begin a 10")
	live.must("spend a 1")
	other := s.startAs(t, command, s.place, How{Lease: long})
	other.must("begin b 1")
	s.figures(1, 10, 0)
	live.must("spend a 2")
	require.Contains(t, other.do("begin c 40"), "blocked: 40 requested")
	other.must("end b")
	other.finish()
	live.finish()
}
