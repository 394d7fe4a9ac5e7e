//go:build race

package main

// detectorsShare is how many times the memory a process takes that the race detector
// watches.
const detectorsShare = 6

// detectorsPace is how many times fewer of the same thing are asked of a process that the
// race detector watches, where the memory for all of them is looked at.
const detectorsPace = 5
