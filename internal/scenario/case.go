package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// finallyTime is how long the finally steps of a case may take after the run
// was told to stop.
const finallyTime = 10 * time.Second

// caseRun is one case under way.
type caseRun struct {
	runner   *Runner
	s        *Scenario
	name     string
	row      string // where the row of its data stands, empty without
	services services.Service
	client   *http.Client
	env      Env
	// secrets are texts that no report may show.
	secrets hider

	// kept is how many bytes the captures hold.
	kept int

	failures []report.Failure
	scores   []report.ScoreRow
}

// outcome is what a case adds to the bill.
type outcome struct {
	tally guard.Tally
	// verdict and reason are those of the guard's refusals.
	verdict guard.Verdict
	reason  string
}

// ended says why nothing more is done, nil while the run goes on.
func ended(ctx context.Context) error {
	err := context.Cause(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	at, _ := ctx.Deadline()
	return fmt.Errorf("the run's time was over at %s; give it more, or let it run fewer scenarios: %w", at.Format(time.TimeOnly), err)
}

// runCase carries one case out, on a set of services that shows no trace of another.
func (w *worker) runCase(ctx context.Context, s *Scenario, c Case, limit *guard.Cap) (report.Case, outcome) {
	out := report.Case{Name: c.Name, Row: c.Place, Verdict: report.Failed}
	run := &caseRun{runner: w.Runner, s: s, name: c.Name, row: c.Place}
	vars, secrets, err := s.ResolveVars(w.lookup)
	run.secrets = newHider(secrets)
	if err == nil {
		err = ended(ctx)
	}
	var at *site
	var leave func()
	if err == nil {
		at, leave, err = w.enter(s, limit)
	}
	var before guard.Tally
	if err == nil {
		defer leave()
		before, err = at.services.Tally()
	}
	if err != nil {
		run.fail(nil, s.Pos, "the case was not run: "+run.told(err), "", "")
		out.Failures = run.failures
		return out, outcome{}
	}
	run.services = at.services
	run.client = &http.Client{
		Transport:     at.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	left := maxCaseSteps
	run.env = Env{Vars: vars, Matrix: c.Values, Row: c.Row, Capture: map[string]any{}, Schedules: w.Schedules, left: &left}

	run.steps(ctx, s.Steps)
	run.finally(ctx)

	tally, err := run.services.Tally()
	refused, refusedErr := run.services.Outcome()
	if err = cmp.Or(err, refusedErr); err != nil {
		run.fail(nil, s.Pos, run.told(err), "", "")
	}
	tally = tally.Sub(before)
	out.Spend, out.Calls, out.Failures, out.Scores = tally.Price, tally.Requests, run.failures, run.scores
	switch {
	case refused.Verdict == guard.Blocked:
		// Whatever the client made of it: it was not answered.
		out.Verdict = report.Blocked
		if len(run.failures) == 0 {
			run.fail(nil, s.Pos, "a request was blocked: "+refused.Reason, "", "")
			out.Failures = run.failures
		}
	case tally.Missed > 0:
		// Whatever the client made of it: the test did not see an answer.
		out.Verdict = report.Missed
		if len(run.failures) == 0 {
			run.fail(nil, s.Pos, "a request had no recording", "", "")
			out.Failures = run.failures
		}
	case len(run.failures) == 0:
		out.Verdict = passed(tally)
	}
	return out, outcome{tally, refused.Verdict, refused.Reason}
}

// finally runs the last steps, also where the run was told to stop: then in a time of
// their own.
func (run *caseRun) finally(ctx context.Context) {
	if ctx.Err() != nil && len(run.s.Finally) > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), finallyTime)
		defer cancel()
	}
	run.steps(ctx, run.s.Finally)
}

// passed is the verdict of a case without failures.
func passed(tally guard.Tally) report.Verdict {
	switch {
	case tally.Bought > 0:
		return report.Bought
	case tally.Unbought > 0:
		return report.Unbought
	case tally.Stale > 0:
		return report.Stale
	case tally.Replayed > 0:
		return report.Replayed
	}
	return report.Mocked
}

func (r *Runner) lookup(name string) (string, bool) {
	if r.LookupEnv == nil {
		return "", false
	}
	return r.LookupEnv(name)
}

// steps runs a list until one fails: the later ones build on it.
func (run *caseRun) steps(ctx context.Context, steps []*Step) {
	for _, step := range steps {
		before := len(run.failures)
		run.step(ctx, step)
		if len(run.failures) > before {
			return
		}
	}
}

