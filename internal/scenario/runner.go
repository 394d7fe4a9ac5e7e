package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// Runner carries scenarios out. Its fields must not change while it runs.
type Runner struct {
	// NewServices starts what one case talks to. No two cases under way share a
	// stand, and one that left traces, such as a clock that moved, has no second
	// case.
	NewServices func(Needs) (services.Service, error)
	// Jobs is how many cases may run at the same time. Zero means one.
	Jobs int
	// Seed shuffles the cases, so that one that needs another before it is found
	// out; the report keeps the order of the files. Zero keeps it here, too.
	Seed uint64
	// FailFast stops after the first case that fails.
	FailFast bool
	// Skip leaves cases out, by the place of their scenario: it says why, or nothing.
	// Nil leaves none out.
	Skip func(scenario int, c Case) string
	// AllowExec lets exec steps run their commands.
	AllowExec bool
	// Environ is what the commands of exec steps inherit, as NAME=value, besides
	// the variables that lead them to their services. It must not hold the real
	// credential. Nil means nothing.
	Environ []string
	// Own are the variables that those commands get by names of their own.
	Own names.List
	// Schedules judge the codes of answers. Nil are those of the program.
	Schedules *nomenclature.Schedules
	// LookupEnv reads the variables that vars may name, as os.LookupEnv does.
	// Nil means that none is set.
	LookupEnv func(string) (string, bool)
	// Advise gives what helps against an error, empty for nothing. Nil is no advice.
	Advise func(error) string
	// Baseline is an earlier run that scores are compared with. May be nil.
	Baseline *report.Baseline
	// Progress is called after each case with how many of all are done. It is
	// never called twice at the same time. May be nil.
	Progress func(done, all int)
}

// Needs is what one case asks of its services.
type Needs struct {
	// Ceiling is how far the file lets it go.
	Ceiling guard.Mode
	// Production says that the file calls production, which only a mock or a
	// recording answers.
	Production bool
	// Cap is the file's quota.max, which all its cases share. Nil is none.
	Cap *guard.Cap
}

// job is one case with the place where its result belongs.
type job struct {
	scenario int
	index    int
	s        *Scenario
	c        Case
	cap      *guard.Cap
}

// Run carries the scenarios out and reports them in the order given. When ctx
// ends, the cases under way run their finally steps and the others are left
// out; they are reported as failed.
func (r *Runner) Run(ctx context.Context, scenarios []*Scenario) report.Run {
	start := time.Now()
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	out := report.Run{Scenarios: make([]report.Scenario, len(scenarios))}
	var together, alone []job
	caps := make([]*guard.Cap, len(scenarios))
	for i, s := range scenarios {
		if most := s.Quota.Max; most != nil {
			caps[i] = guard.NewCap(most.Value, nil)
		}
		cases := s.Cases()
		out.Scenarios[i] = report.Scenario{File: s.File, Name: s.Name, Part: s.Partial, Of: s.whole, Cases: make([]report.Case, len(cases))}
		for j, c := range cases {
			if r.Skip != nil {
				if why := r.Skip(i, c); why != "" {
					out.Scenarios[i].Cases[j] = report.Case{Name: c.Name, Row: c.Place, Verdict: report.Skipped, Why: why}
					continue
				}
			}
			if s.Parallel {
				together = append(together, job{i, j, s, c, caps[i]})
			} else {
				alone = append(alone, job{i, j, s, c, caps[i]})
			}
		}
	}

	r.shuffle(together)
	r.shuffle(alone)
	total := total{all: len(together) + len(alone), progress: r.Progress, capped: make([]int, len(scenarios))}
	run := func(w *worker, j job) {
		began := time.Now()
		result, came := w.runCase(ctx, j.s, j.c, j.cap)
		if r.FailFast && result.Verdict.Failed() {
			stop()
		}
		took := time.Since(began)
		result.ElapsedMS = took.Milliseconds()
		total.add(&out.Scenarios[j.scenario], j, result, came, took)
	}
	r.pool(max(1, r.Jobs), together, run)
	r.pool(1, alone, run)

	for i, s := range scenarios {
		settle(s, &out.Scenarios[i], total.capped[i])
		judge(s, &out.Scenarios[i], r.hider(s).report)
	}
	r.Baseline.Compare(&out)
	out.Elapsed, out.Seed = time.Since(start), r.Seed
	out.Bill = total.bill()
	if failed := out.Failed(); failed > 0 && out.Bill.Refusal == "" {
		out.Bill.Reason = fmt.Sprintf("%d of %d scenarios failed", failed, len(scenarios))
	}
	return out
}

