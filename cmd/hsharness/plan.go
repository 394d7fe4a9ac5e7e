package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/quota"
)

// plan is what a selection buys, in units, as far as files and recordings tell.
type plan struct {
	Scenarios []plannedScenario `json:"scenarios"`
	Sure      int               `json:"sure"`
	Worst     int               `json:"worst"`
	// Again is how many metered requests are asked again: what came before is kept
	// and is no answer.
	Again int `json:"again,omitempty"`
	// Usable is what ordinary runs may still spend; null without a ledger.
	Usable *int64 `json:"usable"`
	// Fits says that the worst case would be admitted now. Without a ledger
	// nothing can be bought, and everything fits.
	Fits bool `json:"fits"`
	// Rules are those that refuse it.
	Rules []string `json:"rules"`

	mode    guard.Mode // record or live
	shipped bool       // and so offline
}

type plannedScenario struct {
	File  string `json:"file"`
	Name  string `json:"name"`
	Cases int    `json:"cases"`
	// Recorded is how many metered requests are answered by recordings.
	Recorded int `json:"recorded"`
	Sure     int `json:"sure"`
	Worst    int `json:"worst"`
	// Again is how many of those that are bought were asked before, without an
	// answer.
	Again int `json:"again,omitempty"`

	price   scenario.Price
	ceiling string // why it buys nothing, or ""
}

func (p *program) planCommand() *cobra.Command {
	var s selection.Selection
	var suite string
	cmd := &cobra.Command{
		Use:   "plan [PATH…]",
		Short: "Say what scenarios would buy from the sandbox, without running them",
		Long: `Prices the selection that run would take, from the files and the recordings: no
socket is opened, but to a ledger in PostgreSQL. Expected is what the requests
cost at the price list, recorded how many of them need not be bought, sure what
a run buys in which all goes well, and worst the most it can buy: every retry,
and for each scope of a token one request more, the dearest, which is sent again
once in a run if the sandbox refuses that token. It prices a run with --mode
record, which buys what is missing, or with --mode live, which buys everything. Where the project has a ledger it says
whether the worst case would be admitted now, and exits 4 when it would not.`,
		Example: `  hsharness plan
  hsharness plan --mode live --tags smoke
  hsharness plan scenarios/classify.yaml --format json`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			chosen, err := s.Load(p.config, paths)
			if err != nil {
				return err
			}
			made, err := p.price(chosen, selection.Shipped(p.config, paths))
			if err != nil {
				return err
			}
			if err := p.fit(cmd.Context(), suite, &made); err != nil {
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
	s.Flags(cmd)
	cmd.Flags().StringVar(&suite, "suite", "", "`name` of the suite that budgets may match (default: the CI job, else the folder)")
	return cmd
}

// price prices the scenarios by the project's price list and recordings, as one
// run.
func (p *program) price(chosen []*scenario.Scenario, shipped bool) (plan, error) {
	proj, err := p.project()
	if err != nil {
		return plan{}, err
	}
	mode, err := guard.ParseMode(p.mode)
	if err != nil {
		return plan{}, usageError(fmt.Errorf("--mode: %w", err))
	}
	mode = max(mode, guard.Record) // the others buy nothing, and need no plan
	store, err := proj.OpenRecordings()
	if err != nil {
		return plan{}, usageError(err)
	}
	pricer := scenario.Pricer{Cost: costOf(proj), Mode: mode, Tape: guard.NewTape(store, 0)}
	if shipped {
		pricer.Mode = guard.Offline
	}
	out := plan{Scenarios: []plannedScenario{}, Fits: true, Rules: []string{}, mode: mode, shipped: shipped}
	for _, s := range chosen {
		vars, _, err := s.ResolveVars(p.lookup(proj))
		if err != nil {
			return plan{}, usageError(err)
		}
		price, err := pricer.Price(s, vars)
		if err != nil {
			return plan{}, usageError(err)
		}
		one := plannedScenario{
			File: s.File, Name: s.Name, Cases: len(price.Cases), Recorded: price.Recorded, Sure: price.Sure, Worst: price.Worst, Again: price.Again, price: price,
		}
		if c := s.Ceiling(); c.Mode == guard.Offline.String() || c.Mode == guard.Replay.String() {
			one.ceiling = fmt.Sprintf("%s at most: %s", c.Mode, c.Why)
		}
		out.Scenarios = append(out.Scenarios, one)
		out.Sure += price.Sure
		out.Again += price.Again
	}
	out.Worst = pricer.Worst()
	return out, nil
}

// fit asks the project's ledger whether the worst case would be admitted now. A
// project without a ledger has nothing to ask.
func (p *program) fit(ctx context.Context, suite string, made *plan) error {
	proj, err := p.project()
	if err != nil || proj.File == "" {
		return err
	}
	l, err := p.source(proj).OpenToRead(ctx)
	if errors.Is(err, quota.ErrNoLedger) {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.Close()
	status, err := l.Status(ctx)
	if err != nil {
		return err
	}
	made.Usable = &status.Usable
	spec := quota.RunSpec{
		ID: "plan", Max: int64(made.Worst), Attribution: quota.Attribute(quota.Attribution{Suite: suite}, p.getenv, proj.Dir()),
	}
	balances := quota.Balances{Granted: status.Granted, Spent: status.Spent, Held: status.Held, Floor: status.Floor, Exhausted: status.Exhausted, Bar: status.Bar}
	used := func(m quota.Match, since time.Time) (int64, error) { return l.Used(ctx, m, since, status.ActiveRuns) }
	blocked, err := quota.Admit(spec, proj.Budgets, time.Now(), balances, used)
	if err != nil {
		return ledgerError(err)
	}
	if blocked == nil {
		return nil
	}
	made.Fits = false
	for _, r := range blocked.Refusals {
		made.Rules = append(made.Rules, r.String())
	}
	return nil
}

// costOf asks the project's price list. Only the sandbox has an allowance.
func costOf(pr *project.Project) scenario.Cost {
	prices := append(slices.Clone(pr.Operations), guard.BuiltinOperations()...)
	return func(env avalara.Environment, _ avalara.API, method, path string, body any) (int, bool) {
		if env != avalara.Sandbox {
			return 0, true
		}
		data, err := json.Marshal(body)
		if err != nil {
			return 0, false
		}
		u, err := url.Parse("http://sandbox" + path) // as the guard will read it
		if err != nil {
			return 0, false
		}
		price, err := prices.Price(method, u.EscapedPath(), data)
		return price.Units, err == nil
	}
}
