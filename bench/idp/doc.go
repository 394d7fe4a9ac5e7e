// Package idp compares how fast the mock identity service gives tokens with
// other identity services for Go, each signing with RS256 and a key of 2048
// bits, each a process of its own.
package idp
