// Package ledger opens the ledger that a project and a command line name: which
// store, whose account, and whether it may be spent from. It also copies one to
// another place, and reads and writes exports. It may touch the stores and what the
// project file says, and knows no command.
package ledger

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/hook"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// Source is what says which ledger it is.
type Source struct {
	Project *project.Project
	// URL is what --ledger says; empty is the project's.
	URL string
	// Allowance is the name of the allowance; empty is the project's.
	Allowance string
	// Getenv reads an environment variable; empty is one that is not set.
	Getenv func(name string) string
}

// Ledger is an open ledger and the way to spend from it.
type Ledger struct {
	Store  quota.Store
	Client *quota.Client
	// Project is what the ledger was opened for, At where it is.
	Project *project.Project
	At      Address
	// Anonymous says why nobody can tell whether this is the ledger of the account.
	// Nil where it can be told.
	Anonymous error

	getenv func(name string) string
}

// Open opens the project's ledger. It does not ask whether the ledger may be
// spent from: [quota.Client.Begin] and [Ledger.Ready] do.
func (s Source) Open(ctx context.Context) (*Ledger, error) {
	return s.OpenBy(func(at Address, _ *quota.Client) (quota.Store, error) { return at.Store(ctx) })
}

// OpenToRead opens it for a command that changes nothing, which those may use who
// can't write, and which waits for nobody who writes.
func (s Source) OpenToRead(ctx context.Context) (*Ledger, error) {
	return s.OpenBy(func(at Address, _ *quota.Client) (quota.Store, error) { return at.StoreToRead(ctx) })
}

// OpenBy lets open open or make the store. An error of it is a [session.LedgerError].
func (s Source) OpenBy(open func(Address, *quota.Client) (quota.Store, error)) (*Ledger, error) {
	at, err := s.Address()
	if err != nil {
		return nil, err
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	if client.Store, err = open(at, client); err != nil {
		return nil, session.Failed(err)
	}
	return &Ledger{Store: client.Store, Client: client, Project: s.Project, At: at, Anonymous: s.Anonymous(), getenv: s.Getenv}, nil
}

// client knows the account, the machine and the policy, but no store yet.
func (s Source) client() (*quota.Client, error) {
	sandbox := s.Project.Environments.Sandbox
	upstream, err := s.Project.Upstream()
	if err != nil && s.Project.UnsetURLs() == nil { // then it can be looked at, and not spent from
		return nil, err
	}
	identity, err := url.Parse(upstream.Identity)
	if err != nil {
		return nil, err
	}
	return &quota.Client{
		Account:    quota.AccountHash(identity.Host, sandbox.ClientID),
		Loopback:   upstream.AllLoopback(),
		StateHome:  s.Getenv("XDG_STATE_HOME"),
		CI:         s.Project.InCI(upstream, s.Getenv),
		LocalStays: s.Project.Policy.CILedger == "local",
	}, nil
}

// Anonymous says why it is not known whose account the project's is, nil where
// it is.
func (s Source) Anonymous() error {
	switch {
	case s.Project.File == "":
		return hint.Project.About(fmt.Errorf("there is no %s here or above, so nobody can tell whose ledger this is", project.Name))
	case s.Project.UnsetURLs() != nil:
		return fmt.Errorf("nobody can tell whose ledger this is: %w", s.Project.UnsetURLs())
	case s.Project.Environments.Sandbox.ClientID == "":
		return fmt.Errorf("no client id is set, so nobody can tell whose ledger this is: %w", s.Project.ClientID().CheckCredential(s.Getenv))
	}
	return nil
}

// Account is how runs are begun.
func (l *Ledger) Account() *quota.Client { return l.Client }

// Close lets go of the ledger. What was written is on disk already, so its
// error is of no interest to a command that has done its work.
func (l *Ledger) Close() { _ = l.Store.Close() }

// Comparable says that the ledger can be compared with the account, or need not
// be.
func (l *Ledger) Comparable() error {
	if l.Anonymous != nil && !l.Client.Loopback {
		return l.Anonymous
	}
	return nil
}

// Ready checks that the ledger may be spent from, as an admission would.
func (l *Ledger) Ready(ctx context.Context) error {
	if err := l.Comparable(); err != nil {
		return err
	}
	if l.Client.Loopback { // where Ready has nothing to check, but the store may
		info, err := l.Store.Info(ctx)
		if err != nil {
			return session.Failed(err)
		}
		if info.Astray != "" {
			return session.Failed(quota.Astray(info.Astray))
		}
	}
	return session.Failed(l.Client.Ready(ctx))
}

// Status is the state of the allowance, with the warnings of the project.
func (l *Ledger) Status(ctx context.Context) (quota.Status, error) {
	s, err := l.Store.Status(ctx)
	if err != nil {
		return s, session.Failed(err)
	}
	return l.warned(ctx, s), nil
}

// warned has the warnings of the project, too.
func (l *Ledger) warned(ctx context.Context, s quota.Status) quota.Status {
	s.Warnings = append(hint.Warnings(s), warnings(l.Project.Allowance, s)...)
	if store, err := notice.Of(l.Store); err == nil && len(l.Project.Notify) > 0 {
		// An older ledger that is only read keeps none.
		undelivered, _ := store.Undelivered(ctx)
		s.Warnings = append(s.Warnings, hook.Late(hook.Of(l.Project, l.getenv), undelivered)...)
	}
	return s
}

// Pace is how turns stand, nil for a project without a rate.
func (l *Ledger) Pace(ctx context.Context) (*pace.State, error) {
	keeper, err := session.Keeper(l.Project, l.Store)
	if keeper == nil || err != nil {
		return nil, session.Failed(err)
	}
	s, err := keeper.Pace(ctx)
	return &s, session.Failed(err)
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

// Used is [quota.Usage] from outside a store: what the runs that m selects have
// spent since then, in units, and hold unless they are dead.
func (l *Ledger) Used(ctx context.Context, m quota.Match, since time.Time, active []quota.Holder) (int64, error) {
	runs, err := l.Store.Runs(ctx, 0)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, r := range runs {
		if r.Begun.Before(since) || !m.Matches(r.Attribution) {
			continue
		}
		sum += r.Spent
		if slices.ContainsFunc(active, func(h quota.Holder) bool { return h.ID == r.ID && h.Alive }) {
			sum += r.Max - r.Spent
		}
	}
	return sum, nil
}
