// Package pace makes all that ask one account keep to the rates that it allows: who
// may send the next request, and when. The rule is pure; a ledger keeps what it
// decides by, beside its journal, and so one pace holds for all processes and
// machines that share the ledger.
//
// # How a turn comes about
//
// A run asks its ledger for one turn at a time, whatever its concurrency. The
// answer is a moment at which one request may be sent, or when to ask again. Turns
// go round over the runs that wait: the one whose last turn is longest ago is the
// next. Who does not ask again in time, because it was killed or stopped, is passed
// over. Nothing rests on a turn but the pace: one that is lost is a request fewer.
//
// # What the service sees
//
// It counts by its own clock, when a request arrives. So the moments of turns are
// known some time ahead ([Horizon]), for the unit to be written down meanwhile, a
// window is taken for somewhat longer than it is ([Rate.Margin]), and a turn whose
// moment was missed is not used but asked for anew.
//
// It may touch nothing of the project.
package pace
