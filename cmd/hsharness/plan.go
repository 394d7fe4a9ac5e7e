package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) planCommand() *cobra.Command {
	var s selection.Selection
	var suite string
	var f plan.Options
	cmd := &cobra.Command{
		Use:   "plan [PATH…] | plan --compare OLD NEW",
		Short: "Say what scenarios would buy from the sandbox, without running them",
		Long: `Prices the selection that run would take, from the files and the recordings: no
socket is opened, but to a ledger in PostgreSQL. Expected is what the requests
cost at the price list, recorded how many of them need not be bought, sure what
a run buys in which all goes well, and worst the most it can buy: every retry,
and for each scope of a token one request more, the dearest, which is sent again
once in a run if the sandbox refuses that token. It prices a run with --mode
record, which buys what is missing, or with --mode live, which buys everything. Where the project has a ledger it says
whether the worst case would be admitted now, and exits 4 when it would not.

With --units it says what to buy with so many units: the cases that add the most to
what is covered, and what each adds. Nothing is asked for that: a recording says its
heading, and where there is none the mock guesses it. --out keeps the plan in a file,
which run --plan follows, and --compare says how two such files differ.`,
		Example: `  hsharness plan
  hsharness plan --mode live --tags smoke
  hsharness plan scenarios/classify.yaml --format json
  hsharness plan --units 100 --by country,heading --out plan.json
  hsharness plan --compare old.json plan.json`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			if f.Compare {
				return p.comparePlans(f, paths)
			}
			axes, err := f.Axes(cmd.Flags())
			if err != nil {
				return usageError(err)
			}
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
			cfg := plan.Config{Project: proj, Mode: mode.Mode, Shipped: from.Shipped(), LookupEnv: p.lookup(proj)}
			made, err := plan.Price(cfg, chosen)
			if err != nil {
				return err
			}
			if f.Units > 0 {
				bought, err := plan.Spend(cfg, made, chosen, f.Units, axes)
				if err != nil {
					return err
				}
				words := append([]string{"hsharness", "plan"}, typed.Again(cmd.Flags(), p.fromEnvironment)...)
				bought.Again = hint.Line(append(words, paths...)...)
				p.note(from.Note())
				return p.writePurchase(cmd.Context(), proj, suite, f, bought)
			}
			if err := p.fit(cmd.Context(), proj, suite, &made); err != nil {
				return err
			}
			p.note(from.Note())
			if p.format == "json" {
				err = json.NewEncoder(p.stdout).Encode(made)
			} else {
				err = output.Print(p.stdout, made.Print)
			}
			if err == nil && !made.Fits {
				err = &exitError{code: exitBlocked}
			}
			return err
		},
	}
	s.Flags(cmd)
	f.Flags(cmd)
	cmd.Flags().StringVar(&suite, "suite", "", "`name` of the suite that budgets may match (default: the CI job, else the folder)")
	return cmd
}

// writePurchase prints what to buy and whether the ledger lets it, and keeps it.
func (p *program) writePurchase(ctx context.Context, proj *project.Project, suite string, f plan.Options, bought *plan.Purchase) error {
	to := p.besides(f.Out == output.Stdout)
	var err error
	if p.format == "json" {
		err = plan.Write(to, bought)
	} else {
		err = output.Print(to, bought.Print)
	}
	if err == nil && f.Out != "" {
		err = p.writeTo(f.Out, os.O_TRUNC, func(w io.Writer) error { return plan.Write(w, bought) })
	}
	if err != nil {
		return err
	}
	l, err := p.source(proj).OpenToRead(ctx)
	if proj.File == "" || errors.Is(err, quota.ErrNoLedger) {
		l, err = nil, nil
	}
	if err != nil {
		return err
	}
	if l != nil {
		defer l.Close()
	}
	lets, err := bought.Lets(ctx, l, f.Out, quota.Attribute(quota.Attribution{Suite: suite}, p.getenv, proj.Dir()))
	if err == nil && p.format != "json" {
		_, err = fmt.Fprintln(to, lets)
	}
	return err
}

// comparePlans says in what two plan files differ.
func (p *program) comparePlans(f plan.Options, paths []string) error {
	c, err := f.Compared(paths)
	switch {
	case err != nil:
		return usageError(err)
	case p.format == "json":
		return json.NewEncoder(p.stdout).Encode(c)
	}
	return output.Print(p.stdout, c.Print)
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
