// Package doctor looks at a set-up, and says what would stop a run that spends, each
// with its mend. It opens no socket but a ledger's, and writes nothing but files that
// it removes again, where recordings and the ledger go. It may touch the project, its
// recordings and its ledger, and makes a seal that ends at once.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/hook"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/secret"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// The levels of a [Diagnosis]. Only the last makes doctor fail.
const (
	LevelOK      = "ok"
	LevelWarning = "warning"
	LevelError   = "error"
)

// Diagnosis is one thing that doctor looked at.
type Diagnosis struct {
	Level string `json:"level"`
	// Check names what was looked at: project, recordings, answers, seal, sandbox, proxy,
	// credential, notify, ledger, account, ci or allowance.
	Check   string `json:"check"`
	Message string `json:"message"`
	// Mend is what to type or to change; empty when all is well.
	Mend string `json:"mend,omitempty"`
	// Ledger says that an error is about a ledger that can't be relied on, and not
	// a mistake in the set-up.
	Ledger bool `json:"-"`
}

func fine(check, format string, args ...any) Diagnosis {
	return Diagnosis{Level: LevelOK, Check: check, Message: fmt.Sprintf(format, args...)}
}

func warning(check, message, mend string) Diagnosis {
	return Diagnosis{Level: LevelWarning, Check: check, Message: message, Mend: mend}
}

// wrong is a mistake in the set-up.
func wrong(check, message, mend string) Diagnosis {
	return Diagnosis{LevelError, check, message, mend, false}
}

// refused is a ledger that can't be relied on.
func refused(check string, err error) Diagnosis {
	mend := cmp.Or(hint.For(err), string(hint.VerifyLedger))
	if mend == string(hint.Diagnose) { // that is what goes on here
		mend = string(hint.VerifyLedger)
	}
	return Diagnosis{LevelError, check, err.Error(), mend, true}
}

// Examine looks at everything that can be looked at. Unread is why the project file
// could not be read, and then the source has none.
func Examine(ctx context.Context, from ledger.Source, unread error) []Diagnosis {
	if ctx.Err() != nil {
		return nil // nothing is known of a file that was not read to its end
	}
	pr := from.Project
	all := []Diagnosis{examineProject(pr, unread)}
	if unread != nil {
		return all
	}
	all = append(all, examineRecordings(pr)...)
	all = append(all, examineAnswers(pr)...)
	all = append(all, examineSeal(pr)...)
	reachable, found := examineSandbox(pr)
	all = append(all, found)
	all = append(all, examineProxy(pr)...)
	if pr.File != "" {
		all = append(all, examineCredential(from)...)
	}
	all = append(all, examineHooks(from)...)
	if !reachable {
		return all
	}
	l, found := examineLedger(ctx, from)
	all = append(all, found)
	if l == nil {
		return all
	}
	defer l.Close()
	all = append(all, examineWriting(ctx, from)...)
	return append(all, append(examineSpending(ctx, l), examineAllowance(ctx, l)...)...)
}

func examineProject(pr *project.Project, unread error) Diagnosis {
	switch {
	case unread != nil:
		return wrong("project", unread.Error(), "correct the project file")
	case pr.File == "":
		return warning("project", "there is no "+project.Name+" here or above: everything stays offline",
			"go to the project's folder, or write one; its first line is: version: 1")
	}
	return fine("project", "%s", show.Path(pr.File))
}

// examineHooks says who can't be told. A run goes on without them.
func examineHooks(from ledger.Source) []Diagnosis {
	var all []Diagnosis
	for _, h := range hook.Of(from.Project, from.Getenv) {
		if h.Err != nil {
			all = append(all, warning("notify", h.Err.Error(), "set it, or correct notify in "+project.Name))
		} else {
			all = append(all, fine("notify", "%s", h))
		}
	}
	return all
}

// examineSandbox also tells whether it is known where the sandbox is.
func examineSandbox(pr *project.Project) (bool, Diagnosis) {
	upstream, err := pr.Upstream()
	switch {
	case err != nil:
		return false, wrong("sandbox", err.Error(), "correct environments.sandbox in "+project.Name)
	case upstream.AllLoopback():
		return true, fine("sandbox", "all URLs are on loopback: nothing real can be spent")
	}
	return true, fine("sandbox", "the account is of %s", upstream.Identity)
}

// examineProxy says what a run that buys would go through.
func examineProxy(pr *project.Project) []Diagnosis {
	upstream, err := pr.Upstream()
	if err != nil || pr.File == "" {
		return nil // it is not known where it would go
	}
	routes, err := upstream.Routes()
	if err != nil {
		return []Diagnosis{wrong("proxy", err.Error(), "correct it, or write environments.sandbox.proxy: none in "+project.Name)}
	}
	hosts := map[guard.Through][]string{}
	for _, r := range routes {
		hosts[r.Through] = append(hosts[r.Through], r.Host)
	}
	var all []Diagnosis
	for _, r := range routes {
		at, told := hosts[r.Through]
		if !told {
			continue
		}
		delete(hosts, r.Through)
		who := strings.Join(at, ", ") + ":"
		if len(at) == len(routes) {
			who = "the sandbox is asked"
		}
		way := "through " + r.Proxy + ", by " + r.By
		if r.Proxy == "" {
			way = "directly, through no proxy"
			if name := upstream.Proxy.String(); name != "" && upstream.AllLoopback() {
				way = "directly, and not through " + name + ": it is on loopback"
			}
		}
		all = append(all, fine("proxy", "%s %s", who, way))
	}
	return all
}

