//go:build race

package drift

// detectorsShare is how many times the memory a process takes that the race detector
// watches.
const detectorsShare = 4