// step carries one step out and compares what came of it.
func (run *caseRun) step(ctx context.Context, step *Step) {
	before, err := run.prepare(step)
	if err != nil {
		run.fail(step, step.Pos, run.told(err), "", "")
		return
	}
	if len(step.Faults) > 0 {
		defer func() { _ = run.services.ClearFaults() }() // it would fail the next step too, and that one says so
	}
	var got *exchange
	switch {
	case step.Token != nil:
		got, err = run.token(ctx, step)
	case step.Request != nil:
		got, err = run.request(ctx, step)
	case step.Exec != nil:
		err = run.exec(ctx, step)
	}
	if err != nil {
		run.fail(step, step.Pos, run.told(err), "", "")
		return
	}
	after, err := run.services.Tally()
	if err != nil {
		run.fail(step, step.Pos, run.told(err), "", "")
		return
	}
	used := after.Sub(before)
	env := run.env
	if got != nil {
		env.Res = got.response(step)
	}
	if refusal := got.refusal(); refusal != "" && (step.Expect.Status == nil || !step.Expect.Status.Matches(got.status)) {
		run.fail(step, step.Pos, "the guard did not answer: "+refusal, "", "")
		return
	}
	if got != nil && step.Expect.Status == nil && got.status >= http.StatusBadRequest {
		run.failWith(step, step.Pos, fmt.Sprintf("the answer is %d, and the step does not expect that", got.status), "expect: { status: … }", "", got)
		return
	}
	if got != nil && got.wide {
		run.failWith(step, step.Pos, "the answer "+errValues.Error(), "", "", got)
		return
	}
	mismatches := step.Expect.Check(env, Usage{Spend: used.Price, Calls: used.Requests})
	for i, m := range mismatches {
		if i == maxErrors {
			run.failWith(step, m.Pos, fmt.Sprintf("and %d more of it is not as expected", len(mismatches)-i), "", "", got)
			break
		}
		run.failWith(step, m.Pos, m.Path+" is not as expected", m.Want, m.Got, got)
	}
	if len(mismatches) > 0 {
		return
	}
	run.scored(step, env, got)
	for _, c := range step.Capture {
		value, err := c.Expr.Eval(env)
		if err == nil && value == nil {
			err = fmt.Errorf("%s is not in the answer", c.Expr.Text)
		}
		if err == nil {
			err = run.keep(value)
		}
		if err != nil {
			run.failWith(step, c.Expr.Pos, "capture "+c.Name+": "+err.Error(), "", "", got)
			return
		}
		run.env.Capture[c.Name] = value
	}
}

// keep counts what a capture keeps until the case ends.
func (run *caseRun) keep(value any) error {
	size := sizeOf(value, maxCaptured)
	if run.kept += size; run.kept > maxCaptured {
		return fmt.Errorf("the captures of a case may hold %d MB in all: capture a part of the answer", maxCaptured>>20)
	}
	return nil
}

// prepare moves the clock and arms the faults. It returns what the guard had
// counted before the step.
func (run *caseRun) prepare(step *Step) (guard.Tally, error) {
	if step.Clock != 0 {
		if err := run.services.Advance(time.Duration(step.Clock)); err != nil {
			return guard.Tally{}, err
		}
	}
	for _, f := range step.Faults {
		if err := run.services.AddFaults(f.Fault); err != nil {
			return guard.Tally{}, err
		}
	}
	return run.services.Tally()
}

// told is an error with what helps against it.
func (run *caseRun) told(err error) string {
	text := err.Error()
	if run.runner.Advise != nil {
		if advice := run.runner.Advise(err); advice != "" {
			text += ": " + advice
		}
	}
	return text
}

func (run *caseRun) fail(step *Step, at Pos, message, want, got string) {
	run.failWith(step, at, message, want, got, nil)
}

// failWith notes a failure, with the exchange that it was found in. Texts from
// the environment are masked.
func (run *caseRun) failWith(step *Step, at Pos, message, want, got string, x *exchange) {
	f := report.Failure{File: run.s.File, Line: at.Line, Column: at.Column, Case: run.name, Row: run.row}
	if step != nil {
		f.Step = step.called()
	}
	f.Message, f.Want, f.Got = run.mask(message), run.mask(want), run.mask(got)
	if x != nil {
		f.Exchange = x.once(run.mask)
	}
	run.failures = append(run.failures, f)
}

func (run *caseRun) mask(text string) string { return run.secrets.report(text) }
