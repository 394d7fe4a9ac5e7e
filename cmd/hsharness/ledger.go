package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// project reads the project file: the one that --config names, or the one in
// the working directory if there is one.
func (p *program) project() (*project.Project, error) {
	name, optional := p.config, p.config == ""
	if optional {
		name = project.Name
	}
	read, err := project.Read(name, optional, p.getenv)
	if err != nil {
		return nil, usageError(err)
	}
	return read, nil
}

// ledger is an open ledger and the way to spend from it.
type ledger struct {
	Store  quota.Store
	Client *quota.Client

	project *project.Project
	at      address
	// anonymous says why nobody can tell whether this is the ledger of the account.
	// Nil where it can be told.
	anonymous error
}

// openLedger opens the project's ledger. It does not ask whether the ledger may
// be spent from: [quota.Client.Begin] and [ledger.ready] do.
func (p *program) openLedger(ctx context.Context, pr *project.Project) (*ledger, error) {
	return p.openWith(pr, func(at address, _ *quota.Client) (quota.Store, error) { return openStore(ctx, at) })
}

// openToRead opens it for a command that changes nothing, which those may use who
// can't write, and which waits for nobody who writes.
func (p *program) openToRead(ctx context.Context, pr *project.Project) (*ledger, error) {
	return p.openWith(pr, func(at address, _ *quota.Client) (quota.Store, error) { return readStore(ctx, at) })
}

// openWith lets open open or make the store.
func (p *program) openWith(pr *project.Project, open func(address, *quota.Client) (quota.Store, error)) (*ledger, error) {
	at, err := p.address(pr)
	if err != nil {
		return nil, err
	}
	client, err := p.client(pr)
	if err != nil {
		return nil, err
	}
	if client.Store, err = open(at, client); err != nil {
		return nil, ledgerError(err)
	}
	return &ledger{Store: client.Store, Client: client, project: pr, at: at, anonymous: p.anonymous(pr)}, nil
}

// client knows the account, the machine and the policy, but no store yet.
func (p *program) client(pr *project.Project) (*quota.Client, error) {
	sandbox := pr.Environments.Sandbox
	upstream, err := pr.Upstream()
	if err != nil && pr.UnsetURLs() == nil { // then it can be looked at, and not spent from
		return nil, upstreamError(err)
	}
	identity, err := url.Parse(upstream.Identity)
	if err != nil {
		return nil, usageError(err)
	}
	return &quota.Client{
		Account:    quota.AccountHash(identity.Host, sandbox.ClientID),
		Loopback:   upstream.AllLoopback(),
		StateHome:  p.getenv("XDG_STATE_HOME"),
		CI:         p.getenv("CI") != "",
		LocalStays: pr.Policy.CILedger == "local",
	}, nil
}

// upstreamError tells a real host where none is allowed from other mistakes.
func upstreamError(err error) error {
	if isReal(err) {
		return &exitError{exitPolicy, err}
	}
	return usageError(err)
}

// isReal tells whether an error is about a host of production, or of the sandbox
// past the guard.
func isReal(err error) bool {
	var production *guard.ProductionError
	var past *guard.PastGuardError
	return errors.As(err, &production) || errors.As(err, &past)
}

// Close lets go of the ledger. What was written is on disk already, so its
// error is of no interest to a command that has done its work.
func (l *ledger) Close() { _ = l.Store.Close() }

// anonymous says why it is not known whose account the project's is, nil where
// it is.
func (p *program) anonymous(pr *project.Project) error {
	switch {
	case pr.UnsetURLs() != nil:
		return fmt.Errorf("nobody can tell whose ledger this is: %w", pr.UnsetURLs())
	case pr.Environments.Sandbox.ClientID == "":
		return fmt.Errorf("no client id is set, so nobody can tell whose ledger this is: %w", pr.ClientID().CheckCredential(p.getenv))
	}
	return nil
}

// comparable says that the ledger can be compared with the account, or need not
// be.
func (l *ledger) comparable() error {
	if l.anonymous != nil && !l.Client.Loopback {
		return usageError(l.anonymous)
	}
	return nil
}

// ready checks that the ledger may be spent from, as an admission would.
func (l *ledger) ready(ctx context.Context) error {
	if err := l.comparable(); err != nil {
		return err
	}
	if l.Client.Loopback { // where Ready has nothing to check, but the store may
		info, err := l.Store.Info(ctx)
		if err != nil {
			return ledgerError(err)
		}
		if info.Astray != "" {
			return ledgerError(quota.Astray(info.Astray))
		}
	}
	return ledgerError(l.Client.Ready(ctx))
}

// status is the state of the allowance, with the warnings of the project.
func (l *ledger) status(ctx context.Context) (quota.Status, error) {
	s, err := l.Store.Status(ctx)
	if err != nil {
		return s, ledgerError(err)
	}
	s.Warnings = append(s.Warnings, warnings(l.project.Allowance, s)...)
	return s, nil
}

