package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ending"
	"github.com/hsharness/hsharness/cmd/internal/nested"
	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/sealed"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) execCommand() *cobra.Command {
	var f meterFlags
	cmd := &cobra.Command{
		Use:   "exec [flags] -- CMD [ARG…]",
		Short: "Run any command behind the guard",
		Long: `Runs a command with the URLs and credentials of this machine's mock identity
service and of the guard in its environment, and passes its exit code on. The
command finds them in HSHARNESS_TOKEN_URL, HSHARNESS_API_URL,
HSHARNESS_LEGACY_API_URL, HSHARNESS_MANAGED_API_URL, HSHARNESS_CLIENT_ID and
HSHARNESS_CLIENT_SECRET, the same in every mode, and by the names that it reads
itself where --env or exec.env of the project file say so.

Offline, the mock API answers. With --mode replay, recordings do, and a request
without one fails or, with --on-miss mock, is answered by the mock API, marked in
verdict and bill. With --mode record and an amount, what is missing is bought
from the real sandbox once and recorded; with --mode live everything is. The
units are held before the command starts, each one is written down before its
request is sent, and the bill comes at the end, on stderr or, for --bill -, on
standard output.

With --sealed (Linux) nothing but the guard can be reached, and it answers at the
real URLs: for programs that have them built in. --intercept helps where there are
no seals.`,
		Example: `  hsharness exec -- go test ./...
  hsharness exec --mode record --max-spend 5 -- npm test
  hsharness exec --mode replay -- npm test
  hsharness exec --sealed --mode replay -- npm test
  hsharness exec --env TOKEN_URL='{token_url}' --env API_URL='{api_url}' -- npm test`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer process.KeepPipes()()
			if err := f.seal.CheckCommand(args[0]); err != nil {
				return err
			}
			if p.nested() {
				return p.execNested(cmd, f, args)
			}
			return p.exec(cmd.Context(), f, args)
		},
	}
	cmd.Flags().SetInterspersed(false)
	f.flags(cmd)
	f.seal.Add(cmd.Flags())
	f.intercept.Add(cmd.Flags())
	cmd.Flags().StringArrayVar(&f.own, "env", nil, "set a variable by the name that the command reads: `NAME=TEXT`, with placeholders such as {token_url} (repeatable)")
	f.billFlag(cmd)
	f.missFlag(cmd)
	return cmd
}

func (f *meterFlags) billFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.bill, "bill", "", "write the bill to this `file` as JSON, instead of a line to stderr")
}

func (f *meterFlags) missFlag(cmd *cobra.Command) {
	typed.Text(cmd.Flags(), &f.onMiss, "on-miss", guard.CheckMiss, "what a replay does with what was never bought: `fail or mock` (default the project's, else fail)")
	typed.Values(cmd.Flags(), "on-miss", "fail", "mock")
}

// report is the bill as a report.
func (f *meterFlags) report() output.Report[report.Bill] {
	return output.Report[report.Bill]{Flag: "--bill", To: f.bill, Begins: []string{`{"run":`}, Write: func(w io.Writer, bill report.Bill) error { return json.NewEncoder(w).Encode(bill) }}
}

func (f *meterFlags) flags(cmd *cobra.Command) {
	typed.Number(cmd.Flags(), &f.maxSpend, "max-spend", 1, quota.MaxUnits, "spend at most `N` units of the sandbox's allowance")
	typed.Span(cmd.Flags(), &f.grace, "grace", session.DefaultGrace, "after a signal, wait at most this `time` for answers that are paid for and for the ledger")
	typed.MaxWait(cmd.Flags(), &f.maxWait)
	cmd.Flags().StringVar(&f.suite, "suite", "", "`name` of the suite in the ledger (default: the CI job, else the folder)")
}

// same are the flags without which another command would spend otherwise.
func (p *program) same(proj *project.Project, f meterFlags) []string {
	return hint.Flags("--config", p.config, "--allowance", p.allowance, "--ledger", p.typedLedger(proj), "--suite", f.suite, "--max-wait", typed.SpanText(f.maxWait))
}

// exec runs a command behind a guard of its own.
func (p *program) exec(ctx context.Context, f meterFlags, args []string) error {
	proj, err := p.project()
	if err != nil {
		return err
	}
	flags := p.same(proj, f)
	f.buy = func(_ *project.Project, units int) string {
		return hint.Buy(units, slices.Concat(flags, f.seal.Words()), args...)
	}
	f.test = guard.CommandTest(args)
	proxy, err := f.intercept.Open(p.project, p.getenv, f.seal.How != "")
	if err != nil { // before anything is held
		return err
	}
	defer func() { _ = proxy.Close() }() // the command is gone then
	if f.place, err = f.seal.Open(p.project, p.getenv, p.command()); err != nil {
		return err
	}
	defer func() { _ = f.place.Close() }() // and this too
	s, err := p.openSession(ctx, f)
	if err != nil {
		return hint.Sealable(hint.Priced(err, hint.Flags("--config", p.config), args...), flags, args...)
	}
	defer s.close()
	s.proxy = proxy
	bill, exit, err := s.command(ctx, f.place, args)
	if exit == nil {
		return err
	}
	if bill.MissedUnits > 0 && bill.Verdict == ending.Verdict(exitMissing) && !p.quiet {
		fmt.Fprintf(p.stderr, "hsharness: buy what is missing%s: %s\n", session.Where(s.project, p.getenv, guard.Record), f.buy(s.project, bill.MissedUnits))
	}
	return p.after(exit, p.writeBill(f, bill), err) // also with code 0: the command's own code counts, whatever signals came
}

