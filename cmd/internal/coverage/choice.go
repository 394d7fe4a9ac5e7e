// Package coverage chooses what to buy where not all can be bought: of candidates with a
// price those that cover the most that was not covered before. It knows numbers alone,
// touches nothing, and chooses the same whenever it is asked the same.
//
// What covers more is worth more, and less the more there is of it already: the problem
// is that of budgeted maximum coverage. The choice is the better of two, the one by gain
// for the price and the one that begins with the best single candidate, improved where
// it is not known to be good enough; see Khuller, Moss and Naor, The budgeted maximum
// coverage problem (1999). [Choice.Bound] says how much no choice can exceed.
package coverage

// Need is something that is paid for once, whoever needs it.
type Need struct {
	// ID tells needs apart, from 0. Units are its price, above 0.
	ID, Units int
}

// Cover is what a candidate covers.
type Cover struct {
	// Element tells what is covered apart, from 0.
	Element int
	// Value is what it is worth to have it covered by this candidate. An element is
	// worth the most valuable cover that was chosen.
	Value int64
	// Class is what kind of element it is. It makes the bound tighter where one kind is
	// worth much more than another, or there is little of it.
	Class int
}

// Candidate is something that can be chosen.
type Candidate struct {
	Needs  []Need
	Covers []Cover
	// Must is chosen before all that need not be.
	Must bool
	// Group has a room of its own, of which the candidate takes so much; see
	// [Problem.Rooms].
	Group, Takes int
}

// Problem is what to choose from.
type Problem struct {
	Candidates []Candidate
	// Covered is what is covered without choosing anything.
	Covered []Cover
	// Rooms are what the candidates of a group may take together. A group that it does
	// not have, has no end.
	Rooms map[int]int
}

// Pick is a chosen candidate, in the order of the choice.
type Pick struct {
	// Index is its place in the problem, Units what it adds to the price, and Gain to
	// what is covered.
	Index, Units int
	Gain         int64
}

// Choice is what to buy.
type Choice struct {
	Picks []Pick
	// Units is the price of all, and Value what they add to what is covered.
	Units int
	Value int64
	// Bound is what no choice that fits adds more than.
	Bound int64
	// Missing is how many units more those need that must be chosen; then nothing is.
	Missing int
}

// enough is the part of the bound, in per cent, from which on a choice is not improved.
const enough = 99

// Choose chooses for so many units.
func Choose(p Problem, units int) Choice {
	whole := p
	p, members := bundled(whole)
	start := newState(newIndex(p), units)
	for i := range p.Candidates {
		if p.Candidates[i].Must {
			start.take(i)
		}
	}
	if start.units > units || start.crowded() {
		return Choice{Missing: max(1, start.units-units)}
	}
	best := start.clone()
	best.greedy()
	bound := min(start.bound(), best.bound())
	better := func(s *state) {
		if s.value > best.value || s.exact {
			best = s
		}
	}
	if !best.near(bound) {
		if i := start.single(); i >= 0 {
			s := start.clone()
			s.take(i)
			s.greedy()
			better(s)
		}
		improve(start, better, func() bool { return best.near(bound) })
	}
	if best.exact {
		bound = best.value
	}
	return Choice{Picks: unbundled(whole, best.picks, members), Units: best.units, Value: best.value, Bound: max(bound, best.value)}
}

// near tells whether a choice is as good as it has to be.
func (s *state) near(bound int64) bool { return s.exact || s.value*100 >= bound*enough }
