//go:build !race

package drift

// detectorsShare is 1 where no race detector takes memory for itself.
const detectorsShare = 1

// detectorsPace is 1 where no race detector takes time for itself.
const detectorsPace = 1
