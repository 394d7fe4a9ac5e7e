package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

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
			from := p.place(cmd, paths)
			chosen, err := s.Load(from)
			if err != nil {
				return err
			}
			proj, err := p.project()
			if err != nil {
				return err
			}
			mode, err := p.typedLimit()
			if err != nil {
				return err
			}
			made, err := plan.Price(plan.Config{
				Project: proj, Mode: mode.Mode, Shipped: from.Shipped(), LookupEnv: p.lookup(proj),
			}, chosen)
			if err != nil {
				return err
			}
			if err := p.fit(cmd.Context(), proj, suite, &made); err != nil {
				return err
			}
			p.note(from.Note())
			if p.format == "json" {
				err = json.NewEncoder(p.stdout).Encode(made)
			} else {
				made.Print(p.stdout)
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

// fit asks the project's ledger whether the worst case would be admitted now. A
// project without a ledger has nothing to ask.
func (p *program) fit(ctx context.Context, proj *project.Project, suite string, made *plan.Plan) error {
	if proj.File == "" {
		return nil
	}
	l, err := p.source(proj).OpenToRead(ctx)
	if errors.Is(err, quota.ErrNoLedger) {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.Close()
	return made.Fit(ctx, l, quota.Attribute(quota.Attribution{Suite: suite}, p.getenv, proj.Dir()))
}
