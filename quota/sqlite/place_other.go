//go:build !linux && !darwin && !windows

package sqlite

// networkFS can't tell on this system, so the user has to take care.
func networkFS(string) (string, error) { return "", nil }
