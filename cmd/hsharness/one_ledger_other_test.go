//go:build !linux

package main

// keepGate is for Linux.
func keepGate() {}
