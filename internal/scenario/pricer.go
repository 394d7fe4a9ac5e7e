package scenario

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// Pricer prices files as one run buys them, one after the other: in record mode
// what is recorded is not bought, nor what was bought for an earlier file. It
// opens no socket. It is not safe for concurrent use.
type Pricer struct {
	// Cost is the price list.
	Cost Cost
	// Mode is how far the run goes; a file's own ceiling lowers it. Below
	// record nothing is bought.
	Mode guard.Mode
	// Cassette is where recordings are looked up. Nil means that there are none.
	Cassette *guard.Cassette

	bought map[string]bool // the keys of what a run buys, if all goes well
	worst  int             // of the files so far, Resent left out
	resent map[string]int  // the dearest of theirs, by scope
	kept   int             // bytes of the bodies of all asks
	most   int             // steps for all cases of a file; zero means maxAllSteps
}

// Worst is the most that all files which were priced can buy in one run. It is
// less than the sum of theirs where several would send a request again: a run does
// that once for each scope.
func (p *Pricer) Worst() int {
	sum := p.worst
	for _, units := range p.resent {
		sum += units
	}
	return sum
}

// Price is what s adds to the run. vars is what [Scenario.ResolveVars] returned.
// What a capture stands for is read from the recording that it comes from; a
// request that depends on one without a recording is priced as not recorded.
// The error is that of a recording which can't be read.
func (p *Pricer) Price(s *Scenario, vars map[string]any) (Price, error) {
	mode := p.Mode
	if c := s.Ceiling(); c.Mode != "" {
		ceiling, err := guard.ParseMode(c.Mode)
		if err != nil {
			return Price{}, err
		}
		mode = min(mode, ceiling)
	}
	return p.price(s, vars, mode)
}

// price adds the cases up.
func (p *Pricer) price(s *Scenario, vars map[string]any, mode guard.Mode) (Price, error) {
	out := Price{Resent: make(map[string]int)}
	cases, most := s.Cases(), cmp.Or(p.most, maxAllSteps)
	left := most
	tries := make(map[*Step]attempts)
	for i, c := range cases {
		cp := CasePrice{Case: c}
		env := Env{Vars: vars, Matrix: c.Values, Row: c.Row, Capture: s.captured(), left: &left}
		known := make(map[string]bool) // the captures that a recording gave
		for st := range s.all() {
			unit, why, ask := st.price(env, p.Cost)
			if env.spend(2*evaluation + handled(ask.Body)); left < 0 {
				return Price{}, s.Problem(st.actionPos(), fmt.Sprintf("to price all cases takes more than %d steps, the most that it may take: %d of %s were priced. "+
					"Let templates do less, bodies be smaller, or choose fewer cases", most, i, plural(len(cases), "case")))
			}
			if why != "" {
				if !slices.ContainsFunc(out.Unpriced, func(u Unpriced) bool { return u.Step == st }) {
					out.Unpriced = append(out.Unpriced, Unpriced{Step: st, Why: why, Pos: st.actionPos()})
				}
				continue
			}
			of, ok := tries[st]
			if !ok {
				of = p.attempts(st)
				tries[st] = of
			}
			sure := of.sure
			out.Expected += sure * unit
			chancy, unknown := st.chancy(), mode == guard.Record && p.Cassette != nil && st.Request != nil && !st.Request.knowable(known)
			if !chancy {
				cp.Counted += sure * unit
			}
			found, err := p.find(st, env, known)
			if err != nil {
				return Price{}, err
			}
			recorded := found.Answer != nil
			if recorded && unit > 0 {
				cp.Recorded += sure
			}
			if ask.Step != nil {
				ask.Body, ask.Target = p.keep(ask.Body), shortened(ask.Target).(string)
				ask.Buys, ask.Found = p.alone(mode, recorded, sure)*unit, found
				cp.Asks = append(cp.Asks, ask)
			}
			paid := p.bought[found.Key]
			sure, worst := p.buys(mode, of, found.Key, recorded)
			if found.Again && mode == guard.Record && unit > 0 && !paid {
				out.Again += sure
			}
			cp.Sure += sure * unit
			if !chancy && !unknown {
				cp.Least += sure * unit
			}
			cp.Worst += worst * unit
			if worst > 0 && unit > 0 {
				scope := avalara.HostOf(st.Environment, st.Request.API).Scopes[0]
				out.Resent[scope] = max(out.Resent[scope], unit)
			}
		}
		out.Cases = append(out.Cases, cp)
		out.Recorded += cp.Recorded
		out.Sure += cp.Sure
		out.Least += cp.Least
		out.Counted += cp.Counted
		out.Uncapped += cp.Worst
	}
	if s.Quota.Expected != nil && s.Partial == "" {
		out.Expected = s.Quota.Expected.Value
	}
	own := out.Uncapped
	out.Worst = own
	for _, units := range out.Resent {
		out.Worst += units
	}
	open := len(out.Unpriced) > 0 && mode.Buys()
	switch limit := s.Quota.Max; {
	case limit == nil:
		out.Open = open
	case open:
		own, out.Worst = limit.Value, limit.Value
	default:
		own, out.Worst = min(own, limit.Value), min(out.Worst, limit.Value)
	}
	p.add(own, out)
	return out, nil
}

