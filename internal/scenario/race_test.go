//go:build race

package scenario_test

// detectorsShare is how many times the memory a process takes that the race detector
// watches.
const detectorsShare = 3

// detectorsPace is how many times the time a loop takes that the race detector watches:
// what goes through a table in one goroutine has so much less of it there.
const detectorsPace = 10
