//go:build !race

package main

// detectorsShare is 1 where no race detector takes memory for itself.
const detectorsShare = 1
