// Package notify sends what a ledger noted for the hooks of a project, and tries the
// hooks out. It may touch the hooks and the project's ledger.
package notify

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/hook"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

// Result is what became of one hook.
type Result struct {
	// Hook is its setting in the project file, Host where it is.
	Hook     string `json:"hook"`
	Template string `json:"template"`
	Host     string `json:"host"`
	// OK says that it answered well; Error why not, and is empty else.
	OK    bool   `json:"ok"`
	Error string `json:"error"`

	err error
}

// FailedError says that hooks were not told.
type FailedError struct{ Failed, Of int }

func (e *FailedError) Error() string { return fmt.Sprintf("%d of %d were not told", e.Failed, e.Of) }

// NoneError is a project that tells nobody.
type NoneError struct{ File string }

func (e *NoneError) Error() string {
	return fmt.Sprintf("%s tells nobody: it has no notify", e.File)
}

// Config is what is sent, and by whom.
type Config struct {
	Source ledger.Source
	Warn   func(format string, args ...any)
	Out    io.Writer
	JSON   bool
}

// Run delivers, or tests with a mark, which may be empty.
func (c Config) Run(ctx context.Context, test bool, at string) error {
	if len(c.Source.Project.Notify) == 0 {
		return &NoneError{cmp.Or(c.Source.Project.File, project.Name)}
	}
	if at != "" {
		if _, err := notice.ParseMark(at); err != nil {
			return fmt.Errorf("--at %q: %w", at, err)
		}
		if !test {
			return errors.New("--at is for --test")
		}
	}
	if test {
		return c.test(ctx, at)
	}
	return c.deliver(ctx)
}

// test sends a message that is marked as a test to each hook, and writes what became of
// it. It writes nothing into the ledger.
func (c Config) test(ctx context.Context, at string) error {
	p := c.Source.Project
	m := hook.Message{ID: "test-" + rand.Text(), Test: true, Allowance: cmp.Or(p.Allowance.Name, quota.DefaultAllowance)}
	c.look(ctx, &m)
	sender := hook.NewSender(p, c.Source.Getenv)
	var results []Result
	var wrong error
	failed := 0
	for _, h := range hook.Of(p, c.Source.Getenv) {
		r := Result{Hook: h.Setting, Template: h.Template, Host: h.Host}
		if m.Mark = h.At[0]; at != "" {
			m.Mark = notice.Mark(at)
		}
		if m.Rule = ""; m.Mark == notice.Blocked {
			m.Rule = "a rule of budgets"
		}
		if r.err = sender.Send(ctx, h, m, time.Now().Add(time.Hour)); r.err != nil { // nobody else sends it
			r.Error = r.err.Error()
			failed++
		}
		wrong = errors.Join(wrong, h.Err)
		r.OK = r.err == nil
		results = append(results, r)
	}
	if err := c.write(results); err != nil || failed == 0 {
		return err
	}
	if wrong != nil {
		return wrong
	}
	return &FailedError{failed, len(results)}
}

// look fills in the ledger's figures and how it stands; without a ledger those that the
// project file gives.
func (c Config) look(ctx context.Context, m *hook.Message) {
	a := c.Source.Project.Allowance
	m.At = notice.Moment{Time: time.Now().UTC(), Granted: a.Granted, Spent: a.SpentBefore, Floor: a.Floor}
	l, err := c.Source.OpenToRead(ctx)
	if err != nil {
		m.Standing = hook.Standing(ctx, nil, *m)
		return
	}
	defer l.Close()
	if s, err := l.Store.Status(ctx); err == nil {
		m.At.Ledger, m.At.Seq, m.At.Granted, m.At.Spent, m.At.Held, m.At.Floor = s.LedgerID, s.Seq, s.Granted, s.Spent, s.Held, s.Floor
	}
	m.Standing = hook.Standing(ctx, l.Store, *m)
}

func (c Config) write(results []Result) error {
	if c.JSON {
		return json.NewEncoder(c.Out).Encode(results)
	}
	var text strings.Builder
	for _, r := range results {
		what := "told"
		if !r.OK {
			what = "not told: " + r.Error
		}
		fmt.Fprintf(&text, "%-10s %-6s %s  %s\n", r.Hook, r.Template, cmp.Or(r.Host, "-"), what)
	}
	_, err := io.WriteString(c.Out, text.String())
	return err
}

// Pending is what was to be told, as JSON.
type Pending struct {
	// Delivered is how many notices were, and Undelivered those that are left.
	Delivered   int      `json:"delivered"`
	Undelivered []string `json:"undelivered"`
}

// patience is how long a hook that failed a moment ago is waited for by who asks for it.
const patience = 30 * time.Second

// deliver notes what there is to tell, sends it and what could not be sent before, and
// writes how much that was.
func (c Config) deliver(ctx context.Context) error {
	p := c.Source.Project
	var wrong error
	for _, h := range hook.Of(p, c.Source.Getenv) {
		wrong = errors.Join(wrong, h.Err)
	}
	if wrong != nil {
		return wrong
	}
	l, err := c.Source.Open(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	t := hook.NewTeller(p, c.Source.Getenv, l.Store, c.Warn)
	within, cancel := context.WithTimeout(ctx, patience)
	t.Drain(within)
	cancel()
	store, err := notice.Of(l.Store)
	if err != nil {
		return err
	}
	left, err := store.Undelivered(ctx)
	if err != nil {
		return err
	}
	hooks := hook.Of(p, c.Source.Getenv)
	left = hook.For(hooks, left)
	done := Pending{Delivered: t.Delivered(), Undelivered: []string{}}
	done.Undelivered = append(done.Undelivered, hook.Late(hooks, left)...)
	if c.JSON {
		err = json.NewEncoder(c.Out).Encode(done)
	} else {
		_, err = fmt.Fprintln(c.Out, strings.Join(append([]string{fmt.Sprintf("%d delivered, %d not", done.Delivered, len(left))}, done.Undelivered...), "\n"))
	}
	if err == nil && len(left) > 0 {
		err = &FailedError{len(left), len(left) + done.Delivered}
	}
	return err
}

// After notes and sends what a command that changed the ledger has to tell.
func (c Config) After(ctx context.Context, l *ledger.Ledger) {
	hook.NewTeller(c.Source.Project, c.Source.Getenv, l.Store, c.Warn).Finish(ctx)
}

// Start tells what is to be told of a ledger, until it is finished.
func (c Config) Start(l *ledger.Ledger) *hook.Teller {
	t := hook.NewTeller(c.Source.Project, c.Source.Getenv, l.Store, c.Warn)
	t.Start()
	return t
}
