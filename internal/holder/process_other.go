//go:build !linux

package holder

// space is not known on this system.
func space() string { return "" }

// gone can't be told on this system.
func gone(int) bool { return false }

// stopped can't be told on this system.
func stopped(int) bool { return false }
