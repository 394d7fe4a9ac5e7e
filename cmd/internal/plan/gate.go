package plan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/coverage"
	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// Gate keeps a run that can't pass from beginning: one that has to buy more than it may.
type Gate struct {
	Config
	// Chosen is what the run runs, and Who on whose behalf.
	Chosen []*scenario.Scenario
	Who    quota.Attribution
	// Partial lets a run begin that can't buy all: it buys what fits.
	Partial bool
	// Plan is what the run buys, nil for all.
	Plan *Followed

	least int64             // of the run that asked last
	left  map[place]string  // why a case is left out
	names map[string]string // the same, by name
}

// Before is [session.Config.Before]: it asks what the run buys at least in a mode, before
// anything is held.
func (g *Gate) Before(ctx context.Context, mode guard.Mode, most int64, from session.Ledger) (int64, error) {
	cfg := g.Config
	cfg.Mode = mode
	made, err := Price(cfg, g.Chosen)
	if err != nil {
		return 0, err
	}
	g.least = int64(made.Least)
	if made.NoHost != nil && g.Plan == nil {
		return 0, made.NoHost
	}
	if g.Partial {
		return g.part(ctx, made, most, from)
	}
	if g.Plan != nil {
		return g.follow(cfg, made, most)
	}
	if g.least == 0 {
		return most, nil
	}
	if err := Capped(made, g.Chosen); err != nil {
		return 0, err
	}
	if g.least <= most {
		return most, nil
	}
	dear := &DearError{Least: g.least, Most: most, Lets: g.least}
	if l, ok := from.(*ledger.Ledger); ok {
		if dear.Lets, err = lets(ctx, l, g.Who, g.least); err != nil {
			return 0, err
		}
	}
	return 0, dear
}

// part chooses what a run buys of what it would: what fits into the amount, or less where
// the ledger lets it have less.
func (g *Gate) part(ctx context.Context, made Plan, most int64, from session.Ledger) (int64, error) {
	fits := most
	if l, ok := from.(*ledger.Ledger); ok {
		var err error
		if fits, err = lets(ctx, l, g.Who, most); err != nil {
			return 0, err
		}
	}
	axes, err := ParseAxes("")
	if err != nil {
		return 0, err
	}
	m := made.offer(g.Chosen, axes, Operations(g.Project), time.Now())
	choice := coverage.Choose(m.problem, int(fits))
	if choice.Missing > 0 {
		return 0, &DearError{Least: fits + int64(choice.Missing), Most: fits, Lets: fits, Required: true}
	}
	g.left = m.leftOut(choice)
	g.least = 0 // what is left is not what it has to buy
	return fits, nil
}

// follow lets a run begin that buys what a plan says, if the world is the same.
func (g *Gate) follow(cfg Config, made Plan, most int64) (int64, error) {
	if err := g.Plan.current(cfg, made, g.Chosen); err != nil {
		return 0, err
	}
	bought := func(file string, c scenario.CasePrice) bool { return g.Plan.buys(file, c.Name) }
	if unknown := made.noHost(g.Project, g.Chosen, bought); unknown != nil {
		return 0, unknown
	}
	g.names = g.Plan.leftOut(g.Chosen)
	for i, s := range g.Chosen {
		for _, c := range made.Scenarios[i].Price.Cases {
			if alone(c) > 0 && !g.Plan.buys(s.File, c.Name) {
				g.names[named(i, c.Name)] = NotBought
			}
		}
	}
	g.least = int64(g.Plan.Price)
	if g.least > most {
		return 0, &DearError{Least: g.least, Most: most, Lets: g.least}
	}
	return most, nil
}

// Replayed tells a partial run that buys nothing what it leaves out: what is not recorded,
// unless it is required.
func (g *Gate) Replayed(mode guard.Mode) error {
	if !g.Partial || mode != guard.Replay {
		return nil
	}
	made, err := Price(g.Config, g.Chosen) // as one that records
	if err != nil {
		return err
	}
	g.left = map[place]string{}
	for i, s := range g.Chosen {
		for j, c := range made.Scenarios[i].Price.Cases {
			if alone(c) > 0 && !s.Required {
				g.left[place{i, j}] = NotBought
			}
		}
	}
	return nil
}

// Skip is [scenario.Runner.Skip] of a run that the gate let through.
func (g *Gate) Skip(scenario int, c scenario.Case) string {
	switch {
	case g.names != nil:
	case g.Plan != nil:
		g.names = g.Plan.leftOut(g.Chosen)
	default:
		g.names = map[string]string{}
		for at, why := range g.left {
			g.names[named(at.scenario, g.Chosen[at.scenario].Cases()[at.index].Name)] = why
		}
	}
	return g.names[named(scenario, c.Name)]
}

// named is a case by the place of its scenario and its name.
func named(scenario int, name string) string { return fmt.Sprintf("%d/%s", scenario, name) }

