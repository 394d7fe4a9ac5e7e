// Package guard is the only way by which a request can reach the real
// sandbox. It prices each request by the [Operations] table, checks the dummy
// token that it came with, and then answers it as far as its [Mode] lets it go.
//
// It may touch the network: it alone sends to the sandbox. Of this module it may
// touch facts, the token check, the search for secrets, recordings and package
// quota; which ledger there is, its caller says.
//
// For each API of each environment a [Guard] has a [Guard.Handler], for code under
// test in another process or language, and a [Guard.Transport], for an HTTP client
// of this one.
//
// In offline mode the mock API answers and nothing leaves the process; the
// [Tally] then says what the requests would have spent.
//
// In live mode a [Purchase] buys every answer. The units are written down by
// its [Meter] before the first byte is sent, and every attempt on the wire is
// one spend: net/http can neither follow a redirect nor send a request again on
// its own. Only a proof that nothing was written gives a unit back. What is
// refused is a [Refusal], and the gravest of them is the guard's [Guard.Verdict]:
// what the run ends with.
package guard