// examineCredential never prints what is set, only what is wrong with it.
func examineCredential(from ledger.Source) []Diagnosis {
	pr := from.Project
	var all []Diagnosis
	for _, t := range []project.Text{pr.ClientID(), pr.ClientSecret()} {
		if err := t.CheckCredential(from.Getenv); err != nil {
			mend := "set the variable to the account's value, exactly"
			if len(t.Variables()) == 0 {
				mend = "set it in " + project.Name + " to a variable such as ${" + process.SecretVariable + "}, and that variable to the account's value"
			}
			all = append(all, wrong("credential", err.Error(), mend))
		}
	}
	if len(all) == 0 {
		all = append(all, fine("credential", "client id and secret are set"))
	}
	value := pr.ClientSecret().Value(from.Getenv)
	if why := secret.Weak(value); value != "" && why != "" {
		all = append(all, warning("credential",
			"environments.sandbox.client_secret can't be told from ordinary text: "+why+"; recordings, reports and other variables are not searched for it",
			"use a longer one if this account is real"))
	}
	return all
}

func examineLedger(ctx context.Context, from ledger.Source) (*ledger.Ledger, Diagnosis) {
	l, err := from.OpenToRead(ctx)
	var failed *session.LedgerError
	switch {
	case err != nil && !errors.As(err, &failed):
		return nil, wrong("ledger", err.Error(), string(hint.OtherLedger))
	case err != nil:
		d := refused("ledger", err)
		if at, err2 := from.Address(); err2 == nil && at.DSN != "" && errors.Is(err, quota.ErrUnsafePlace) {
			d.Mend = string(hint.OtherServer)
		}
		return nil, d
	}
	info, err := l.Store.Info(ctx)
	if err != nil {
		l.Close()
		return nil, refused("ledger", err)
	}
	if info.Astray != "" {
		return l, refused("ledger", quota.Astray(info.Astray))
	}
	return l, fine("ledger", "%s, %d entries, in %s", info.LedgerID, info.Head.Seq, info.Path)
}

// examineWriting opens the ledger as a run would: what can be read may still be held
// by a process that is stopped, or not be writable for this user.
func examineWriting(ctx context.Context, from ledger.Source) []Diagnosis {
	l, err := from.Open(ctx)
	if err != nil {
		return []Diagnosis{refused("ledger", err)}
	}
	defer l.Close()
	info, err := l.Store.Info(ctx)
	if err == nil && info.Path != "" {
		err = room(info.Path)
	}
	if err != nil {
		return []Diagnosis{{LevelError, "ledger", err.Error(), "make room on the disk of the ledger, and let its owner write there", true}}
	}
	return nil
}

// roomForRun is what the ledger's file may grow by in a short run, in bytes.
const roomForRun = 64 << 10

// room tells why nothing could be written beside a ledger, such as a full disk, on which a
// ledger opens as ever and no unit can be written down.
func room(ledger string) error {
	trial := fmt.Sprintf("%s.room-%d", ledger, os.Getpid())
	err := files.New(trial, make([]byte, roomForRun), 0o600)
	_ = files.Remove(trial) // of a part, too
	if err != nil {
		return fmt.Errorf("there is no room for the ledger's next entries: %w", err)
	}
	return nil
}

// examineSpending asks what an admission would ask: whose ledger it is, whether
// it went back in time, and whether this machine may use it. The last is asked
// apart, so that it doesn't hide the others.
func examineSpending(ctx context.Context, l *ledger.Ledger) []Diagnosis {
	var all []Diagnosis
	if err := l.Client.Ready(ctx); errors.Is(err, quota.ErrLocalInCI) {
		all = append(all, refused("ci", err))
	}
	if l.Client.Loopback {
		return append(all, fine("account", "does not matter on loopback"))
	}
	if err := l.Comparable(); err != nil {
		return append(all, warning("account", err.Error(), "see credential"))
	}
	c := l.Client
	anywhere := &quota.Client{Store: c.Store, Account: c.Account, StateHome: c.StateHome}
	var barred *quota.BarredError // then the allowance says where it went
	if err := anywhere.Ready(ctx); errors.As(err, &barred) {
		return nil
	} else if err != nil {
		all = append(all, refused("account", err))
	} else {
		all = append(all, fine("account", "the ledger is this account's, and knows all that was spent from here"))
	}
	return all
}

func examineAllowance(ctx context.Context, l *ledger.Ledger) []Diagnosis {
	s, err := l.Status(ctx)
	if err != nil {
		return []Diagnosis{refused("allowance", err)}
	}
	all := []Diagnosis{fine("allowance", "%d of %d units are left for ordinary runs", max(s.Usable, 0), s.Granted)}
	if bar := s.Bar; bar != (quota.Bar{}) {
		next := hint.Bar(bar)
		if bar.Reason == quota.Moved {
			next = "ledger: " + bar.To + " in " + project.Name + ", or that in HSHARNESS_LEDGER"
		}
		all = []Diagnosis{{LevelError, "allowance", "all runs are blocked: " + bar.String(), next, true}}
	}
	for _, w := range s.Warnings {
		if s.Bar != (quota.Bar{}) && strings.Contains(w, hint.Bar(s.Bar)) {
			continue // it was said
		}
		all = append(all, warning("allowance", w, string(hint.Status)))
	}
	return all
}
