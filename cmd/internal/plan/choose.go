package plan

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/coverage"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/scenario"
)

// place is a case: that of a scenario among those chosen, by its place.
type place struct{ scenario, index int }

// market are the cases of a plan as something to choose from.
type market struct {
	problem  coverage.Problem
	cases    []place // of the candidates
	names    []string
	elements []trait // by element
	unpriced []place // cases of a price that is not known
	free     int     // cases that cost nothing
}

// step is how much more an axis counts than the one after it.
const step = 8

// offer makes the cases that cost something candidates, by what they cover on axes.
func (made *Plan) offer(chosen []*scenario.Scenario, axes []Axis, operations guard.Operations, now time.Time) *market {
	m := &market{problem: coverage.Problem{Rooms: map[int]int{}}}
	worth := map[Axis]int64{}
	class := map[Axis]int{}
	for i, n := len(axes)-1, int64(1); i >= 0; i, n = i-1, n*step {
		worth[axes[i]], class[axes[i]] = n, i
	}
	needs, elements := needs{}, map[trait]int{}
	read := &reader{guessed: map[string][]mockapi.Guess{}, now: now}
	operation := func(a scenario.Ask) string { return operationOf(operations, a) }
	for i, s := range chosen {
		price, mode := made.Scenarios[i].Price, made.modeOf(s)
		if most := s.Quota.Max; most != nil {
			m.problem.Rooms[i+1] = most.Value
		}
		for j, c := range price.Cases {
			if len(price.Unpriced) > 0 && made.Scenarios[i].Ceiling == "" {
				if !s.Required {
					m.unpriced = append(m.unpriced, place{i, j})
				}
				continue
			}
			name := fmt.Sprintf("%d/%d", i, j)
			one := coverage.Candidate{Must: s.Required, Group: i + 1, Takes: c.Counted}
			one.Needs = needs.of(name, c, mode)
			for _, t := range read.traits(s, name, c.Asks, operation) {
				value := t.worth * worth[t.axis] * int64(s.Weight)
				t.worth = 0
				id, ok := elements[t]
				if !ok {
					id = len(m.elements)
					elements[t] = id
					m.elements = append(m.elements, t)
				}
				one.Covers = append(one.Covers, coverage.Cover{Element: id, Value: value, Class: class[t.axis]})
			}
			if len(one.Needs) == 0 {
				m.free++
				m.problem.Covered = append(m.problem.Covered, one.Covers...)
				if _, ok := m.problem.Rooms[i+1]; ok {
					m.problem.Rooms[i+1] -= c.Counted
				}
				continue
			}
			m.problem.Candidates = append(m.problem.Candidates, one)
			m.cases, m.names = append(m.cases, place{i, j}), append(m.names, c.Name)
		}
	}
	for group, room := range m.problem.Rooms {
		m.problem.Rooms[group] = max(0, room) // what is free fails by itself
	}
	return m
}

// modeOf is how far a file goes in a run that buys.
func (made *Plan) modeOf(s *scenario.Scenario) guard.Mode {
	if s.Ceiling().Mode == guard.Record.String() {
		return guard.Record
	}
	return made.Mode
}

// needs tells what has to be bought apart, by a name of it.
type needs map[string]int

// of is what a case of that name has to buy, each question once.
func (n needs) of(name string, c scenario.CasePrice, mode guard.Mode) (out []coverage.Need) {
	for _, a := range c.Asks {
		if a.Buys == 0 {
			continue
		}
		key := a.Found.Key
		if key == "" || mode == guard.Live { // nobody shares it
			key = name + " " + a.Step.Label()
		}
		id, ok := n[key]
		if !ok {
			id = len(n)
			n[key] = id
		}
		if !slices.ContainsFunc(out, func(o coverage.Need) bool { return o.ID == id }) {
			out = append(out, coverage.Need{ID: id, Units: a.Buys})
		}
	}
	return out
}

// operationOf is what the price list calls a request.
func operationOf(operations guard.Operations, a scenario.Ask) string {
	u, err := url.Parse("http://sandbox" + a.Target)
	if err != nil {
		return ""
	}
	body, err := json.Marshal(a.Body)
	if err != nil {
		return ""
	}
	price, _ := operations.Price(a.Step.Request.Method, u.EscapedPath(), body)
	return price.Operation
}

// Why a case is left out of a run.
const (
	NotBought = "not bought"
	Unpriced  = "not bought, for its price is not known"
)

// leftOut are the cases that a choice leaves out, and why.
func (m *market) leftOut(c coverage.Choice) map[place]string {
	out := map[place]string{}
	for _, at := range m.cases {
		out[at] = NotBought
	}
	for _, pick := range c.Picks {
		delete(out, m.cases[pick.Index])
	}
	for _, at := range m.unpriced {
		out[at] = Unpriced
	}
	return out
}
