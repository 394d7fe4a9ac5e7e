package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/secret"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// meterFlags are what commands that may spend take besides the global flags.
type meterFlags struct {
	maxSpend int64
	given    bool // maxSpend was typed
	suite    string
}

// session is one run of run or exec: how far it may go, and the ledger's run
// behind it if it may spend.
type session struct {
	program *program
	project *project.Project
	limit   guard.Limit
	id      string
	max     int64

	ledger   *ledger.Ledger
	run      *quota.Run
	tape     *guard.Tape
	purchase *guard.Purchase
	keys     map[avalara.Environment]*mockidp.Keys
	client   mockidp.Client
	// credential is the account's, empty in a run that does not buy; secrets are
	// what recordings must not hold.
	credential guard.Credential
	secrets    []recording.Secret

	log      *slog.Logger // of the guard's requests; may be nil
	closeLog func() error
}

// openSession decides the mode and, where it may spend, begins a run: from here
// on the units are held. further are limits besides the general ones.
func (p *program) openSession(ctx context.Context, f meterFlags, further ...guard.Limit) (*session, error) {
	proj, err := p.project()
	if err != nil {
		return nil, err
	}
	s := &session{program: p, project: proj}
	upstream, upstreamErr := proj.Upstream()
	if upstreamErr != nil && proj.UnsetURLs() == nil {
		return nil, upstreamErr
	}
	if s.limit, err = p.limit(proj, upstream, further); err != nil {
		return nil, usageError(err)
	}
	var credentialErr error
	if s.limit.Mode.Buys() {
		if upstreamErr != nil { // a run that does not buy needs none of the URLs
			return nil, upstreamErr
		}
		s.credential, credentialErr = p.credential(proj)
		s.secrets = secret.Searchable(secret.Secret{Name: clientSecretName, Value: string(s.credential.ClientSecret)})
	}
	s.keys = services.NewKeys(s.limit.Mode)
	if s.id, err = newID(); err != nil {
		return nil, err
	}
	if s.limit.Mode != guard.Offline {
		store, err := proj.OpenRecordings(s.secrets...)
		if err != nil {
			return nil, usageError(err)
		}
		s.tape = guard.NewTape(store, proj.MaxAge())
		if s.client, err = dummyClient(); err != nil {
			return nil, err
		}
	}
	if s.log, s.closeLog, err = p.openLog(); err != nil {
		return nil, err
	}
	switch {
	case s.limit.Mode.Buys():
		err = s.begin(ctx, f, upstream, credentialErr)
		if errors.Is(err, quota.ErrBlocked) && s.limit.Mode == guard.Record && proj.Policy.OnBlocked == guard.Replay.String() {
			fmt.Fprintf(p.stderr, "hsharness: %s\nhsharness: policy.on_blocked is replay: going on without buying\n", err)
			s.ledger.Close()
			s.ledger, s.run, s.max = nil, nil, 0
			s.limit = guard.Limit{Mode: guard.Replay, By: "policy.on_blocked"}
			err = nil
		}
	case s.limit.Mode == guard.Replay:
		s.beginReplay(ctx, f)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	p.seal(proj) // from here on this program's own environment has no secret either
	s.logRun()
	return s, nil
}

// beginReplay writes a run that buys nothing into the project's ledger, for its
// reports. A ledger that is not there, or does not answer at once, is done
// without: a replay needs none.
func (s *session) beginReplay(ctx context.Context, f meterFlags) {
	if s.project.File == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	l, err := s.program.source(s.project).Open(ctx)
	if err != nil {
		return
	}
	s.ledger = l
	if l.Ready(ctx) != nil {
		return
	}
	if run, err := l.Client.Begin(ctx, s.spec(f), nil); err == nil {
		s.run = run
	}
}

// spec is the run as the ledger writes it down.
func (s *session) spec(f meterFlags) quota.RunSpec {
	return quota.RunSpec{
		ID: s.id, Mode: s.limit.Mode.String(), Max: s.max,
		Attribution: quota.Attribute(quota.Attribution{Suite: f.suite}, s.program.getenv, s.project.Dir()),
		Process:     quota.ThisProcess(),
	}
}

// limit is the lowest of all that say how far a run may go.
func (p *program) limit(proj *project.Project, upstream guard.Upstream, further []guard.Limit) (guard.Limit, error) {
	mode, err := guard.ParseMode(p.mode)
	if err != nil {
		return guard.Limit{}, fmt.Errorf("--mode: %w", err)
	}
	limits := append([]guard.Limit{{Mode: mode, By: "--mode"}}, further...)
	add := func(by, name string) error {
		if name == "" {
			return nil
		}
		m, err := guard.ParseMode(name)
		if err != nil {
			return fmt.Errorf("%s: %w", by, err)
		}
		limits = append(limits, guard.Limit{Mode: m, By: by})
		return nil
	}
	errs := []error{add("policy.mode", proj.Policy.Mode), add("HSHARNESS_MAX_MODE", p.getenv("HSHARNESS_MAX_MODE"))}
	if p.getenv("CI") != "" && !upstream.AllLoopback() {
		who := quota.Attribute(quota.Attribution{}, p.getenv, proj.Dir())
		errs = append(errs, add("policy.ci", proj.Policy.CI.Mode(who.Event, who.Branch)))
	}
	return guard.Lowest(limits...), errors.Join(errs...)
}

// begin asks the ledger for the run's units.
func (s *session) begin(ctx context.Context, f meterFlags, upstream guard.Upstream, credentialErr error) error {
	s.max = f.maxSpend
	if !f.given {
		s.max = s.project.PerRun
	}
	switch {
	case s.project.File == "":
		return usageError(fmt.Errorf("--mode %s needs a project file: write hsharness.yaml with version: 1 and environments.sandbox", s.limit.Mode))
	case s.max <= 0:
		return usageError(fmt.Errorf("--mode %s needs an amount: repeat with --max-spend N, or set per_run in %s", s.limit.Mode, s.project.File))
	}
	var err error
	if s.ledger, err = s.program.source(s.project).Open(ctx); err != nil {
		return err
	}
	if err := s.ledger.Ready(ctx); err != nil {
		return err
	}
	switch {
	case credentialErr != nil:
		return credentialErr
	case s.program.unhidden != nil:
		return usageError(s.program.unhidden)
	}
	if s.run, err = s.ledger.Client.Begin(ctx, s.spec(f), s.project.Budgets); err != nil {
		return ledgerError(err)
	}
	s.purchase, err = guard.NewPurchase(guard.PurchaseConfig{
		Meter:      guard.Metered(s.run, s.ledger.Store),
		Max:        int(s.max),
		Upstream:   upstream,
		Credential: s.credential,
		Exhausted:  s.project.Policy.Exhausted,
		Unbilled:   s.project.Policy.Unbilled,
		NewID:      mustID,
	})
	if err != nil {
		// What was held goes back at once.
		_, endErr := s.run.End(context.WithoutCancel(ctx), quota.Counters{})
		return usageError(errors.Join(err, endErr))
	}
	return nil
}

// dummyClient is a client of the mock identity service that is good for one run
// alone.
func dummyClient() (mockidp.Client, error) {
	id, err := newID()
	if err != nil {
		return mockidp.Client{}, err
	}
	secret, err := newID()
	if err != nil {
		return mockidp.Client{}, err
	}
	return mockidp.Client{ID: "hsharness-" + id[:8], Secrets: []mockidp.Secret{{Value: secret}}, Scopes: avalara.Scopes()}, nil
}

// newServices starts what one test or one command talks to. It buys only where
// the ceiling lets it. Limit is a further one, or nil.
func (s *session) newServices(ceiling guard.Mode, limit *guard.Cap) (*services.Local, error) {
	mode := min(ceiling, s.limit.Mode)
	cfg := services.Config{Keys: s.keys, Mode: mode, Operations: s.project.Operations, Cap: limit, Log: s.log}
	if s.limit.Mode.Buys() { // what a client may ask for at most
		most := int(s.max)
		cfg.Max = &most
	}
	if mode != guard.Offline {
		cfg.Tape = s.tape
	}
	if mode.Buys() {
		cfg.Purchase = s.purchase
	}
	if s.client.ID != "" {
		cfg.Clients = []mockidp.Client{s.client}
	}
	return services.New(cfg)
}

// endTimeout is how long the ledger may take to end a run. A run that is not
// ended expires: what it did not draw is free again half a minute later.
const endTimeout = 10 * time.Second

// end ends the run and fills the ledger's part of the bill in.
func (s *session) end(ctx context.Context, bill *report.Bill, counters quota.Counters) error {
	bill.Run, bill.Mode, bill.ModeLimitedBy, bill.MaxSpend = s.id, s.limit.Mode.String(), s.limit.By, int(s.max)
	switch {
	case s.run == nil:
		bill.Run = ""
		return nil
	case !s.limit.Mode.Buys():
		// Nothing is lost when a replay can't be written down.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = s.run.End(ctx, counters)
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.purchase.Drain(ctx); err != nil {
		fmt.Fprintf(s.program.stderr, "hsharness: a request is still under way, its answer is lost: %v\n", err)
	}
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	_, endErr := s.run.End(ctx, counters)
	info, infoErr := s.info(ctx)
	if infoErr == nil {
		bill.Spent, bill.Unknown = int(info.Spent), int(info.Unknown)
	}
	status, statusErr := s.ledger.Store.Status(ctx)
	if statusErr == nil {
		left := int(status.Usable)
		bill.Left = &left
	}
	if err := errors.Join(endErr, infoErr, statusErr); err != nil {
		return ledgerError(err)
	}
	return nil
}

// info is the run as the ledger has it now.
func (s *session) info(ctx context.Context) (quota.RunInfo, error) {
	runs, err := s.ledger.Store.Runs(ctx, 0)
	if err != nil {
		return quota.RunInfo{}, err
	}
	for _, r := range runs {
		if r.ID == s.id {
			return r, nil
		}
	}
	return quota.RunInfo{}, fmt.Errorf("run %s: %w", s.id, quota.ErrNoRun)
}

// close lets go of the ledger and the log. A run that was not ended is left to
// expire.
func (s *session) close() {
	if s.ledger != nil {
		s.ledger.Close()
	}
	_ = s.closeLog() // what is missing in it then is not known to anybody
}

// nested tells whether this process runs inside the guard of an exec. Then
// that guard meters, and nothing here may choose how.
func (p *program) nested() bool { return services.Nested(p.getenv) }

// newID is a random id.
func newID() (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// mustID is newID where there is nobody to tell; crypto/rand ends the program
// rather than fail.
func mustID() string {
	id, err := newID()
	if err != nil {
		panic(err)
	}
	return id
}

// environ is the environment of a command behind services.
func (s *session) environ(st *services.Local) ([]string, error) {
	vars, err := st.Environ(avalara.Sandbox)
	if err != nil {
		return nil, err
	}
	return append(s.inherited(), vars...), nil
}

// inherited is what a command gets of this program's own environment, and the
// id by which it knows that it runs behind a guard.
func (s *session) inherited() []string {
	return append(s.program.commandEnviron(s.project), "HSHARNESS_RUN_ID="+s.id)
}
