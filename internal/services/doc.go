// Package services puts the parts together that a test or a developer talks to:
// the identity services and classification APIs of both environments as
// [Mocks], and with a guard in front of the APIs as a [Local].
//
// It may touch the mocks, the guard and sockets to listen on, and no file and no
// ledger.
//
// Every set has its own clock, faults, journal and allowance, so that sets
// can be used side by side. Its servers listen on loopback.
package services