// Within refuses a run inside of another one, for the maximum of a file or of its client:
// what these count is known here, while what is recorded may be known there alone. Nil is
// no maximum.
func (g *Gate) Within(mode guard.Mode, most *int) error {
	if !mode.Buys() {
		return nil
	}
	cfg := g.Config
	cfg.Mode = mode
	made, err := Price(cfg, g.Chosen)
	if err != nil {
		return err
	}
	counted := 0
	for _, s := range made.Scenarios {
		counted += s.Price.Counted
	}
	switch {
	case made.Least == 0:
		return nil
	case most == nil || counted <= *most:
		return Capped(made, g.Chosen)
	}
	return &DearError{Least: int64(counted), Most: int64(*most), Client: true}
}

// Explain adds what the run costs to a refusal of the ledger, whose advice may else be an
// amount that is too small.
func (g *Gate) Explain(err error) error {
	var blocked *quota.BlockedError
	if errors.As(err, &blocked) {
		return hint.Least(err, g.least)
	}
	return err
}

// Capped refuses the first file whose own maximum is too small for it.
func Capped(made Plan, chosen []*scenario.Scenario) error {
	for i, s := range chosen {
		if most := s.Quota.Max; most != nil && made.Scenarios[i].Price.Counted > most.Value {
			return &CapError{File: s.File, At: most.Pos, Least: made.Scenarios[i].Price.Counted, Max: most.Value}
		}
	}
	return nil
}

// DearError refuses a run before it begins: it can't pass with what it may spend. Figures
// are units.
type DearError struct {
	// Least is what the run buys at least, Most what it may spend, and Lets what the
	// ledger lets it have of Least.
	Least, Most, Lets int64
	// Client says that Most is the maximum of a client, against which Least counts,
	// recorded or not.
	Client bool
	// Required says that Least is what cases need which can't be left out.
	Required bool
}

// Error has the numbers.
func (e *DearError) Error() string {
	text := fmt.Sprintf("blocked: the run buys %d units at least, and may spend %d: nothing was begun, and nothing sent", e.Least, e.Most)
	switch {
	case e.Required:
		return fmt.Sprintf("blocked: the cases that are required cost %d units or more, and %d fit: nothing was begun, and nothing sent", e.Least, e.Most)
	case e.Client:
		return fmt.Sprintf("blocked: the run costs %d units at least, recorded or not, and its client may use %d: nothing was sent", e.Least, e.Most)
	case e.Lets < e.Least:
		text += fmt.Sprintf("\n  the ledger lets it have %d", e.Lets)
	}
	return text
}

// Advice is what fits.
func (e *DearError) Advice() hint.Advice {
	switch {
	case e.Client:
		return hint.ClientMax
	case e.Required:
		return hint.Required
	}
	return hint.Afford(e.Least, e.Lets)
}

// Is reports a match with [quota.ErrBlocked].
func (e *DearError) Is(target error) bool { return target == quota.ErrBlocked }

// CapError refuses a run with a file whose quota.max is less than the file costs. Figures
// are units.
type CapError struct {
	File       string
	At         scenario.Pos
	Least, Max int
}

// Error has the place and the numbers.
func (e *CapError) Error() string {
	return fmt.Sprintf("%s:%d:%d: blocked: the file costs %d units at least, and quota.max is %d: nothing was begun, and nothing sent", e.File, e.At.Line, e.At.Column, e.Least, e.Max)
}

// Advice is what to change.
func (e *CapError) Advice() hint.Advice { return hint.RaiseCap(e.File, e.Least) }

// Is reports a match with [quota.ErrBlocked].
func (e *CapError) Is(target error) bool { return target == quota.ErrBlocked }

// lets is how much of so many units the ledger would let a run have now.
func lets(ctx context.Context, l *ledger.Ledger, who quota.Attribution, units int64) (int64, error) {
	blocked, _, err := admit(ctx, l, who, units)
	if err != nil || blocked == nil {
		return units, err
	}
	for _, r := range blocked.Refusals {
		units = min(units, r.Limit-r.Used)
	}
	return max(0, units), nil
}

// admit asks a ledger whether so many units would be admitted now.
func admit(ctx context.Context, l *ledger.Ledger, who quota.Attribution, units int64) (*quota.BlockedError, quota.Status, error) {
	status, err := l.Status(ctx)
	if err != nil {
		return nil, status, err
	}
	spec := quota.RunSpec{ID: "plan", Max: units, Attribution: who}
	balances := quota.Balances{Granted: status.Granted, Spent: status.Spent, Held: status.Held, Floor: status.Floor, Exhausted: status.Exhausted, Bar: status.Bar}
	used := func(m quota.Match, since time.Time) (int64, error) { return l.Used(ctx, m, since, status.ActiveRuns) }
	blocked, err := quota.Admit(spec, l.Project.Budgets, time.Now(), balances, used)
	return blocked, status, session.Failed(err)
}
