//go:build !linux

package main

// nosocket is hsharness: other kernels have nothing that forbids a socket to a
// process, and the code is the same.
func nosocket() { main() }
