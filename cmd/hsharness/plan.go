package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/harness/guard"
	"github.com/hsharness/hsharness/harness/scenario"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/quota"
)

// plan is what a selection costs, in units, as far as the files tell.
type plan struct {
	Scenarios []plannedScenario `json:"scenarios"`
	Sure      int               `json:"sure"`
	Worst     int               `json:"worst"`
	// Usable is what ordinary runs may still spend; null without a ledger.
	Usable *int64 `json:"usable"`
	// Fits says that the worst case would be admitted now. Without a ledger
	// nothing can be bought, and everything fits.
	Fits bool `json:"fits"`
	// Rules are those that refuse it.
	Rules []string `json:"rules"`
}

type plannedScenario struct {
	File  string `json:"file"`
	Name  string `json:"name"`
	Cases int    `json:"cases"`
	// Recorded is how many requests are answered by recordings.
	Recorded int `json:"recorded"`
	Sure     int `json:"sure"`
	Worst    int `json:"worst"`
	// open says that Worst is no bound.
	open bool
}

func (p *program) planCommand() *cobra.Command {
	var s selection
	cmd := &cobra.Command{
		Use:   "plan [PATH…]",
		Short: "Say what scenarios would cost on the sandbox, without running them",
		Long: `Prices the selection that run would take, from the files alone: no socket is
opened. Sure is what a run costs in which all goes well, worst is the most it
can cost with every retry. Where the project has a ledger it says whether the
worst case would be admitted now, and exits 4 when it would not.`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			chosen, err := s.load(p, paths)
			if err != nil {
				return err
			}
			made, err := p.price(chosen)
			if err != nil {
				return err
			}
			if err := p.fit(cmd.Context(), &made); err != nil {
				return err
			}
			if p.format == "json" {
				err = json.NewEncoder(p.stdout).Encode(made)
			} else {
				p.printPlan(made)
			}
			if err == nil && !made.Fits {
				err = &exitError{code: exitBlocked}
			}
			return err
		},
	}
	s.flags(cmd)
	return cmd
}

// price prices the scenarios by the project's price list.
func (p *program) price(chosen []*scenario.Scenario) (plan, error) {
	proj, err := p.project()
	if err != nil {
		return plan{}, err
	}
	out := plan{Scenarios: []plannedScenario{}, Fits: true, Rules: []string{}}
	for _, s := range chosen {
		vars, _, err := s.ResolveVars(p.lookupEnv)
		if err != nil {
			return plan{}, usageError(err)
		}
		price := s.Price(vars, proj.cost)
		out.Scenarios = append(out.Scenarios, plannedScenario{
			File: s.File, Name: s.Name, Cases: len(price.Cases), Sure: price.Sure, Worst: price.Worst, open: price.Open,
		})
		out.Sure += price.Sure
		out.Worst += price.Worst
	}
	return out, nil
}

// fit asks the project's ledger whether the worst case would be admitted. A
// project without a ledger has nothing to ask. What a day or a total allows is
// known at admission only.
func (p *program) fit(ctx context.Context, made *plan) error {
	proj, err := p.project()
	if err != nil || proj.file == "" {
		return err
	}
	l, err := p.openLedger(ctx, proj)
	if errors.Is(err, quota.ErrNoLedger) {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.Close()
	status, err := l.status(ctx)
	if err != nil {
		return err
	}
	made.Usable = &status.Usable
	spec := quota.RunSpec{
		ID: "plan", Max: int64(made.Worst), Attribution: quota.Attribute(quota.Attribution{}, p.getenv, proj.dir()),
	}
	balances := quota.Balances{Granted: status.Granted, Spent: status.Spent, Held: status.Held, Floor: status.Floor, Exhausted: status.Exhausted}
	unused := func(quota.Match, time.Time) (int64, error) { return 0, nil }
	blocked, err := quota.Admit(spec, proj.Budgets, time.Now(), balances, unused)
	if err != nil || blocked == nil {
		return err
	}
	made.Fits = false
	for _, r := range blocked.Refusals {
		made.Rules = append(made.Rules, r.String())
	}
	return nil
}

// cost asks the project's price list. Only the sandbox has an allowance.
func (p *project) cost(env avalara.Environment, _ avalara.API, method, path string, body any) (int, bool) {
	if env != avalara.Sandbox {
		return 0, true
	}
	data, err := json.Marshal(body)
	if err != nil {
		return 0, false
	}
	path, _, _ = strings.Cut(path, "?")
	price, err := append(slices.Clone(p.Operations), guard.BuiltinOperations()...).Price(method, path, data)
	return price.Units, err == nil
}

func (p *program) printPlan(made plan) {
	for _, s := range made.Scenarios {
		worst := fmt.Sprintf("worst %d", s.Worst)
		if s.open {
			worst = "worst unknown: set quota.max"
		}
		fmt.Fprintf(p.stdout, "%-58s %3d cases  sure %d  %s  (%s)\n", s.Name, s.Cases, s.Sure, worst, s.File)
	}
	fmt.Fprintf(p.stdout, "\nall of %d scenarios: sure %d, worst %d units\n", len(made.Scenarios), made.Sure, made.Worst)
	switch {
	case made.Usable == nil:
		fmt.Fprintln(p.stdout, "offline this costs nothing; no ledger (hsharness quota init --granted N)")
	case made.Fits:
		fmt.Fprintf(p.stdout, "fits: %d usable; run it with --mode live --max-spend %d\n", *made.Usable, made.Worst)
	default:
		fmt.Fprintf(p.stdout, "blocked: %d usable, refused by %s\n", *made.Usable, strings.Join(made.Rules, ", "))
	}
}
