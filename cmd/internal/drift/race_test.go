//go:build race

package drift

// detectorsShare is how many times the memory a process takes that the race detector
// watches.
const detectorsShare = 4

// detectorsPace is how many times shorter an answer is that one goroutine compares while
// the race detector watches.
const detectorsPace = 5
