package coverage

import (
	"fmt"
	"slices"
)

// bundled is a problem in which candidates with the same needs are one: who pays for one
// of them has all. Members are what each is made of.
func bundled(p Problem) (out Problem, members [][]int) {
	out = Problem{Covered: p.Covered, Rooms: p.Rooms}
	at := make(map[string]int, len(p.Candidates))
	var name []byte
	for i, c := range p.Candidates {
		group := 0
		if _, bounded := p.Rooms[c.Group]; bounded {
			group = c.Group + 1
		}
		name = fmt.Appendf(name[:0], "%d", group)
		for _, n := range c.Needs {
			name = fmt.Appendf(name, " %d", n.ID)
		}
		j, ok := at[string(name)]
		if !ok || group > 0 { // what has a room is left alone: not all may fit into it
			at[string(name)] = len(out.Candidates)
			out.Candidates, members = append(out.Candidates, c), append(members, []int{i})
			continue
		}
		with := &out.Candidates[j]
		with.Must = with.Must || c.Must
		with.Covers = union(with.Covers, c.Covers)
		members[j] = append(members[j], i)
	}
	return out, members
}

// union are the covers of both, each element once.
func union(a, b []Cover) []Cover {
	out := slices.Clone(a)
	for _, c := range b {
		i := slices.IndexFunc(out, func(o Cover) bool { return o.Element == c.Element })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i].Value = max(out[i].Value, c.Value)
	}
	return out
}

// unbundled are the picks of the members, in the place of those of their bundles.
func unbundled(p Problem, picks []Pick, members [][]int) []Pick {
	s := newState(newIndex(p), 0)
	for _, pick := range picks {
		for _, i := range members[pick.Index] {
			s.take(i)
		}
	}
	return s.picks
}
