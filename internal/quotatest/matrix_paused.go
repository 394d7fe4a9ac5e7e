//go:build unix

package quotatest

import (
	"syscall"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// short is a lease that passes while a process is stopped.
const short = 300 * time.Millisecond

// pause stops the child until its run "a" has expired and was swept.
func pause(s *shared, c *child) {
	require.NoError(s, c.cmd.Process.Signal(syscall.SIGSTOP))
	require.Eventually(s, func() bool {
		st, err := s.store.Status(s.Context())
		return err == nil && len(st.ActiveRuns) == 1 && !st.ActiveRuns[0].Alive
	}, time.Minute, short/4)
	s.sweep("sweeper")
	require.NoError(s, c.cmd.Process.Signal(syscall.SIGCONT))
}

// begun is a child with a run "a" of 10 and one spend, all within a short lease.
// A machine that is too slow for that gets another try.
func begun(s *shared) *child {
	for lease := short; ; lease *= 4 {
		c := s.child(lease)
		if c.do("begin a 10") == "ok" && c.do("spend a 1") == "ok" {
			return c
		}
		c.kill()
		s.place = s.Init(s, quota.InitSpec{Granted: 50, Account: "account"})
		require.NoError(s, s.store.Close())
		var err error
		s.store, err = s.Open(s.Context(), s.place, How{Lease: long})
		require.NoError(s, err)
	}
}

func rowPausedAfterSpend(s *shared) {
	c, service := begun(s), newCounter(s, 1)
	pause(s, c)
	s.figures(1, 0, 1)
	c.must("post %s", service.URL)
	c.must("settle a 1 answered")
	s.figures(1, 0, 0)
	assert.EqualValues(s, 1, service.count())
	c.finish()
}

func rowPausedBeforeSpend(s *shared) {
	c := begun(s)
	pause(s, c)
	_, err := s.store.Begin(s.Context(), quota.RunSpec{ID: "next", Max: 49}, nil)
	require.NoError(s, err, "what it held is granted again")
	assert.Contains(s, c.do("spend a 2"), "run a expired")
	s.figures(1, 49, 1)
	c.finish()
}
