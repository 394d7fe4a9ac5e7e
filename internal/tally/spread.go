package tally

import (
	"cmp"
	"slices"

	"github.com/hsharness/hsharness/quota"
)

// Bands is how many times a [Spread] tells apart.
const Bands = 5

// BandDays are how many days, with today, the bands reach back: each has what the ones
// before it have not. The last one, which has no number here, is all that is older.
func BandDays() [Bands - 1]int64 { return [...]int64{1, 7, 30, 90} }

// Sums is what a group comes to in a band, as a table has it. Units but for Runs.
type Sums struct{ Runs, Spent, Wasted, Refunded, Again int64 }

// Add counts what other sums have, too.
func (s *Sums) Add(o Sums) {
	s.Runs += o.Runs
	s.Spent += o.Spent
	s.Wasted += o.Wasted
	s.Refunded += o.Refunded
	s.Again += o.Again
}

// Cell is what a group comes to in one suite: all cells of a group are the group.
type Cell struct {
	Name, Suite string
	Bands       [Bands]Sums
	// Lately and Before are those of the [quota.Group].
	Lately, Before int64
}

// Spread is how what groups spent from [quota.Statement.Since] on is spread over suites
// and time, so that a reader can choose without the ledger. The cells of each list are
// in the order of their names, then of their suites.
type Spread struct {
	Suites, Branches, Actors, Keys, Operations, Tests []Cell
	// Blocked has the rules and suites of [quota.Statement.Blocked].
	Blocked []Refusals
	// Early is what happened on the day of Since before Since, by suite: the days of a
	// statement are whole ones.
	Early map[string]quota.Day
}

// Refusals are those of a rule and a suite in each band: how often, and what was asked for.
type Refusals struct {
	Rule   string
	Budget int
	Suite  string
	Times  [Bands]int64
	Units  [Bands]int64
}

// Spread is that of the latest statement. It reads nothing, so it is of the same moment;
// that of no journal is zero.
func (j *Journal) Spread() Spread {
	if j == nil {
		return Spread{}
	}
	s := &spreading{sums: newSums(j.last.since, j.last.now), early: map[string]quota.Day{}, tests: map[[2]int32]*Cell{}, operations: map[[2]int32]*Cell{}}
	s.begin(j, j.last.runs)
	s.byRun, s.suites = make([]Cell, len(s.runs)), make([]int32, len(s.runs))
	for n, r := range s.runs {
		s.suites[n] = s.names.number([]byte(r.info.Suite))
	}
	for _, spends := range [][]spent{j.spends, j.last.tail.spends} {
		for i := range spends {
			s.spend(&spends[i])
		}
	}
	var spread Spread
	suites, branches, actors, keys := cells{}, cells{}, cells{}, cells{}
	for _, r := range s.order {
		cell := s.ofRun(r)
		a := r.info.Attribution
		suites.of(a.Suite, a.Suite).Merge(cell)
		branches.of(a.Branch, a.Suite).Merge(cell)
		actors.of(a.Actor, a.Suite).Merge(cell)
		if a.Event == eventGateway {
			keys.of(a.Actor, a.Suite).Merge(cell)
		}
	}
	spread.Suites, spread.Branches, spread.Actors, spread.Keys = suites.list(), branches.list(), actors.list(), keys.list()
	spread.Tests, spread.Operations = s.named(s.tests, j.tests.all), s.named(s.operations, j.operations.all)
	spread.Blocked, spread.Early = s.refusals(j), s.early
	return spread
}

// spreading makes a [Spread].
type spreading struct {
	*sums
	names             words   // of suites
	suites            []int32 // that of each run, by its number
	byRun             []Cell
	tests, operations map[[2]int32]*Cell // by their number and that of the suite
	early             map[string]quota.Day
}

// band is that of a time.
func (s *spreading) band(at int64) int {
	ago := s.dayOf(s.until) - s.dayOf(at)
	for band, days := range BandDays() {
		if ago < days {
			return band
		}
	}
	return Bands - 1
}

