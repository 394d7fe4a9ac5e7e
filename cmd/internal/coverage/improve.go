package coverage

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// The most work that is done to improve a choice: candidates of which all subsets are
// tried, so many of these, candidates of which pairs are tried as the first two, and how
// many candidates are looked at in all tries together.
const (
	allSubsets  = 14
	mostSubsets = 1 << 14
	firstPairs  = 40
	mostLooks   = 300_000
)

// improve offers choices that may be better, until one is good enough.
func improve(start *state, better func(*state), done func() bool) {
	var open []int
	for i := range start.Candidates {
		if start.gain(i) > 0 && start.fits(i, start.cost(i)) {
			open = append(open, i)
		}
	}
	if len(open) <= allSubsets {
		if s := start.all(open); s != nil {
			better(s)
			return
		}
	}
	// The best first, so that few are tried.
	slices.SortStableFunc(open, func(a, b int) int { return cmp.Compare(start.gain(b), start.gain(a)) })
	tries := mostLooks / max(1, len(start.Candidates))
	for n, i := range open[:min(len(open), tries)] {
		if done() {
			return
		}
		one := start.clone()
		one.take(i)
		if len(open) <= firstPairs {
			for _, j := range open[:n] {
				if two := one.clone(); two.fits(j, two.cost(j)) {
					two.take(j)
					two.greedy()
					better(two)
				}
			}
		}
		one.greedy()
		better(one)
	}
}

// all is the best of all choices, nil where there are too many to look at.
func (s *state) all(open []int) *state {
	best, looked := s.clone(), 0
	var look func(at *state, rest []int) bool
	look = func(at *state, rest []int) bool {
		if looked++; looked > mostSubsets {
			return false
		}
		if at.value > best.value {
			best = at
		}
		var possible int64
		for _, i := range rest {
			possible += at.gain(i)
		}
		if at.value+possible <= best.value {
			return true
		}
		for n, i := range rest {
			if g := at.gain(i); g == 0 || !at.fits(i, at.cost(i)) {
				continue
			}
			next := at.clone()
			next.take(i)
			if !look(next, rest[n+1:]) {
				return false
			}
		}
		return true
	}
	if !look(s.clone(), open) {
		return nil
	}
	best.exact = true
	return best
}

// bound is what no choice that fits adds more than: what is chosen already and, of each
// class, the best for its price of all others until the whole budget is used, or all that
// there is of the class. Of a price that several share each has its part, so that no
// choice costs less.
func (s *state) bound() int64 {
	costs := make([]float64, len(s.Candidates))
	most := map[int]map[int]int64{} // by class and element, what can be added
	for i, c := range s.Candidates {
		for _, n := range c.Needs {
			if !s.paid[n.ID] {
				costs[i] += float64(n.Units) / float64(s.share[n.ID])
			}
		}
		for _, e := range c.Covers {
			if add := e.Value - s.covered[e.Element]; add > 0 {
				if most[e.Class] == nil {
					most[e.Class] = map[int]int64{}
				}
				most[e.Class][e.Element] = max(most[e.Class][e.Element], add)
			}
		}
	}
	sum := float64(s.value)
	for _, class := range slices.Sorted(maps.Keys(most)) { // sums of floats, in one order
		var all int64
		for _, add := range most[class] {
			all += add
		}
		sum += min(float64(all), s.filled(class, costs))
	}
	if sum >= math.MaxInt64/2 {
		return math.MaxInt64 / 2
	}
	return int64(math.Ceil(sum * (1 + 1e-9)))
}

// filled is what the candidates add to a class, the best for its price first, until the
// whole budget is used.
func (s *state) filled(class int, costs []float64) (sum float64) {
	type part struct{ gain, cost float64 }
	var parts []part
	for i, c := range s.Candidates {
		var g int64
		for _, e := range c.Covers {
			if e.Class == class {
				g += max(0, e.Value-s.covered[e.Element])
			}
		}
		switch {
		case g == 0 || s.taken[i]:
		case costs[i] == 0:
			sum += float64(g)
		default:
			parts = append(parts, part{float64(g), costs[i]})
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(b.gain*a.cost, a.gain*b.cost) })
	left := float64(s.budget)
	for _, p := range parts {
		if p.cost > left {
			return sum + p.gain*left/p.cost
		}
		sum, left = sum+p.gain, left-p.cost
	}
	return sum
}
