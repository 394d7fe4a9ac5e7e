// Package clients has one small program for each HTTP client that people use, with the
// service's real URLs built in and not a word of hsharness. Its test runs each of them
// sealed, as root and as an ordinary user, and writes what it saw into docs/sealed.md.
package clients
