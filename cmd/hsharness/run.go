package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ending"
	"github.com/hsharness/hsharness/cmd/internal/nested"
	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/quota"
)

// runFlags are what run takes besides the global flags.
type runFlags struct {
	selection.Selection
	meterFlags
	jobs      int
	failFast  bool
	partial   bool
	plan      string
	allowExec bool
	seed      uint64
	output.Run
}

func (p *program) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [PATH…]",
		Short: "Run scenarios",
		Long: `Runs the scenario files given, or those under the folders given; without any,
those in scenarios/ beside the nearest hsharness.yaml or, without one, in this folder;
where there is neither, those that hsharness ships, to look around, as the first line
says. In CI, with --mode or --ledger and where a ledger or recordings lie, a project is
meant: then a folder without one is exit code 2. Offline, which is the default, everything happens on this
machine; with --mode replay, too, from recordings. With --mode record or live
and an amount the run's units are held first, and a run that does not fit is
blocked before it sends anything.

Folders of the files that it writes are made, and a file that can't be written is
known before anything is sent. The file - is standard output; what is printed goes
to stderr then. A file that is lost at the end costs neither the others nor the exit
code of what failed; where nothing did, it is 2.`,
		Example: `  hsharness run
  hsharness run scenarios/classify.yaml --verbose
  hsharness run --tags "smoke and not slow" --shard 1/3 --junit junit.xml
  hsharness run --mode live --max-spend 5 scenarios/classify.yaml
  hsharness run --mode replay --baseline main.json --tolerance 1%`,
		RunE: func(cmd *cobra.Command, paths []string) error { return p.runScenarios(cmd, f, paths) },
	}
	f.Selection.Flags(cmd)
	f.flags(cmd)
	f.missFlag(cmd)
	typed.Number(cmd.Flags(), &f.jobs, "jobs", 1, math.MaxInt32, "run `N` cases at the same time")
	cmd.Flags().Lookup("jobs").DefValue = "two for each CPU, one where it may buy" // as help says it, on every machine alike
	cmd.Flags().BoolVar(&f.failFast, "fail-fast", false, "stop after the first case that fails")
	cmd.Flags().StringVar(&f.plan, "plan", "", "run what this `file` of plan --out says, and buy exactly that")
	cmd.Flags().BoolVar(&f.partial, "partial", false, "buy what fits, and leave out the rest: what adds the most first, as plan --units would")
	cmd.Flags().BoolVar(&f.allowExec, "allow-exec", false, "let exec steps run their commands on this machine")
	typed.Number(cmd.Flags(), &f.seed, "seed", 0, math.MaxInt64, "shuffle the cases by this `number`; the same number gives the same order, 0 the order of the files")
	f.Run.Flags(cmd)
	return cmd
}

func (p *program) runScenarios(cmd *cobra.Command, f runFlags, paths []string) error {
	defer process.KeepPipes()()
	follow, err := plan.Follow(f.plan, cmd.Flags(), paths)
	if err != nil {
		return err
	}
	from := p.place(cmd, follow.Paths(paths))
	chosen, err := f.Load(from)
	err = follow.Same(chosen, err)
	if err == nil {
		err = output.Check(f.Reports(p.getenv)...)
	}
	var baseline *report.Baseline
	if err == nil {
		baseline, err = output.Baseline(f.Baseline, f.Tolerance, scenario.Scored(chosen))
	}
	if err != nil {
		return err
	}
	runner := &scenario.Runner{
		Advise: hint.For, Baseline: baseline,
		Jobs: f.jobs, Seed: f.seed, FailFast: f.failFast, AllowExec: f.allowExec, Progress: p.progress(),
	}
	var result report.Run
	shipped := from.Shipped() // once: it reads the folder
	f.gate = &plan.Gate{Config: plan.Config{Shipped: shipped}, Chosen: chosen, Partial: f.partial, Plan: follow}
	runner.Skip = f.gate.Skip
	if p.nested() {
		if f.partial {
			return usageError(hint.Outside.About(errors.New("--partial needs a run of its own")))
		}
		result, err = p.runNested(cmd, f.meterFlags, runner, chosen, shipped)
	} else {
		var further []guard.Limit
		if shipped {
			further = append(further, guard.Limit{Mode: guard.Offline, By: "the shipped scenarios"})
		}
		f.buy = func(proj *project.Project, units int) string { return p.runAgain(cmd, proj, units, paths) }
		f.alone = !slices.ContainsFunc(chosen, (*scenario.Scenario).Starts)
		result, err = p.runMetered(cmd.Context(), f.meterFlags, runner, chosen, further...)
		err = p.sealable(cmd, f.meterFlags, f.gate.Explain(err), paths)
	}
	if err != nil {
		return err
	}
	var signalled *process.Interrupt
	if errors.As(context.Cause(cmd.Context()), &signalled) {
		result.Bill.Exit, result.Bill.Reason = signalled.Code(), signalled.Error()
		if result.Bill.Verdict == ending.Verdict(exitOK) { // of a part of what was to be run
			result.Bill.Verdict = ending.Verdict(exitFailed)
		}
	}
	bill := result.Bill
	same := append(hint.Flags("--config", p.config, "--ledger", p.typedLedger(&project.Project{})), typed.Spending(cmd.Flags(), p.fromEnvironment)...)
	if f.HTML != "" && bill.Left != nil {
		result.Allowance = p.stands(context.WithoutCancel(cmd.Context()))
	}
	if p.nested() {
		bill.Mode = guard.Offline.String() // the run around it says it
	}
	for i, s := range chosen {
		choice := []string{s.File}
		if shipped {
			choice = []string{"--filter", s.Name}
		}
		if result.Scenarios[i].Verdict.Failed() {
			result.Scenarios[i].Again = ending.Again(bill, append(choice, same...)...)
		}
	}
	return p.writeRun(result, f.Run, from.Note())
}

