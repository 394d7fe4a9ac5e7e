package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// opened counts how often a folder was opened since it is watched.
func opened(t *testing.T, watch int) (times int) {
	t.Helper()
	events := make([]byte, 1<<20)
	n, err := unix.Read(watch, events)
	require.NoError(t, err)
	for events = events[:n]; len(events) >= unix.SizeofInotifyEvent; {
		mask, name := binary.NativeEndian.Uint32(events[4:]), binary.NativeEndian.Uint32(events[12:])
		if mask&unix.IN_OPEN != 0 && mask&unix.IN_ISDIR != 0 && name == 0 { // else a file in it
			times++
		}
		events = events[unix.SizeofInotifyEvent+name:]
	}
	return times
}

// TestFolderIsReadAsOftenForManyFiles: run read the whole folder again for each scenario in
// it, and of 4,000 that took 20 s.
func TestFolderIsReadAsOftenForManyFiles(t *testing.T) {
	t.Parallel()
	count := func(command string, files int) int {
		dir := t.TempDir()
		folder := filepath.Join(dir, "scenarios")
		require.NoError(t, os.Mkdir(folder, 0o755))
		for i := range files {
			name := filepath.Join(folder, fmt.Sprintf("%d.yaml", i))
			require.NoError(t, os.WriteFile(name, []byte("version: 1\nname: x\nsteps: [ { token: {} } ]\n"), 0o600))
		}
		watch, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		require.NoError(t, err)
		defer func() { _ = unix.Close(watch) }()
		_, err = unix.InotifyAddWatch(watch, folder, unix.IN_OPEN|unix.IN_CLOSE)
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), "hsharness", command)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return opened(t, watch)
	}
	for _, command := range []string{"run", "lint", "plan"} {
		few := count(command, 2)
		assert.Positive(t, few, command)
		assert.Equal(t, few, count(command, 40), command)
	}
}