// command runs a command behind the session's guard, and ends the session's run
// with it. The exit is what the command and the guard say together; it is nil
// when there was no bill, and so nothing else, because it could not be started.
func (s *metered) command(ctx context.Context, place *sealed.Place, args []string) (report.Bill, *exitError, error) {
	st, err := s.Services(s.Limit.Mode, nil)
	if err != nil {
		return report.Bill{}, nil, err
	}
	environ, err := s.environ(st)
	run := s.program.command()
	if err == nil && place != nil {
		run.Inside, environ, err = place, place.Environ(environ), place.Serve(st)
	}
	if err == nil && s.proxy != nil {
		environ, err = s.proxy.Environ(environ), s.proxy.Serve(st)
	}
	if err != nil {
		return report.Bill{}, nil, errors.Join(err, st.Close())
	}
	code, runErr := run.Run(args, environ)

	// From here on nothing the command left behind can reach the sandbox.
	closeErr := errors.Join(st.Close(), s.proxy.Close())
	tally, tallyErr := st.Tally()
	bill := ending.Tallied(tally)
	s.proxy.Fill(&bill)
	endErr := s.End(ctx, &bill)

	exit := s.program.settle(&bill, st, place, s.project, code, runErr, exitOf(endErr))
	return bill, exit, errors.Join(closeErr, tallyErr)
}

// settle puts the end of a command and what its guard refused into the bill, and
// returns what they say together, with how the ledger ended the run, or nil.
func (p *program) settle(bill *report.Bill, s services.Service, place *sealed.Place, proj *project.Project, code int, runErr error, ended *exitError) *exitError {
	outcome, err := s.Outcome()
	ended = cmp.Or(ended, exitOf(joinError(err)))
	ending.Judge(bill, outcome.Verdict, outcome.Reason)
	place.Fill(bill)
	if ended != nil {
		ending.Worse(bill, ended.code, ended)
	}
	code, err = ending.Command{Code: code, Err: runErr, MustAsk: proj.Policy.MustAsk()}.Settle(bill)
	notes := place.Notes()
	if unasked := ending.UnaskedIn(bill.Seal); bill.Reason == unasked {
		notes = append(notes, unasked)
	}
	for _, note := range notes {
		if !p.quiet {
			fmt.Fprintf(p.stderr, "hsharness: %s\n", note)
		}
	}
	return &exitError{code, err}
}

// writeBill writes the bill where it was asked for, or a line to stderr.
func (p *program) writeBill(f meterFlags, bill report.Bill) error {
	err := output.Write(bill, p.writeTo, f.report())
	if (f.bill == "" || err != nil) && !p.quiet {
		fmt.Fprintf(p.stderr, "hsharness: %s\n", bill.Line())
	}
	return err
}

// execNested runs a command as a client of the exec around this process: the
// run is that one's, the rules are the tighter of both.
func (p *program) execNested(cmd *cobra.Command, f meterFlags, args []string) error {
	rules, err := nested.Rules(cmd.Flags(), p.fromEnvironment)
	if err == nil {
		err = cmp.Or(f.seal.Within(cmd.Flags(), p.fromEnvironment, p.getenv), f.intercept.Within(cmd.Flags(), p.fromEnvironment))
	}
	if err == nil {
		err = output.Check(f.report())
	}
	if err != nil {
		return err
	}
	proj, err := p.project()
	if err != nil {
		return err
	}
	own, err := p.own(proj, f)
	if err != nil {
		return err
	}
	rules.Sealed = proj.Policy.MustSeal()
	client, err := services.Join(p.getenv, rules)
	if err != nil {
		return joinError(err)
	}
	environ, err := client.Environ(avalara.Sandbox)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	p.seal(proj)
	code, runErr := p.command().Run(args, append(p.commandEnviron(proj), own.With(environ)...))
	tally, tallyErr := client.Tally()
	bill := ending.Tallied(tally)
	ending.Within(&bill, p.getenv("HSHARNESS_RUN_ID"), client.Mode(), client.Max())
	exit := p.settle(&bill, client, nil, proj, code, runErr, exitOf(joinError(tallyErr)))
	if f.bill == "" { // the line of the exec around counts these requests too
		return p.after(exit, client.Close())
	}
	return p.after(exit, client.Close(), p.writeBill(f, bill))
}

// joinError is why there is no client, or none any more, by its flag where there is one.
func joinError(err error) error {
	var rule *services.RuleError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, services.ErrGuardGone):
		return &exitError{exitLedger, err}
	case errors.As(err, &rule) && rule.Field == "sealed":
		return &exitError{exitPolicy, hint.SealAround.About(fmt.Errorf("policy.sealed is required, but %s", rule.Detail))}
	case errors.As(err, &rule):
		flag := map[string]string{"mode": "--mode", "max": "--max-spend", "on_miss": "--on-miss"}[rule.Field]
		return usageError(fmt.Errorf("%s: %s", cmp.Or(flag, rule.Field), rule.Detail))
	case isReal(err):
		return err
	}
	return &exitError{exitLedger, err}
}

// command is how this program runs another on its own standard files.
func (p *program) command() process.Command {
	return process.Command{Stdin: p.stdin, Stdout: process.Unmasked(p.stdout), Stderr: process.Unmasked(p.stderr), Ended: p.ended}
}
