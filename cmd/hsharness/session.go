package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/intercept"
	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/sealed"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/secret"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// meterFlags are what commands that may spend take besides the global flags.
type meterFlags struct {
	maxSpend int64 // 0 where it was not typed
	suite    string
	bill     string // the file for it, where there is one
	own      []string
	grace    time.Duration
	maxWait  time.Duration // for a turn at the project's rate; 0 is any
	withhold bool          // what is bought waits to be accepted
	onMiss   string
	test     string                                        // names what no client names
	buy      func(proj *project.Project, units int) string // the command that buys what was missed
	gate     *plan.Gate                                    // of a run whose price is known
	seal     sealed.Flags
	place    *sealed.Place // nil where the command is in none
	alone    bool          // the run starts no command

	intercept intercept.Flags
}

// metered is one run of a command, with what the command has to do with it.
type metered struct {
	*session.Session
	program *program
	project *project.Project
	buy     func(proj *project.Project, units int) string
	own     names.List
	secrets []recording.Secret // that recordings must not hold
	proxy   *intercept.Proxy   // nil where the command's clients are not intercepted
	close   func()
}

// openSession decides the mode and, where it may spend, begins a run: from here
// on the units are held. further are limits besides the general ones.
func (p *program) openSession(ctx context.Context, f meterFlags, further ...guard.Limit) (*metered, error) {
	if err := output.Check(f.report()); err != nil {
		return nil, err
	}
	proj, err := p.project()
	if err != nil {
		return nil, err
	}
	own, err := p.own(proj, f)
	if err != nil {
		return nil, err
	}
	typed, err := p.typedLimit()
	if err != nil {
		return nil, err
	}
	log, closeLog, err := p.openLog(false)
	if err != nil {
		return nil, err
	}
	s := &metered{program: p, project: proj, own: own, buy: f.buy}
	var before func(context.Context, guard.Mode, int64, session.Ledger) (int64, error)
	if f.gate != nil {
		f.gate.Project, f.gate.LookupEnv = proj, p.lookup(proj)
		f.gate.Who = quota.Attribute(quota.Attribution{Suite: f.suite}, p.getenv, proj.Dir())
		before = f.gate.Before
	}
	s.Session, err = session.Open(ctx, session.Config{
		Project: proj, Getenv: p.getenv, Limits: append([]guard.Limit{typed}, further...), Max: f.maxSpend, Suite: f.suite, Grace: f.grace, Withhold: f.withhold, OnMiss: f.onMiss, MaxWait: f.maxWait, Waits: output.Waiting(p.watched()),
		Sealed: f.alone || f.seal.How != "", Before: before, Ledger: p.sessionLedger(proj), Look: p.source(proj).Look,
		Credential: func() (_ guard.Credential, secrets []recording.Secret, err error) {
			var credential guard.Credential
			credential, s.secrets, err = p.realCredential(proj)
			return credential, s.secrets, err
		},
		Log: log, Mocks: services.Config{Advise: hint.For, Listen: f.place.Opener(), Test: f.test},
		Warn: p.warn,
	})
	if err != nil {
		_ = closeLog()
		return nil, err
	}
	if s.Learned != nil && s.Limit.Mode == guard.Offline && !p.quiet {
		fmt.Fprintf(p.stderr, "hsharness: the mock API's shapes are %s\n", s.Learned)
	}
	s.close = func() {
		s.Close()
		_ = closeLog() // what is missing in it then is not known to anybody
	}
	p.seal(proj) // from here on this program's own environment has no secret either
	if log != nil {
		log.Info("run", "run", s.ID, "mode", s.Limit.Mode.String(), "mode_limited_by", s.Limit.By, "max_spend", s.Max)
	}
	return s, nil
}

// warn tells what a command goes on without.
func (p *program) warn(format string, args ...any) {
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			args[i] = hint.Text(err)
		}
	}
	fmt.Fprintln(p.stderr, plain.Lines(fmt.Sprintf("hsharness: "+format, args...)))
}

// End is that of the session, with how to buy what the mock answered for.
func (s *metered) End(ctx context.Context, bill *report.Bill) error {
	if bill.UnboughtUnits > 0 && s.buy != nil {
		bill.Buy = s.buy(s.project, bill.UnboughtUnits) + session.Where(s.project, s.program.getenv, guard.Record)
	}
	return s.Session.End(ctx, bill)
}

// sessionLedger opens the project's ledger for a session.
func (p *program) sessionLedger(proj *project.Project) func(context.Context) (session.Ledger, error) {
	return func(ctx context.Context) (session.Ledger, error) {
		l, err := p.source(proj).Open(ctx)
		if err != nil {
			return nil, err
		}
		return l, nil
	}
}

// realCredential is the account's, and what nothing that is kept may hold. It is an
// error where other processes can read this one's memory and need not.
func (p *program) realCredential(proj *project.Project) (guard.Credential, []recording.Secret, error) {
	credential, err := p.credential(proj)
	if err == nil && p.unhidden != nil {
		err = p.unhidden
	}
	return credential, secret.Searchable(secret.Secret{Name: process.ClientSecretName, Value: string(credential.ClientSecret)}), err
}

// typedLimit is what --mode says.
func (p *program) typedLimit() (guard.Limit, error) {
	mode, err := guard.ParseMode(p.mode)
	if err != nil {
		return guard.Limit{}, usageError(fmt.Errorf("--mode: %w", err))
	}
	return guard.Limit{Mode: mode, By: "--mode"}, nil
}

// nested tells whether this process runs inside the guard of an exec. Then
// that guard meters, and nothing here may choose how.
func (p *program) nested() bool { return services.Nested(p.getenv) }

// environ is the environment of a command behind services.
func (s *metered) environ(st *services.Local) ([]string, error) {
	vars, err := st.Environ(avalara.Sandbox)
	if err != nil {
		return nil, err
	}
	return append(s.inherited(), s.own.With(vars)...), nil
}

// inherited is what a command gets of this program's own environment, and the
// id by which it knows that it runs behind a guard.
func (s *metered) inherited() []string {
	return append(s.program.commandEnviron(s.project), "HSHARNESS_RUN_ID="+s.ID)
}
