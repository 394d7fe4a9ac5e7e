package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/coverage"
	"github.com/hsharness/hsharness/internal/scenario"
)

// Purchase is what to buy with so many units. It is what a plan file holds.
type Purchase struct {
	// Format is 1.
	Format int `json:"format"`
	// Again is the command that makes the plan anew.
	Again string `json:"again"`
	// Mode is record or live, Units what there is to spend, and By the axes in the order
	// in which they count.
	Mode  string `json:"mode"`
	Units int    `json:"units"`
	By    []Axis `json:"by"`
	// Price is what Buy costs if all goes well, in units, and OfBest how much of the best
	// choice it covers at least, in per cent.
	Price  int `json:"price"`
	OfBest int `json:"of_best_percent"`
	// Covers are figures of the axes.
	Covers []Covered `json:"covers"`
	// Free counts the cases that cost nothing, and run in any case.
	Free int `json:"free"`
	// Buy are the cases to buy, the first first, and Left those that are left out.
	Buy  []Bought `json:"buy"`
	Left []Left   `json:"left_out"`
	// Files are what the plan was made of, and Prices a digest of the price list.
	Files  []Source `json:"files"`
	Prices string   `json:"prices_sha256"`
}

// Covered says of an axis how much of it is covered: Before anything is bought, New by
// what is, out of All that there is.
type Covered struct {
	Axis   Axis `json:"axis"`
	Before int  `json:"before"`
	New    int  `json:"new"`
	All    int  `json:"all"`
}

// Bought is a case to buy.
type Bought struct {
	File string `json:"file"`
	Case string `json:"case"`
	// Units is what it adds to the price: 0 where an earlier one asks the same.
	Units int `json:"units"`
	// New is what it covers anew, such as heading 6109.
	New []string `json:"new"`
}

// Left is a case that is left out.
type Left struct {
	File  string `json:"file"`
	Case  string `json:"case"`
	Units int    `json:"units"`
	Why   string `json:"why"`
}

// Source is a scenario file that a plan was made of, with a digest of it and its data, and
// one of what its cases ask and what is recorded of that.
type Source struct {
	File       string `json:"file"`
	SHA256     string `json:"sha256"`
	Recordings string `json:"recordings_sha256"`
}

// Spend chooses what to buy of a plan with so many units.
func Spend(cfg Config, made Plan, chosen []*scenario.Scenario, units int, axes []Axis) (*Purchase, error) {
	m := made.offer(chosen, axes, Operations(cfg.Project), time.Now())
	choice := coverage.Choose(m.problem, units)
	if choice.Missing > 0 {
		return nil, &DearError{Least: int64(units + choice.Missing), Most: int64(units), Lets: int64(units), Required: true}
	}
	out := &Purchase{
		Format: 1, Mode: made.Mode.String(), Units: units, By: axes, Price: choice.Units, OfBest: 100, Free: m.free,
		Covers: []Covered{}, Buy: []Bought{}, Left: []Left{}, Files: []Source{},
	}
	if choice.Bound > 0 {
		out.OfBest = int(100 * choice.Value / choice.Bound)
	}
	m.buy(out, choice, chosen)
	// A run that follows the plan would be refused for the same.
	follows := Followed{Purchase: *out}
	if unknown := made.noHost(cfg.Project, chosen, func(file string, c scenario.CasePrice) bool { return follows.buys(file, c.Name) }); unknown != nil {
		return nil, unknown
	}
	left := m.leftOut(choice)
	for i, s := range chosen {
		for j, c := range made.Scenarios[i].Price.Cases {
			if why, ok := left[place{i, j}]; ok {
				out.Left = append(out.Left, Left{File: s.File, Case: c.Name, Units: alone(c), Why: why})
			}
		}
	}
	var err error
	if out.Files, err = sources(made, chosen); err != nil {
		return nil, err
	}
	out.Prices, err = pricesOf(cfg)
	return out, err
}

// alone is what a case costs if nothing else is bought.
func alone(c scenario.CasePrice) int {
	sum := 0
	for _, a := range c.Asks {
		sum += a.Buys
	}
	return sum
}

// buy tells the picks, and what each covers that nothing before it did.
func (m *market) buy(out *Purchase, choice coverage.Choice, chosen []*scenario.Scenario) {
	covered := make([]bool, len(m.elements))
	counts := map[Axis]*Covered{}
	for _, a := range out.By {
		counts[a] = &Covered{Axis: a}
	}
	for _, t := range m.elements {
		counts[t.axis].All++
	}
	for _, c := range m.problem.Covered {
		if !covered[c.Element] {
			covered[c.Element] = true
			counts[m.elements[c.Element].axis].Before++
		}
	}
	for _, pick := range choice.Picks {
		at := m.cases[pick.Index]
		s := chosen[at.scenario]
		one := Bought{File: s.File, Case: m.names[pick.Index], Units: pick.Units, New: []string{}}
		for _, c := range m.problem.Candidates[pick.Index].Covers {
			if covered[c.Element] {
				continue
			}
			covered[c.Element] = true
			t := m.elements[c.Element]
			counts[t.axis].New++
			if t.axis != Age && t.axis != Weight {
				one.New = append(one.New, string(t.axis)+" "+t.name)
			}
		}
		out.Buy = append(out.Buy, one)
	}
	for _, a := range out.By {
		if a != Age && a != Weight { // of each case by itself
			out.Covers = append(out.Covers, *counts[a])
		}
	}
}

// sources are the digests of what a plan is made of.
func sources(made Plan, chosen []*scenario.Scenario) ([]Source, error) {
	out := []Source{}
	for i, s := range chosen {
		of, err := s.Digest()
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		enc := json.NewEncoder(sum)
		for _, c := range made.Scenarios[i].Price.Cases {
			for _, a := range c.Asks {
				seen := []any{a.Found.Key, a.Found.Again, nil}
				if a.Found.Answer != nil {
					seen[2] = a.Found.Answer.RecordedAt
				}
				if err := enc.Encode(seen); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, Source{File: s.File, SHA256: of, Recordings: hex.EncodeToString(sum.Sum(nil))})
	}
	return out, nil
}

// pricesOf is a digest of the price list.
func pricesOf(cfg Config) (string, error) {
	data, err := json.Marshal(Operations(cfg.Project))
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

// ChangedError refuses a plan that is of another world than this one.
type ChangedError struct {
	// Plan is its file, What says what is not as it was, and Again makes it anew.
	Plan, What, Again string
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s was made before this: %s", e.Plan, e.What)
}
