// Package control is what the mock identity service and the mock
// classification API share: a [Clock] that a test can move, an ordered
// [Script] of [Fault] values, and a bounded [Journal] of what clients sent.
//
// It touches nothing but memory, the real clock and the answers that it is given.
//
// It knows no endpoint and no protocol: callers name their endpoints by
// strings. It uses the standard library only, and everything in it is safe for
// concurrent use.
package control