// What is kept of the bodies of all requests, in bytes, and of each text in one: there
// may be 10,000 cases, each with a body of megabytes that an expression makes.
const (
	maxKept     = 64 << 20
	maxKeptText = 4 << 10
)

// keep is what is kept of a body; nil where there is no room for more.
func (p *Pricer) keep(body any) any {
	body = shortened(body)
	size := sizeOf(body, maxKept)
	if p.kept+size > maxKept {
		return nil
	}
	p.kept += size
	return body
}

// shortened is a value whose long texts are cut.
func shortened(v any) any {
	switch v := v.(type) {
	case string:
		if len(v) > maxKeptText {
			return strings.Clone(strings.ToValidUTF8(v[:maxKeptText], "")) // the rest of it would be kept too
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = shortened(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = shortened(v[k])
		}
		return out
	}
	return v
}

// add takes a file's worst case into that of the run; own leaves out what is sent
// again.
func (p *Pricer) add(own int, of Price) {
	p.worst += own
	if p.resent == nil {
		p.resent = make(map[string]int)
	}
	for scope, units := range of.Resent {
		p.resent[scope] = max(p.resent[scope], min(units, of.Worst-own))
	}
}

// attempts is how many requests of a step are bought, as far as the file alone tells, and
// whether a retry may be paid for in record mode: the same for all cases.
type attempts struct {
	sure, worst int
	again       bool
}

func (p *Pricer) attempts(st *Step) attempts {
	sure, worst := st.bought()
	return attempts{sure, worst, p.buysAgain(st.Retry)}
}

// buys is how many of a step's requests are bought in a mode, of those that get
// as far as the guard.
func (p *Pricer) buys(mode guard.Mode, of attempts, key string, recorded bool) (int, int) {
	sure, worst := of.sure, of.worst
	switch {
	case !mode.Buys(), mode == guard.Record && recorded:
		return 0, 0
	case mode == guard.Live:
		return sure, worst
	}
	// A retry gets the recorded answer, unless what came is none, or none came
	// (502), which may be paid for all the same.
	if !of.again {
		worst = min(worst, 1)
	}
	sure = min(sure, 1)
	if key != "" && sure > 0 {
		if p.bought[key] {
			return 0, worst
		}
		if p.bought == nil {
			p.bought = make(map[string]bool)
		}
		p.bought[key] = true
	}
	return sure, worst
}

// alone is how many of a step's requests are bought in a mode if nothing is bought before.
func (p *Pricer) alone(mode guard.Mode, recorded bool, sure int) int {
	switch {
	case !mode.Buys(), recorded && mode == guard.Record:
		return 0
	case mode == guard.Live:
		return sure
	}
	return min(sure, 1)
}

// buysAgain tells whether a retry may be paid for in record mode: it follows on a
// status that answers no later request, and that does not stop the run.
func (p *Pricer) buysAgain(retry *Retry) bool {
	if retry == nil {
		return false
	}
	for status := 200; status < 600; status++ {
		if status == http.StatusForbidden || status == http.StatusTooManyRequests {
			continue
		}
		if retry.On.Matches(status) && (status == http.StatusBadGateway || p.Cassette == nil || !p.Cassette.Answers(status)) {
			return true
		}
	}
	return false
}

// find looks the step's request up, and gives its captures the values that they
// have in the recording. The key is empty where the request is not known before
// an earlier one is answered.
func (p *Pricer) find(st *Step, env Env, known map[string]bool) (guard.Found, error) {
	if p.Cassette == nil || st.Request == nil || st.refused() || !st.Request.knowable(known) {
		return guard.Found{}, nil
	}
	r, body, err := st.Request.prepare(context.Background(), "http://127.0.0.1", env)
	if err != nil {
		return guard.Found{}, nil //nolint:nilerr // the run will say it: its price is known all the same
	}
	found, err := p.Cassette.Find(st.Environment, st.Request.API, r, body)
	take := found.Answer
	if err != nil || take == nil {
		return found, err
	}
	answer := exchange{status: take.Response.Status, header: take.Response.Header, body: take.Response.Body}
	env.Res = answer.response(st)
	for _, c := range st.Capture {
		if v, err := c.Expr.Eval(env); err == nil && v != nil {
			env.Capture[c.Name], known[c.Name] = v, true
		}
	}
	return found, nil
}

// knowable tells whether every capture that the request is made of is known.
func (r *Request) knowable(known map[string]bool) bool {
	ok := true
	see := func(t *Template) {
		for _, part := range t.parts {
			if part.expr == nil {
				continue
			}
			for _, u := range part.expr.uses {
				ok = ok && (u.space != "capture" || known[u.name])
			}
		}
	}
	see(r.Path)
	for _, h := range r.Headers {
		see(h.Value)
	}
	r.Body.texts(see)
	return ok
}