// hider hides what the variables of a scenario have from the environment.
func (r *Runner) hider(s *Scenario) hider {
	_, secrets, _ := s.ResolveVars(r.lookup) // an error failed each case
	return newHider(secrets)
}

// shuffle puts jobs into the order of the seed.
func (r *Runner) shuffle(jobs []job) {
	if r.Seed == 0 {
		return
	}
	random := rand.New(rand.NewPCG(r.Seed, uint64(len(jobs))))
	random.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
}

// Jobs is how many cases run at the same time where nobody says it: two for each
// processor, since one of them mostly waits for its answer, and one where they may buy,
// lest the service is asked more than it was.
func Jobs(mode guard.Mode) int {
	if mode.Buys() {
		return runtime.GOMAXPROCS(0)
	}
	return 2 * runtime.GOMAXPROCS(0)
}

// pool hands the jobs to n workers, in order.
func (r *Runner) pool(n int, jobs []job, run func(*worker, job)) {
	var taken atomic.Int64 // by a counter: who hands them over would have to be woken for each
	var workers sync.WaitGroup
	for range min(n, len(jobs)) {
		workers.Go(func() {
			w := &worker{Runner: r}
			defer w.close()
			for i := taken.Add(1); i <= int64(len(jobs)); i = taken.Add(1) {
				run(w, jobs[i-1])
			}
		})
	}
	workers.Wait()
}

// total gathers the results of all cases.
type total struct {
	all      int
	progress func(done, all int)

	mu      sync.Mutex
	done    int
	tally   guard.Tally
	capped  []int         // requests that quota.max refused, by scenario
	verdict guard.Verdict // the gravest
	reason  string
}

func (t *total) add(s *report.Scenario, j job, result report.Case, came outcome, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Cases[j.index] = result
	t.capped[j.scenario] += came.tally.Capped
	s.ElapsedMS += took.Milliseconds()
	t.tally = t.tally.Add(came.tally)
	if came.verdict.Graver(t.verdict) {
		t.verdict, t.reason = came.verdict, came.reason
	}
	t.done++
	if t.progress != nil {
		t.progress(t.done, t.all)
	}
}

func (t *total) bill() report.Bill {
	return report.Bill{
		Mode:           guard.Offline.String(),
		Spent:          t.tally.Paid,
		Requests:       t.tally.Requests,
		Replayed:       t.tally.Replayed,
		Mocked:         t.tally.Mocked,
		Unbought:       t.tally.Unbought,
		UnboughtUnits:  t.tally.UnboughtUnits,
		Missed:         t.tally.Missed,
		MissedUnits:    t.tally.MissedUnits,
		Refused:        t.tally.Refused - t.tally.Missed,
		WouldHaveSpent: t.tally.Saved(),
		AskedAgain:     t.tally.Again,
		Refusal:        string(t.verdict),
		Reason:         t.reason,
	}
}

// settle adds a scenario's cases up and checks them against its quota, of which
// quota.max refused so many requests.
func settle(s *Scenario, out *report.Scenario, refused int) {
	if out.Verdict = report.Mocked; len(out.Cases) > 0 {
		out.Verdict = report.Skipped
	}
	for _, c := range out.Cases {
		out.Spend += c.Spend
		out.Calls += c.Calls
		if c.Verdict.Graver(out.Verdict) { // a scenario has the gravest of its cases'
			out.Verdict = c.Verdict
		}
	}
	if len(out.Cases) == 0 {
		return
	}
	last := &out.Cases[len(out.Cases)-1]
	fail := func(at Pos, message, want string) {
		out.Verdict, last.Verdict = report.Failed, report.Failed
		last.Failures = append(last.Failures, report.Failure{
			File: s.File, Line: at.Line, Column: at.Column, Message: message, Want: want, Got: units(out.Spend),
		})
	}
	// A scenario that failed did not do all it was priced for.
	if want := s.Quota.Expected; want != nil && s.Partial == "" && out.Skipped() == 0 && !out.Verdict.Failed() && out.Spend != want.Value {
		fail(want.Pos, "the scenario does not cost what quota.expected says", units(want.Value))
	}
	most := s.Quota.Max
	if most == nil {
		return
	}
	if refused > 0 {
		fail(most.Pos, fmt.Sprintf("the scenario would cost more than quota.max allows: %d of its requests were not sent", refused), "at most "+units(most.Value))
	}
}

func units(n int) string {
	if n == 1 {
		return "1 unit"
	}
	return fmt.Sprintf("%d units", n)
}
