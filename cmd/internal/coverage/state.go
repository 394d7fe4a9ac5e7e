package coverage

import (
	"cmp"
	"maps"
	"slices"
)

// index is what of a problem never changes.
type index struct {
	Problem
	needs    int     // how many there are
	elements int     // likewise
	shared   [][]int // by need, the candidates that share it; nil for one of a single candidate
	share    []int   // by need, how many need it
}

func newIndex(p Problem) *index {
	x := &index{Problem: p}
	for _, c := range p.Covered {
		x.elements = max(x.elements, c.Element+1)
	}
	for _, c := range p.Candidates {
		for _, n := range c.Needs {
			x.needs = max(x.needs, n.ID+1)
		}
		for _, e := range c.Covers {
			x.elements = max(x.elements, e.Element+1)
		}
	}
	x.share, x.shared = make([]int, x.needs), make([][]int, x.needs)
	for _, c := range p.Candidates {
		for _, n := range c.Needs {
			x.share[n.ID]++
		}
	}
	for i, c := range p.Candidates {
		for _, n := range c.Needs {
			if x.share[n.ID] > 1 {
				x.shared[n.ID] = append(x.shared[n.ID], i)
			}
		}
	}
	return x
}

// state is a choice under way.
type state struct {
	*index
	budget  int
	covered []int64 // by element, the value that it has
	paid    []bool  // by need
	taken   []bool  // by candidate
	rooms   map[int]int
	units   int
	value   int64
	picks   []Pick
	exact   bool // nothing is better
}

func newState(x *index, budget int) *state {
	s := &state{index: x, budget: budget, covered: make([]int64, x.elements), paid: make([]bool, x.needs), taken: make([]bool, len(x.Candidates)), rooms: maps.Clone(x.Rooms)}
	for _, c := range x.Covered {
		s.covered[c.Element] = max(s.covered[c.Element], c.Value)
	}
	return s
}

func (s *state) clone() *state {
	out := *s
	out.covered, out.paid, out.taken = slices.Clone(s.covered), slices.Clone(s.paid), slices.Clone(s.taken)
	out.rooms, out.picks = maps.Clone(s.rooms), slices.Clone(s.picks)
	return &out
}

// cost is what a candidate adds to the price.
func (s *state) cost(i int) int {
	sum := 0
	for _, n := range s.Candidates[i].Needs {
		if !s.paid[n.ID] {
			sum += n.Units
		}
	}
	return sum
}

// gain is what a candidate adds to the value. No candidate covers an element twice.
func (s *state) gain(i int) int64 {
	var sum int64
	for _, c := range s.Candidates[i].Covers {
		sum += max(0, c.Value-s.covered[c.Element])
	}
	return sum
}

// fits tells whether a candidate of that price can be chosen now.
func (s *state) fits(i, cost int) bool {
	c := &s.Candidates[i]
	room, bounded := s.rooms[c.Group]
	return !s.taken[i] && s.units+cost <= s.budget && (!bounded || c.Takes <= room)
}

// crowded tells whether a group has more than it has room for.
func (s *state) crowded() bool {
	for _, room := range s.rooms {
		if room < 0 {
			return true
		}
	}
	return false
}

func (s *state) take(i int) {
	c := &s.Candidates[i]
	pick := Pick{Index: i, Units: s.cost(i), Gain: s.gain(i)}
	for _, n := range c.Needs {
		s.paid[n.ID] = true
	}
	for _, e := range c.Covers {
		s.covered[e.Element] = max(s.covered[e.Element], e.Value)
	}
	if _, bounded := s.rooms[c.Group]; bounded {
		s.rooms[c.Group] -= c.Takes
	}
	s.taken[i] = true
	s.units, s.value, s.picks = s.units+pick.Units, s.value+pick.Gain, append(s.picks, pick)
}

// single is the candidate that adds the most, -1 where none adds anything.
func (s *state) single() int {
	best, most := -1, int64(0)
	for i := range s.Candidates {
		if g := s.gain(i); g > most && s.fits(i, s.cost(i)) {
			best, most = i, g
		}
	}
	return best
}

// offer is a candidate as it was when it was looked at last: since then it can have lost
// gain, and what is shared of its price can have been paid.
type offer struct {
	index, cost int
	gain        int64
}

// before tells whether an offer has more gain for a unit than another one; of two that
// are alike it is the first. Free is better than any price.
func (a offer) before(b offer) bool {
	if c := cmp.Compare(float64(a.gain)*float64(b.cost), float64(b.gain)*float64(a.cost)); c != 0 {
		return c > 0
	}
	if a.gain != b.gain {
		return a.gain > b.gain
	}
	return a.index < b.index
}

// offers are a heap, the best on top. It is written out, since that of the standard
// library allocates for each of 100,000.
type offers []offer

func (o *offers) push(x offer) {
	*o = append(*o, x)
	h := *o
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (o *offers) pop() offer {
	h := *o
	top, last := h[0], len(h)-1
	h[0] = h[last]
	*o = h[:last]
	o.down(0)
	return top
}

func (o *offers) down(i int) {
	h := *o
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(h[i]) {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}

// greedy chooses by gain for the price until nothing more fits that adds anything.
func (s *state) greedy() {
	queue := make(offers, 0, len(s.Candidates))
	for i := range s.Candidates {
		if g := s.gain(i); g > 0 && !s.taken[i] {
			queue = append(queue, offer{i, s.cost(i), g})
		}
	}
	for i := len(queue)/2 - 1; i >= 0; i-- {
		queue.down(i)
	}
	for len(queue) > 0 {
		top := queue.pop()
		if s.units >= s.budget && top.cost > 0 { // what is free would be on top
			return
		}
		i := top.index
		now := offer{i, s.cost(i), s.gain(i)}
		if now.gain == 0 || s.taken[i] {
			continue
		}
		if now != top { // the gain fell, or the price did, after which there is an offer of it
			if now.cost == top.cost {
				queue.push(now)
			}
			continue
		}
		if !s.fits(i, now.cost) {
			continue // until something that it shares is paid
		}
		s.takeShared(i, &queue)
	}
}

// takeShared chooses a candidate and offers those again whose price it lowers.
func (s *state) takeShared(i int, queue *offers) {
	var cheaper []int
	for _, n := range s.Candidates[i].Needs {
		if !s.paid[n.ID] {
			cheaper = append(cheaper, s.shared[n.ID]...)
		}
	}
	s.take(i)
	for _, j := range cheaper {
		if g := s.gain(j); g > 0 && !s.taken[j] {
			queue.push(offer{j, s.cost(j), g})
		}
	}
}
