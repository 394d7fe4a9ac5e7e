// Package recording compares replaying a recorded answer with go-vcr, the best
// known recorder for Go, and with a bare reverse proxy, and says what the guard
// adds to an answer that is bought.
package recording
