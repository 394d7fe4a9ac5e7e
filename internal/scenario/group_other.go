//go:build !unix

package scenario

import "os/exec"

// grouped does nothing: there are no groups here.
func grouped(*exec.Cmd) {}

// askToEnd ends a command: nobody can ask it to end here.
func askToEnd(cmd *exec.Cmd) error { return cmd.Process.Kill() }

// endRest does nothing.
func endRest(*exec.Cmd) {}
