package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/mistyped"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/secret"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// program is one execution of the command, with all it may touch.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookupEnv      func(string) (string, bool)

	config    string // the project file; empty is hsharness.yaml if it is there
	allowance string // empty is the project's
	ledgerURL string // empty is the project's
	mode      string // how far runs may go

	// environ is what commands get of the environment, nil until it was asked for,
	// and withSecrets are the variables that it lacks for it.
	environ, withSecrets []string
	// forget overwrites variables of this program's own environment. Nil where it
	// is not its own.
	forget func(names []string)
	// unhidden says why other processes can read this one's memory, nil where they
	// can't, or the system has no such switch.
	unhidden error
	// hidden finds what may be printed nowhere; see [program.watch].
	hidden atomic.Pointer[secret.Finder]

	// fromEnvironment are the flags that a HSHARNESS_ variable set.
	fromEnvironment map[string]bool

	// ended is over when a signal ended the program.
	ended context.Context
	// reached is told of the steps of what may be interrupted. Nil is nobody.
	reached func(step string)

	format  string
	quiet   bool
	verbose bool
	noColor bool
}

// run executes the command line and returns its exit code.
func (p *program) run(ctx context.Context, args []string) int {
	ctx, stop := process.Interruptible(ctx)
	defer stop()
	p.ended = ctx
	defer p.mask()()
	root := p.rootCommand()
	root.SetArgs(args)
	root.SetIn(p.stdin)
	err := root.ExecuteContext(ctx)

	var decided *exitError
	var failed *session.LedgerError
	var signalled *process.Interrupt
	if !errors.As(err, &decided) && (!errors.As(err, &failed) || errors.Is(err, context.Canceled)) && errors.As(context.Cause(ctx), &signalled) {
		if failed != nil { // what it says of the ledger is of no use: nobody waited
			fmt.Fprintf(p.stderr, "hsharness: %s\n", signalled)
		}
		return signalled.Code()
	}
	exit := exitOf(err)
	if lost := p.printed(); lost != nil && (exit == nil || exit.code == exitOK) {
		exit = &exitError{exitUsage, lost}
	}
	if exit == nil {
		return exitOK
	}
	if exit.err != nil {
		fmt.Fprintf(p.stderr, "hsharness: %s\n", plain.Lines(hint.Text(exit.err)))
	}
	return exit.code
}

// project reads the project file: the one that --config names, or the nearest one in
// the working directory or above it.
func (p *program) project() (*project.Project, error) {
	return process.Unless(p.ended, func() (*project.Project, error) { // a megabyte of rules takes seconds
		if p.config != "" {
			return project.Read(p.config, false, p.getenv)
		}
		file := project.Find()
		return project.Read(cmp.Or(file, project.Name), file == "", p.getenv)
	})
}

// place is where the scenarios of a command are from.
func (p *program) place(cmd *cobra.Command, paths []string) selection.Place {
	from := selection.Place{Config: p.config, Paths: paths}
	switch typed := func(name string) bool { return cmd.Flag(name).Changed && !p.fromEnvironment[name] }; {
	case quota.InCI(p.getenv):
		from.Meant = "CI is set"
	case typed("mode") && p.mode != guard.Offline.String():
		from.Meant = "--mode is " + p.mode
	case p.ledgerURL != "":
		from.Meant = "there is --ledger, or HSHARNESS_LEDGER"
	}
	return from
}

// source says which ledger the command is about.
func (p *program) source(pr *project.Project) ledger.Source {
	return ledger.Source{Project: pr, URL: p.ledgerURL, Allowance: p.allowance, Getenv: p.getenv}
}

// typedLedger is the ledger's address as it may be shown to be typed again: without a
// password, and empty where nobody typed it.
func (p *program) typedLedger(pr *project.Project) string {
	if p.ledgerURL == "" || p.fromEnvironment["ledger"] {
		return ""
	}
	at, err := p.source(pr).Address()
	if err != nil || at.DSN == "" {
		return p.ledgerURL
	}
	return at.Public()
}

