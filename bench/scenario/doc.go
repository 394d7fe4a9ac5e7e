// Package scenario compares running a thousand scenario files of one step with
// venom running the same, and with a bare loop that makes the same requests.
package scenario