// spend takes the next spend.
func (s *spreading) spend(u *spent) {
	var t quota.Tally
	u.add(&t)
	suite := s.suites[u.run]
	for _, c := range [...]*Cell{&s.byRun[u.run], numbered(s.tests, u.test, suite), numbered(s.operations, u.operation, suite)} {
		switch {
		case u.at >= s.from:
			c.Lately += t.Spent
		case u.at >= s.earlier:
			c.Before += t.Spent
		}
		if u.at >= s.since {
			c.Bands[s.band(u.at)].Add(Sums{Spent: t.Spent, Wasted: t.Wasted(), Refunded: t.Refunded, Again: t.Again})
		}
	}
	if s.isEarly(u.at) {
		s.onEarly(s.names.all[suite], func(d *quota.Day) { Add(&d.Tally, &t) })
	}
}

// isEarly is on the day of Since, before it.
func (s *spreading) isEarly(at int64) bool {
	return at < s.since && !s.s.Since.IsZero() && s.dayOf(at) == s.dayOf(s.since)
}

func (s *spreading) onEarly(suite string, change func(*quota.Day)) {
	d := s.early[suite]
	change(&d)
	s.early[suite] = d
}

// ofRun is what a run comes to.
func (s *spreading) ofRun(r *tallyRun) *Cell {
	cell := Cell{}
	if n, ok := s.words.runs.numbers[r.info.ID]; ok {
		cell = s.byRun[n]
	}
	begun := r.info.Begun.UnixMicro()
	if !r.info.Begun.Before(s.s.Since) {
		cell.Bands[s.band(begun)].Runs++
	}
	if c := r.info.Counters; s.isEarly(begun) {
		s.onEarly(r.info.Suite, func(d *quota.Day) { d.Replayed, d.Saved = d.Replayed+c.Replayed, d.Saved+c.WouldSpend })
	}
	return &cell
}

// refusals are those of each rule and suite.
func (s *spreading) refusals(j *Journal) (all []Refusals) {
	of := map[refusal]int{}
	for _, entries := range [][]quota.Entry{j.rest, j.last.tail.rest} {
		for _, e := range entries {
			if e.Kind != quota.KindBlock {
				continue
			}
			at, spec := e.Time.UnixMicro(), quota.RunSpec{}
			if e.Spec != nil {
				spec = *e.Spec
			}
			if s.isEarly(at) {
				s.onEarly(spec.Suite, func(d *quota.Day) { d.Blocked++ })
			}
			for _, r := range e.Refusals {
				if at < s.since {
					continue
				}
				by := refusal{rule: r.Rule, budget: r.Budget, suite: spec.Suite}
				n, ok := of[by]
				if !ok {
					n = len(all)
					of[by] = n
					all = append(all, Refusals{Rule: r.Rule, Budget: r.Budget, Suite: spec.Suite})
				}
				all[n].Times[s.band(at)]++
				all[n].Units[s.band(at)] += spec.Max
			}
		}
	}
	return all
}

// cells are those of one list, by name and suite.
type cells map[[2]string]*Cell

func (c cells) of(name, suite string) *Cell {
	key := [2]string{name, suite}
	cell := c[key]
	if cell == nil {
		cell = &Cell{Name: name, Suite: suite}
		c[key] = cell
	}
	return cell
}

func (c cells) list() []Cell {
	all := make([]Cell, 0, len(c))
	for _, cell := range c {
		all = append(all, *cell)
	}
	return inOrderOfNames(all)
}

// Merge counts what another cell comes to, too.
func (c *Cell) Merge(o *Cell) {
	for band := range c.Bands {
		c.Bands[band].Add(o.Bands[band])
	}
	c.Lately += o.Lately
	c.Before += o.Before
}

func numbered(all map[[2]int32]*Cell, name, suite int32) *Cell {
	key := [2]int32{name, suite}
	cell := all[key]
	if cell == nil {
		cell = &Cell{}
		all[key] = cell
	}
	return cell
}

// named gives numbered cells their names.
func (s *spreading) named(of map[[2]int32]*Cell, names []string) []Cell {
	all := make([]Cell, 0, len(of))
	for key, cell := range of {
		cell.Name, cell.Suite = names[key[0]], s.names.all[key[1]]
		all = append(all, *cell)
	}
	return inOrderOfNames(all)
}

// inOrderOfNames has the cells that come to anything.
func inOrderOfNames(all []Cell) []Cell {
	all = slices.DeleteFunc(all, func(c Cell) bool { return c == Cell{Name: c.Name, Suite: c.Suite} })
	slices.SortFunc(all, func(a, b Cell) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Suite, b.Suite)) })
	return all
}