// getenv is an environment variable, empty when it is not set.
func (p *program) getenv(name string) string {
	value, _ := p.lookupEnv(name)
	return value
}

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "hsharness",
		Short: "Test against a sandbox that answers only so often, without using it up",
		Long: `hsharness is a quota-aware test harness for an HS classification service whose
sandbox answers only a fixed number of requests, ever.

  hsharness run         run scenarios, offline unless told otherwise
  hsharness init        write a starter that passes at once
  hsharness exec        run any command behind the guard
  hsharness serve       mock services for local development in any language
  hsharness gateway     the guard as a server for a team
  hsharness quota       what is left of the sandbox, and who spent it
  hsharness recordings  what was bought before
  hsharness doctor      what is wrong with the set-up, and how to fix it

Every flag but --max-spend, --allow-exec, --allow, --client and the filters of
quota history has a twin in the environment, such as HSHARNESS_FORMAT for --format.
What is typed wins over the environment, and that over the project file. HSHARNESS_MODE goes up to replay: a
mode that spends has to be typed.

Exit codes: 0 ok · 1 a test failed, or a verification found a difference · 2 the
command line or a file is wrong · 3 a recording is missing · 4 blocked or stopped
by the ledger · 5 the sandbox or the network failed · 6 never allowed: production,
a secret, an operation without a price · 7 the ledger, or the guard around this
process, can't be used · 128+n ended by signal n. Of several, the first of 4, 7,
2, 3, 5, 6, 1 counts. exec passes its command's own code on unless its own is 3
to 7.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: p.prepare,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&p.config, "config", "", "project `file` (default hsharness.yaml, here or in the nearest folder above)")
	flags.StringVar(&p.allowance, "allowance", "", "`name` of the allowance (default the project's)")
	flags.StringVar(&p.ledgerURL, "ledger", "", "`address` of the ledger (default the project's, else "+project.DefaultLedger+")")
	flags.StringVar(&p.mode, "mode", guard.Offline.String(), "how far runs may go, a `mode`: "+strings.Join(guard.ModeNames(), ", "))
	flags.StringVar(&p.format, "format", "text", "output `format`: text or json")
	flags.BoolVar(&p.quiet, "quiet", false, "print only what was asked for and what is wrong")
	flags.BoolVar(&p.verbose, "verbose", false, "print more: the cases of a matrix, the requests behind a failure")
	flags.BoolVar(&p.noColor, "no-color", false, "no colours (also NO_COLOR)")
	typed.Values(flags, "mode", guard.ModeNames()...)
	typed.Values(flags, "format", "text", "json")
	root.AddCommand(
		p.runCommand(), p.execCommand(), p.planCommand(), p.scoreCommand(), p.lintCommand(), p.serveCommand(), p.gatewayCommand(),
		p.initCommand(), p.tokenCommand(), p.schemaCommand(), p.quotaCommand(), p.reportCommand(), p.recordingsCommand(), p.commentCommand(), p.notifyCommand(), p.doctorCommand(), p.versionCommand(),
	)
	typed.Complete(root)
	root.SetOut(p.stdout) // before what explains makes the command that completes, which keeps it
	root.SetErr(p.stderr)
	mistyped.Explain(root)
	return root
}

// notFromEnvironment are the flags without a twin in the environment: what
// spends or lets in has to be typed.
var notFromEnvironment = map[string]bool{"max-spend": true, "allow-exec": true, "allow": true, "client": true, "help": true}

// prepare gives flags that were not typed the value of their HSHARNESS_ twin
// and checks the global ones.
func (p *program) prepare(cmd *cobra.Command, _ []string) error {
	p.fromEnvironment = map[string]bool{}
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || notFromEnvironment[f.Name] || typed.Untwinned(f) {
			return
		}
		name := "HSHARNESS_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := strings.Clone(p.getenv(name)) // its memory may be overwritten, see program.seal
		if value == "" {
			return
		}
		if mode, err := guard.ParseMode(value); f.Name == "mode" && err == nil && mode.Buys() {
			// Inside exec this says how far the guard around us goes; nowhere
			// else may a variable make a run spend.
			if !p.nested() {
				errs = append(errs, hint.TypeMode(value).About(fmt.Errorf("%s=%s", name, value)))
			}
			return
		}
		p.fromEnvironment[f.Name] = true
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	})
	if p.format != "text" && p.format != "json" {
		errs = append(errs, fmt.Errorf("--format %q is neither text nor json", p.format))
	}
	if len(errs) > 0 {
		return usageError(errors.Join(errs...))
	}
	return nil
}

// color tells whether w is a terminal that wants colours.
func (p *program) color(w io.Writer) bool {
	if p.noColor || p.getenv("NO_COLOR") != "" || quota.InCI(p.getenv) || p.getenv("TERM") == "dumb" {
		return false
	}
	f, ok := process.Unmasked(w).(*os.File)
	return ok && process.Terminal(f)
}
