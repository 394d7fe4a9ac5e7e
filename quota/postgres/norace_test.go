//go:build !race

package postgres_test

// modelChecks is how many walks the model takes here unless -rapid.checks says more;
// make crashes does. Each asks the server some two thousand times.
const modelChecks = "15"
