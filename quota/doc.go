// Package quota is the ledger of a fixed allowance: so many classification
// requests of a sandbox account, and never one more.
//
// It may touch the files of the high-water mark, the .git of a project, to read,
// and the list of processes. A ledger it reaches through a [Store] alone, and it
// imports the standard library only.
//
// One rule stands above all others: counting too much is acceptable, counting
// too little never is. A run is admitted before it starts, and only if all it
// may ever send fits ([Client.Begin]). A unit is written down, durably, before
// the first byte of its request is sent ([Run.Spend]). What became of it is
// noted afterwards, lazily, since losing that note leaves a spent unit and
// never a free one ([Run.Settle]). Whatever goes wrong on the way, a full disk,
// a timeout, an unknown state, the answer is an error and nothing is sent.
//
// # Who holds what
//
// At admission the whole of [RunSpec.Max] moves from what is available to the
// run's hold. A spend moves units from that hold to what the run has spent and
// touches nothing else, so a thousand runs can spend at once without meeting.
// The rest of the hold returns when the run ends, or when its lease runs out or
// its process is found dead. Units that were spent never return with time:
// expiry of a hold gives back what was not drawn, and no more, because a
// request whose owner died may well have been counted. Measured against a
// server of its own count, giving spent units back on expiry went 2.4 to 2.9 %
// over the limit; this rule never did.
//
// No safety rests on a clock. A lease that ends too early or too late only
// delays: the spend is a compare-and-set on the run's own row, so the ledger
// itself refuses a process that was paused, written off, and woke up.
//
// # Stores
//
// [Store] is the contract, kept by every store and checked by package
// quotatest. [Admit], [NewStatus], [Audit] and the validations are the
// arithmetic that all of them share. Most callers want [Client], which adds
// what no store can know: the high-water mark that notices a ledger gone back in time,
// the binding to one account, and the lease kept alive.
package quota
