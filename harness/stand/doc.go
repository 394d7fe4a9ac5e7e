// Package stand puts the parts together that a test or a developer talks to:
// the identity services and classification APIs of both environments as
// [Mocks], and with a guard in front of the APIs as a [Stand].
//
// Every stand has its own clock, faults, journal and allowance, so that stands
// can be used side by side. Its servers listen on loopback.
package stand