// runMetered runs the scenarios in a session of their own.
func (p *program) runMetered(ctx context.Context, f meterFlags, runner *scenario.Runner, chosen []*scenario.Scenario, further ...guard.Limit) (report.Run, error) {
	s, err := p.openSession(ctx, f, further...)
	if err != nil {
		return report.Run{}, err
	}
	defer s.close()
	runner.Jobs = cmp.Or(runner.Jobs, scenario.Jobs(s.Limit.Mode))
	runner.Environ, runner.Own, runner.LookupEnv = s.inherited(), s.own, p.lookup(s.project)
	runner.Schedules = s.Schedules()
	runner.NewServices = func(needs scenario.Needs) (services.Service, error) { return s.Services(needs.Ceiling, needs.Cap) }
	if err := f.gate.Replayed(s.Limit.Mode); err != nil {
		return report.Run{}, err
	}
	result := ran(ctx, runner, chosen)
	if exit := exitOf(s.End(ctx, &result.Bill)); exit != nil {
		ending.Worse(&result.Bill, exit.code, exit)
	}
	return result, nil
}

// runAgain is the command that runs the same, and buys what it misses.
func (p *program) runAgain(cmd *cobra.Command, proj *project.Project, units int, paths []string) string {
	words := []string{"hsharness", "run", "--mode", guard.Record.String(), "--max-spend", fmt.Sprint(units)}
	words = append(words, typed.Again(cmd.Flags(), p.fromEnvironment, "mode", "max-spend", "on-miss", "ledger")...)
	return hint.Line(slices.Concat(words, hint.Flags("--ledger", p.typedLedger(proj)), paths)...)
}

// sealable adds the command that does the same in a seal.
func (p *program) sealable(cmd *cobra.Command, f meterFlags, err error, paths []string) error {
	proj, projErr := p.project()
	if projErr != nil {
		return err
	}
	again := typed.Again(cmd.Flags(), p.fromEnvironment, "mode", "max-spend", "max-wait", "ledger", "allowance", "suite")
	return hint.Sealable(err, p.same(proj, f), slices.Concat([]string{"hsharness", "run"}, again, paths)...)
}

// runNested runs the scenarios as a client of the exec around this process.
func (p *program) runNested(cmd *cobra.Command, f meterFlags, runner *scenario.Runner, chosen []*scenario.Scenario, shipped bool) (report.Run, error) {
	rules, err := nested.Rules(cmd.Flags(), p.fromEnvironment)
	if err != nil {
		return report.Run{}, err
	}
	if shipped {
		rules.Mode = new(guard.Mode) // offline
	}
	proj, err := p.project()
	if err != nil {
		return report.Run{}, err
	}
	if runner.Own, err = p.own(proj, f); err != nil {
		return report.Run{}, err
	}
	p.seal(proj)
	rules.Sealed = proj.Policy.MustSeal()
	nested := &scenario.Nested{Getenv: p.getenv, Rules: rules}
	client, err := nested.Join()
	if err != nil {
		return report.Run{}, joinError(err)
	}
	f.gate.Project, f.gate.LookupEnv = proj, p.lookup(proj)
	if err := f.gate.Within(client.Mode(), rules.Max); err != nil {
		return report.Run{}, errors.Join(err, nested.Close())
	}
	runner.Jobs = cmp.Or(runner.Jobs, scenario.Jobs(client.Mode()))
	runner.Environ, runner.LookupEnv, runner.NewServices = p.commandEnviron(proj), p.lookup(proj), nested.NewServices
	if runner.Schedules, err = proj.OpenSchedules(nil); err != nil {
		return report.Run{}, err
	}
	result := ran(cmd.Context(), runner, chosen)
	ending.Within(&result.Bill, p.getenv("HSHARNESS_RUN_ID"), client.Mode(), client.Max())
	result.Bill.By(time.Now().Add(-result.Elapsed), quota.Attribute(quota.Attribution{Suite: f.suite}, p.getenv, proj.Dir()))
	return result, nested.Close()
}

// watched is the terminal where a person watches, nil without one.
func (p *program) watched() io.Writer {
	f, ok := process.Unmasked(p.stderr).(*os.File)
	if !ok || p.quiet || quota.InCI(p.getenv) || !process.Terminal(f) {
		return nil
	}
	return f
}

// progress shows how far the run is where a person watches.
func (p *program) progress() func(done, all int) {
	f := p.watched()
	if f == nil {
		return nil
	}
	return func(done, all int) {
		fmt.Fprintf(f, "\r%d of %d cases", done, all)
		if done == all {
			fmt.Fprint(f, "\r\x1b[K")
		}
	}
}

// ran runs the scenarios and says by its exit code what came of it.
func ran(ctx context.Context, runner *scenario.Runner, chosen []*scenario.Scenario) report.Run {
	result := runner.Run(ctx, chosen)
	b := &result.Bill
	ending.Judge(b, guard.Verdict(b.Refusal), b.Reason)
	if b.Exit == exitOK && result.Failed() > 0 {
		b.Exit, b.Verdict = exitFailed, ending.Verdict(exitFailed)
	}
	return result
}
