package coverage

import "fmt"

// bundled is a problem in which candidates with the same needs are one: who pays for one
// of them has all. Members are what each is made of.
func bundled(p Problem) (out Problem, members [][]int) {
	out = Problem{Covered: p.Covered, Rooms: p.Rooms}
	at := make(map[string]int, len(p.Candidates))
	covers := map[int]map[int]int{} // by bundle of several, where each element is among its covers
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
		if covers[j] == nil {
			covers[j] = map[int]int{}
			with.Covers = union(nil, with.Covers, covers[j])
		}
		with.Covers = union(with.Covers, c.Covers, covers[j])
		members[j] = append(members[j], i)
	}
	return out, members
}

// union adds covers to others, each element once, and notes where it is.
func union(to, covers []Cover, places map[int]int) []Cover {
	for _, c := range covers {
		i, there := places[c.Element]
		if !there {
			places[c.Element] = len(to)
			to = append(to, c)
			continue
		}
		to[i].Value = max(to[i].Value, c.Value)
	}
	return to
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
