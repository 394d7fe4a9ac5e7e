package scenario

import (
	"slices"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Cost is how a price list answers: the units of one request of an operation.
// ok is false for an operation that no rule knows, or whose body can't be
// counted.
type Cost func(env avalara.Environment, api avalara.API, method, path string, body any) (units int, ok bool)

// Price is what a file may cost, in units over all its cases.
type Price struct {
	Cases []CasePrice
	// Expected is what the requests of a run cost at the price list, bought or
	// not: quota.expected where the file has it, else the sum over its steps.
	Expected int
	// Recorded is how many metered requests recordings answer. It is 0 without
	// a cassette.
	Recorded int
	// Again is how many metered requests are asked again, and part of Sure, though
	// they were before: what came then is kept and is no answer.
	Again int
	// Sure is what is bought in a run in which every request gets a good answer
	// but for the file's own faults.
	Sure int
	// Least is what a run buys at least that passes: Sure but for what may turn out to
	// be recorded, because it is made of an answer that is not, and for what a fault
	// may keep back. It is what a run can be refused for.
	Least int
	// Counted is what such a run counts at least against quota.max, which counts what
	// is recorded, too.
	Counted int
	// Worst is the most that the file can buy, run alone: every request that a
	// retry allows, and Resent. It is never above quota.max, which is enforced.
	Worst int
	// Uncapped is what the file's own requests can cost, with every retry, before
	// quota.max is looked at.
	Uncapped int
	// Resent is what one request more costs, by the scope of its token: the
	// dearest of those that may be bought. The sandbox may refuse the real token,
	// and the guard then sends the request again with a fresh one, once in a run
	// for each scope. See [Pricer.Worst] for several files.
	Resent map[string]int
	// Open says that Worst is no bound: the file has something unpriced, and
	// no quota.max. Only the run's own limit bounds it.
	Open bool
	// Unpriced lists the steps that have no price in at least one case.
	Unpriced []Unpriced
}

// CasePrice is the price of one case.
type CasePrice struct {
	Case
	Recorded int
	Sure     int
	Least    int
	Counted  int
	Worst    int
	// Asks are its requests that have a price, in order.
	Asks []Ask
}

// Ask is a request that has a price, which may be 0.
type Ask struct {
	Step *Step
	// Target is the path and query, and Body what is sent, as a value of JSON: nil for
	// nothing, and where the bodies of all requests are more than 64 MB. A target, and
	// a text of a body, have 4 KB at most: there may be many.
	Target string
	Body   any
	// Buys is what is bought for it if the case is run alone, in units.
	Buys int
	// Found is what recordings have of it. Its key is empty where the request is made
	// of an answer that is not known.
	Found guard.Found
}

// Unpriced is a step whose cost the file does not tell.
type Unpriced struct {
	Step *Step
	// Why says so in a few words.
	Why string
	Pos Pos
}

// Price computes what s may cost as far as the file alone tells, without
// sending anything; a [Pricer] looks at recordings too. vars is what
// [Scenario.ResolveVars] returned; a capture stands as the text "captured",
// since no step has run.
//
// A request is priced by cost. Nothing is bought where the guard answers by
// itself: a fault that strikes before the purchase, and a token that the API
// refuses (auth none, expired, bad_signature, wrong_scope). A token that the
// file itself gives is taken to be refused when the step expects nothing but
// 401 or 403. A fault that strikes after the purchase costs its request.
func (s *Scenario) Price(vars map[string]any, cost Cost) Price {
	p, _ := (&Pricer{Cost: cost}).price(s, vars, guard.Live) // only a cassette makes errors
	return p
}

// captured gives every capture a value, as none is known before a run.
func (s *Scenario) captured() map[string]any {
	out := make(map[string]any)
	for st := range s.all() {
		for _, c := range st.Capture {
			out[c.Name] = "captured"
		}
	}
	return out
}

// price is the cost of one request of the step, or why there is none. No Step is in ask
// where nothing is asked that has a price.
func (st *Step) price(env Env, cost Cost) (units int, unpriced string, ask Ask) {
	if st.Exec != nil {
		return 0, "a command buys what it wants: only quota.max bounds it", ask
	}
	r := st.Request
	if r == nil || st.refused() {
		return 0, "", ask
	}
	path, err := r.Target(env)
	if err != nil {
		return 0, err.Error(), ask
	}
	var body any
	if r.Body != nil {
		if body, err = r.Body.Render(env); err != nil {
			return 0, err.Error(), ask
		}
	}
	units, ok := cost(st.Environment, r.API, r.Method, path, body)
	if !ok {
		return 0, "no rule prices " + r.Method + " " + path, ask
	}
	return units, "", Ask{Step: st, Target: path, Body: body}
}

// refused tells whether the guard refuses the step's token by itself.
func (st *Step) refused() bool {
	switch st.Request.Auth.Kind {
	case AuthDefault:
		return false
	case AuthToken:
		want := st.Expect.Status
		if want == nil {
			return false
		}
		return !slices.ContainsFunc(want.ranges, func(r statusRange) bool {
			return r.from != r.to || r.from != 401 && r.from != 403
		})
	default:
		return true
	}
}

// bought is how many requests of a request step are bought: when every request
// that no fault touches is answered well, and when all are answered badly.
func (st *Step) bought() (sure, worst int) { return st.attempts(false), st.attempts(true) }

// chancy tells whether a fault of the step strikes by chance.
func (st *Step) chancy() bool {
	return slices.ContainsFunc(st.Faults, func(f Fault) bool { return f.Probability > 0 })
}

// attempts plays the step's faults through and counts the requests bought.
func (st *Step) attempts(worst bool) int {
	script := new(control.Script)
	for _, f := range st.Faults {
		if worst && f.Probability > 0 {
			continue // it may not strike
		}
		// A fault that Validate refused is in no parsed file.
		_ = script.Add(f.Fault)
	}
	tries := 1
	if st.Retry != nil {
		tries += st.Retry.Max
	}
	count := 0
	for range tries {
		f := script.Next(control.Call{Endpoint: "api"})
		status, free := answered(f)
		if !free {
			count++
		}
		again := st.Retry != nil && st.Retry.On.Matches(status)
		if !again && (free || !worst) {
			return count
		}
	}
	return count
}

// answered is the status with which a fault answers, 0 for none, and whether
// it does so before anything is bought.
func answered(f *control.Fault) (status int, free bool) {
	if f == nil {
		return 0, false
	}
	status = f.Status
	if status == 0 && f.Body != "" {
		status = 500
	}
	return status, !f.After && (f.Drop || status != 0)
}

// actionPos is where the step says what it does.
func (st *Step) actionPos() Pos {
	switch {
	case st.Token != nil:
		return st.Token.Pos
	case st.Request != nil:
		return st.Request.Pos
	case st.Exec != nil:
		return st.Exec.Pos
	default:
		return st.Pos
	}
}
