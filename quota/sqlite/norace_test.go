//go:build !race

package sqlite_test

// modelChecks is how many walks the model takes here unless -rapid.checks says more;
// make crashes does.
const modelChecks = "50"
