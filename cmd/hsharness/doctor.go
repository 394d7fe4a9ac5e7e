package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/secret"
	"github.com/hsharness/hsharness/quota"
)

// The levels of a diagnosis. Only the last makes doctor fail.
const (
	levelOK      = "ok"
	levelWarning = "warning"
	levelError   = "error"
)

// diagnosis is one thing that doctor looked at.
type diagnosis struct {
	Level string `json:"level"`
	// Check names what was looked at: project, recordings, sandbox, proxy,
	// credential, ledger, account, ci or allowance.
	Check   string `json:"check"`
	Message string `json:"message"`
	// Mend is what to type or to change; empty when all is well.
	Mend string `json:"mend,omitempty"`
	// exit is what an error makes doctor exit with.
	exit int
}

func fine(check, format string, args ...any) diagnosis {
	return diagnosis{Level: levelOK, Check: check, Message: fmt.Sprintf(format, args...)}
}

func warning(check, message, mend string) diagnosis {
	return diagnosis{Level: levelWarning, Check: check, Message: message, Mend: mend}
}

// wrong is a mistake in the set-up.
func wrong(check, message, mend string) diagnosis {
	return diagnosis{levelError, check, message, mend, exitUsage}
}

// refused is a ledger that can't be relied on.
func refused(check string, err error) diagnosis {
	return diagnosis{levelError, check, err.Error(), mend(err), exitLedger}
}

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with the set-up, and say how to mend it",
		Long: `Looks at the project file, the recordings, the sandbox's URLs, the credential and
the ledger, and says what would stop a run that spends, each with its mend. It opens
no socket, and writes nothing but a file that it removes, where recordings go.
Exits 7 when something is wrong with the ledger, else 2 when something is wrong
with the set-up; warnings do not count.`,
		Example: `  hsharness doctor
  hsharness doctor --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := p.examine(cmd.Context())
			if err := p.printDiagnoses(found); err != nil {
				return err
			}
			code := exitOK
			for _, d := range found {
				if d.Level == levelError && code != exitLedger {
					code = d.exit
				}
			}
			if code != exitOK {
				return &exitError{code: code}
			}
			return nil
		},
	}
}

func (p *program) printDiagnoses(found []diagnosis) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(found)
	}
	for _, d := range found {
		if d.Level == levelOK && p.quiet {
			continue
		}
		text := fmt.Sprintf("%-8s %-10s %s\n", d.Level, d.Check, d.Message)
		if d.Mend != "" {
			text += fmt.Sprintf("%-19s mend: %s\n", "", d.Mend)
		}
		if _, err := fmt.Fprint(p.stdout, text); err != nil {
			return err
		}
	}
	return nil
}

// examine looks at everything that can be looked at.
func (p *program) examine(ctx context.Context) []diagnosis {
	pr, found := p.examineProject()
	all := []diagnosis{found}
	if pr == nil {
		return all
	}
	all = append(all, examineRecordings(pr)...)
	reachable, found := examineSandbox(pr)
	all = append(all, found)
	all = append(all, examineProxy(pr)...)
	if pr.File != "" {
		all = append(all, p.examineCredential(pr)...)
	}
	if !reachable {
		return all
	}
	l, found := p.examineLedger(ctx, pr)
	all = append(all, found)
	if l == nil {
		return all
	}
	defer l.Close()
	all = append(all, p.examineWriting(ctx, pr)...)
	return append(all, append(examineSpending(ctx, l), examineAllowance(ctx, l)...)...)
}

func (p *program) examineProject() (*project.Project, diagnosis) {
	pr, err := p.project()
	switch {
	case err != nil:
		return nil, wrong("project", err.Error(), "correct the project file")
	case pr.File == "":
		return pr, warning("project", "there is no "+project.Name+" here: everything stays offline",
			"go to the project's folder, or write one; its first line is: version: 1")
	}
	return pr, fine("project", "%s", pr.File)
}

// examineSandbox also tells whether it is known where the sandbox is.
func examineSandbox(pr *project.Project) (bool, diagnosis) {
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
func examineProxy(pr *project.Project) []diagnosis {
	upstream, err := pr.Upstream()
	if err != nil || pr.File == "" {
		return nil // it is not known where it would go
	}
	routes, err := upstream.Routes()
	if err != nil {
		return []diagnosis{wrong("proxy", err.Error(), "correct it, or write environments.sandbox.proxy: none in "+project.Name)}
	}
	hosts := map[guard.Through][]string{}
	for _, r := range routes {
		hosts[r.Through] = append(hosts[r.Through], r.Host)
	}
	var all []diagnosis
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
func (p *program) examineCredential(pr *project.Project) []diagnosis {
	var all []diagnosis
	for _, t := range []project.Text{pr.ClientID(), pr.ClientSecret()} {
		if err := t.CheckCredential(p.getenv); err != nil {
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
	value := pr.ClientSecret().Value(p.getenv)
	if why := secret.Weak(value); value != "" && why != "" {
		all = append(all, warning("credential",
			"environments.sandbox.client_secret can't be told from ordinary text: "+why+"; recordings, reports and other variables are not searched for it",
			"use a longer one if this account is real"))
	}
	return all
}

func (p *program) examineLedger(ctx context.Context, pr *project.Project) (*ledger.Ledger, diagnosis) {
	l, err := p.source(pr).OpenToRead(ctx)
	switch {
	case err != nil && exitOf(err).code == exitUsage:
		return nil, wrong("ledger", err.Error(), "correct ledger in "+project.Name+", or --ledger")
	case err != nil:
		d := refused("ledger", err)
		if at, err2 := p.source(pr).Address(); err2 == nil && at.DSN != "" && errors.Is(err, quota.ErrUnsafePlace) {
			d.Mend = "change that, or name another server; then again: hsharness doctor"
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
func (p *program) examineWriting(ctx context.Context, pr *project.Project) []diagnosis {
	l, err := p.source(pr).Open(ctx)
	if err != nil {
		return []diagnosis{refused("ledger", err)}
	}
	l.Close()
	return nil
}

// mend is what to do about an error of a ledger.
func mend(err error) string {
	switch {
	case errors.Is(err, quota.ErrNoHighWater):
		return "see the message; then: hsharness doctor"
	case errors.Is(err, quota.ErrNoLedger):
		return "hsharness quota init --granted N"
	case errors.Is(err, quota.ErrNewerSchema):
		return "install the version of hsharness that wrote it, or a later one"
	case errors.Is(err, quota.ErrNotLedger):
		return "the path of the ledger in ledger: of " + project.Name + ", or --ledger"
	case errors.Is(err, quota.ErrBusy):
		return "let that process go on, or end it; it is not safe to write beside it"
	case errors.Is(err, quota.ErrUnsafePlace):
		return "see the message; a ledger needs a local disk, one name, and the right to write the file and its folder"
	case errors.Is(err, quota.ErrLocalInCI):
		return "policy.ci_ledger: local in " + project.Name + ", if this disk outlives the job"
	case errors.Is(err, quota.ErrOtherAccount):
		return "hsharness quota status --ledger sqlite:PATH, with the ledger of this account"
	case errors.Is(err, quota.ErrWentBack):
		return "hsharness quota reconcile --observed N --note WHY"
	}
	return "hsharness quota verify"
}

// examineSpending asks what an admission would ask: whose ledger it is, whether
// it went back in time, and whether this machine may use it. The last is asked
// apart, so that it doesn't hide the others.
func examineSpending(ctx context.Context, l *ledger.Ledger) []diagnosis {
	if l.Client.Loopback {
		return []diagnosis{fine("account", "does not matter on loopback")}
	}
	if err := l.Comparable(); err != nil {
		return []diagnosis{warning("account", err.Error(), "see credential")}
	}
	var all []diagnosis
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
	if err := l.Client.Ready(ctx); errors.Is(err, quota.ErrLocalInCI) {
		all = append(all, refused("ci", err))
	}
	return all
}

func examineAllowance(ctx context.Context, l *ledger.Ledger) []diagnosis {
	s, err := l.Status(ctx)
	if err != nil {
		return []diagnosis{refused("allowance", err)}
	}
	all := []diagnosis{fine("allowance", "%d of %d units are usable", s.Usable, s.Granted)}
	if bar := s.Bar; bar != (quota.Bar{}) {
		next := bar.Next()
		if bar.Reason == quota.Moved {
			next = "ledger: " + bar.To + " in " + project.Name + ", or that in HSHARNESS_LEDGER"
		}
		all = []diagnosis{{levelError, "allowance", "all runs are blocked: " + bar.String(), next, exitLedger}}
	}
	for _, w := range s.Warnings {
		if s.Bar != (quota.Bar{}) && strings.Contains(w, s.Bar.Next()) {
			continue // it was said
		}
		all = append(all, warning("allowance", w, "hsharness quota status"))
	}
	return all
}