// warnings compares what the project file says of an allowance with the ledger.
func warnings(a project.Allowance, s quota.Status) []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if percent := a.WarnPercent(); percent > 0 && s.Spent*100 >= percent*s.Granted {
		warn("%d of %d units are spent, that is %s or more", s.Spent, s.Granted, a.WarnAt)
	}
	if a.Granted > 0 && a.Granted != s.Granted {
		warn("the project file says %d granted, the ledger %d: the ledger counts", a.Granted, s.Granted)
	}
	if a.Floor > 0 && a.Floor != s.Floor {
		warn("the project file says a floor of %d, the ledger %d: the ledger counts", a.Floor, s.Floor)
	}
	return all
}

// ledgerError gives an error of the ledger its exit code.
func ledgerError(err error) error {
	var exit *exitError
	var wrong *quota.RangeError
	switch {
	case err == nil, errors.As(err, &exit):
		return err
	case errors.As(err, &wrong):
		return usageError(err)
	case errors.Is(err, quota.ErrBlocked), errors.Is(err, quota.ErrHoldUsed), errors.Is(err, quota.ErrRunOver), errors.Is(err, quota.ErrRunsActive):
		return &exitError{exitBlocked, err}
	case errors.Is(err, quota.ErrLedgerExists), errors.Is(err, quota.ErrNoRun), errors.Is(err, quota.ErrConflict):
		return usageError(err)
	}
	return &exitError{exitLedger, err}
}

// address says where a ledger is and of which allowance it must be.
type address struct {
	// path is the file of a sqlite: ledger, dsn a shared one's postgres:// URL.
	// One of them is empty.
	path, dsn string
	// allowance is empty where any will do.
	allowance string
}

// address is what --ledger says, else the project file, else the default. A
// path is relative to the working directory in the first case and to the
// project file in the others.
func (p *program) address(pr *project.Project) (address, error) {
	text, dir := p.ledgerURL, "."
	if text == "" {
		if err := pr.LedgerAddress().Unset(p.getenv); err != nil {
			return address{}, usageError(err) // or another ledger would be taken for it
		}
		text, dir = pr.Ledger, pr.Dir()
	}
	if text == "" {
		text = project.DefaultLedger
	}
	return p.addressOf(pr, text, dir)
}

// addressOf reads an address whose path is relative to dir.
func (p *program) addressOf(pr *project.Project, text, dir string) (address, error) {
	at := address{allowance: p.allowance}
	if at.allowance == "" {
		at.allowance = pr.Allowance.Name
	}
	if strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		at.dsn = text
		return at, nil
	}
	path, ok := strings.CutPrefix(text, "sqlite:")
	if !ok || path == "" {
		// The text is not repeated: it may hold a password.
		return at, usageError(fmt.Errorf("the ledger's address is neither sqlite:PATH, such as %s, nor postgres://…", project.DefaultLedger))
	}
	at.path = project.Under(dir, path)
	return at, nil
}

// public is the address without its secrets, as --ledger takes it. Two spellings
// of one place may differ.
func (a address) public() string {
	if a.dsn == "" {
		path, err := filepath.Abs(a.path)
		if err != nil {
			path = a.path
		}
		return "sqlite:" + path
	}
	u, err := url.Parse(a.dsn)
	if err != nil {
		return "postgres://…"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if name := u.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	kept := url.Values{}
	for _, name := range []string{"host", "port", "user", "dbname", "search_path"} { // what tells one ledger from another
		if v := u.Query().Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	shown.RawQuery = kept.Encode()
	return shown.String()
}

func (a address) sqlite() sqlite.Config { return sqlite.Config{Path: a.path, Allowance: a.allowance} }

func (a address) postgres() postgres.Config {
	return postgres.Config{DSN: a.dsn, Allowance: a.allowance}
}

// openStore opens the ledger of an address.
func openStore(ctx context.Context, at address) (quota.Store, error) {
	if at.dsn != "" {
		return store(postgres.Open(ctx, at.postgres()))
	}
	return store(sqlite.Open(ctx, at.sqlite()))
}

// readStore opens it only to be read.
func readStore(ctx context.Context, at address) (quota.Store, error) {
	if at.dsn != "" {
		return openStore(ctx, at)
	}
	config := at.sqlite()
	config.ReadOnly = true
	return store(sqlite.Open(ctx, config))
}

// initStore makes a ledger.
func initStore(ctx context.Context, at address, spec quota.InitSpec) (quota.Store, error) {
	if at.dsn != "" {
		return store(postgres.Init(ctx, at.postgres(), spec))
	}
	return store(sqlite.Init(ctx, at.sqlite(), spec))
}

// importStore makes a ledger of the entries of another.
func importStore(ctx context.Context, at address, info quota.Info, entries iter.Seq2[quota.Entry, error]) (quota.Store, error) {
	if at.dsn != "" {
		return store(postgres.Import(ctx, at.postgres(), info, entries))
	}
	return store(sqlite.Import(ctx, at.sqlite(), info, entries))
}

// store keeps a nil pointer from becoming a store that is not nil.
func store[S quota.Store](s S, err error) (quota.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}
