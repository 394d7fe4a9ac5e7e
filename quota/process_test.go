package quota_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

func TestThisProcessIsAlive(t *testing.T) {
	p := quota.ThisProcess()
	assert.Equal(t, os.Getpid(), p.PID)
	assert.False(t, p.Gone())
}

func TestProcessGone(t *testing.T) {
	p := quota.ThisProcess()
	child := exec.Command(os.Args[0], "-test.run=^$")
	require.NoError(t, child.Start())
	gone := p
	gone.PID = child.Process.Pid
	require.NoError(t, child.Wait())
	certain := runtime.GOOS == "linux" // elsewhere the lease alone tells
	assert.Equal(t, certain, gone.Gone(), "a process that ended")

	reused := p
	reused.Start += "0"
	assert.Equal(t, certain, reused.Gone(), "the same PID, started at another time")
}

// What can't be known is not gone: the lease decides.
func TestProcessUnknownIsNotGone(t *testing.T) {
	gone := func(change func(*quota.Process)) bool {
		p := quota.ThisProcess()
		p.PID = 1 << 30
		change(&p)
		return p.Gone()
	}
	assert.False(t, gone(func(p *quota.Process) { *p = quota.Process{} }), "no process")
	assert.False(t, gone(func(p *quota.Process) { p.Host += "-other" }), "another host")
	assert.False(t, gone(func(p *quota.Process) { p.Start = "other boot/" + p.Start }), "another boot")
	assert.False(t, gone(func(p *quota.Process) { p.Start = "" }), "no start time")
}
