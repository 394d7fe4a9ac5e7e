//go:build race

package scenario_test

// detectorsShare is how many times the memory a process takes that the race detector
// watches.
const detectorsShare = 3
