//go:build !unix

package guard_test

// runVictim never is what a process of these tests does: nothing kills them here.
func runVictim() bool { return false }
