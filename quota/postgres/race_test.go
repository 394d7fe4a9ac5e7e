//go:build race

package postgres_test

// modelChecks is how many walks the model takes under the race detector, which has nothing
// to find in a walk of one goroutine that it has not in the first of them.
const modelChecks = "5"
