package scenario

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp/control"
)

// stepID is what a step may be called, and headerName is RFC 9110's token.
var (
	stepID     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	headerName = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")
)

// methods are those that a request may have.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// endpoints are the names that a fault may strike.
var endpoints = []string{"token", "discovery", "jwks", "api"}

// actions are the keys that say what a step does. The last goes with the
// others, or stands alone.
var actions = []string{"token", "request", "exec", "clock"}

// actionKeys lists the keys that go with each action.
var actionKeys = map[string][]string{
	"token":   {"id", "environment", "faults", "retry", "expect", "capture"},
	"request": {"id", "environment", "api", "headers", "body", "auth", "faults", "retry", "expect", "capture"},
	"exec":    {"id", "faults", "expect"},
	"clock":   {"id"},
}

// Label is the step's id, or its number where it has none: "step 3".
func (s *Step) Label() string {
	switch {
	case s.ID != "":
		return s.ID
	case s.Final:
		return "finally step " + strconv.Itoa(s.Index+1)
	default:
		return "step " + strconv.Itoa(s.Index+1)
	}
}

// steps reads one list of steps.
func (d *decoder) steps(s *Scenario, items []*node, ids map[string]Pos, final bool) []*Step {
	var out []*Step
	for i, item := range items {
		before := len(d.errs)
		f := d.fields(item, "step")
		if f == nil {
			continue
		}
		complete := len(d.errs) == before
		st := &Step{Index: i, Final: final, Pos: item.pos, Environment: s.Environment}
		if e, ok := f["id"]; ok {
			st.ID = d.id(e, ids)
		}
		if e, ok := f["clock"]; ok {
			st.Clock, st.ClockPos = d.duration(e.value, "clock"), e.pos
		}
		if e, ok := f["environment"]; ok {
			st.Environment, st.EnvironmentPos = d.environment(e), e.pos
		}
		if action := d.action(st, f); action == "" && complete {
			d.errorf(item.pos, "a step needs one of token, request, exec or clock")
		}
		d.outcome(st, f)
		d.scope.capture(st.Capture)
		out = append(out, st)
	}
	return out
}

// id reads a step's id, which no other step has.
func (d *decoder) id(e entry, ids map[string]Pos) string {
	id := d.text(e.value, "id")
	if id == "" {
		return ""
	}
	if !stepID.MatchString(id) {
		d.errorf(e.value.pos, "id %q: use a letter, then letters, digits, _ and -", shorten(id))
	}
	if first, ok := ids[id]; ok {
		d.errorf(e.value.pos, "duplicate step id %q: line %d has it already", id, first.Line)
		return id
	}
	ids[id] = e.value.pos
	return id
}

// action reads what the step does, and reports keys that do not go with it. It
// returns the key that says so, or "".
func (d *decoder) action(st *Step, f map[string]entry) string {
	action := ""
	for _, key := range actions[:3] {
		e, ok := f[key]
		switch {
		case !ok:
		case action != "":
			d.errorf(e.pos, "a step does one thing: it has %s already", action)
		default:
			action = key
		}
	}
	switch action {
	case "token":
		st.Token = d.token(f["token"])
	case "request":
		st.Request = d.request(f)
	case "exec":
		st.Exec = d.exec(f["exec"])
	default:
		if _, ok := f["clock"]; !ok {
			return ""
		}
		action = "clock"
	}
	for _, key := range keys["step"] {
		e, ok := f[key]
		if ok && !slices.Contains(actions, key) && !slices.Contains(actionKeys[action], key) {
			d.errorf(e.pos, "%s does not go with %s", key, strings.Replace(action, "clock", "a step that only moves the clock", 1))
		}
	}
	return action
}

// token reads a token step.
func (d *decoder) token(e entry) *Token {
	t := &Token{Pos: e.pos, Client: Client{Kind: ClientDefault}}
	f := d.fields(e.value, "token")
	if e, ok := f["scope"]; ok {
		t.Scope = d.template(e.value, 0, "scope")
	}
	c, ok := f["client"]
	if !ok {
		return t
	}
	t.Client.Pos = c.pos
	if c.value == nil || c.value.kind != Map {
		t.Client.Kind = ClientKind(d.oneOf(c.value, "client", string(ClientDefault), string(ClientUnknown), string(ClientWrongSecret)))
		return t
	}
	t.Client.Kind = ClientGiven
	fields := d.fields(c.value, "client")
	for _, key := range keys["client"] {
		if _, ok := fields[key]; !ok {
			d.errorf(c.pos, "client: missing key %q", key)
		}
	}
	if e, ok := fields["id"]; ok {
		t.Client.ID = d.template(e.value, 0, "client id")
	}
	if e, ok := fields["secret"]; ok {
		t.Client.Secret = d.template(e.value, 0, "client secret")
	}
	return t
}

// request reads a request step.
func (d *decoder) request(f map[string]entry) *Request {
	e := f["request"]
	r := &Request{Pos: e.pos, API: avalara.Current, Auth: Auth{Kind: AuthDefault}}
	d.requestLine(r, e.value)
	if e, ok := f["api"]; ok {
		var names []string
		for _, api := range avalara.APIs() {
			names = append(names, string(api))
		}
		r.API = avalara.API(d.oneOf(e.value, "api", names...))
	}
	if e, ok := f["headers"]; ok && d.is(e.value, Map, "headers") {
		for _, h := range d.headers(e.value) {
			r.Headers = append(r.Headers, Header{h.key, h.pos, d.template(h.value, 0, "a header")})
		}
	}
	if e, ok := f["body"]; ok {
		r.Body = d.body(e.value)
	}
	if e, ok := f["auth"]; ok {
		r.Auth = d.auth(e)
	}
	return r
}

// requestLine reads "POST /path".
func (d *decoder) requestLine(r *Request, n *node) {
	if !d.is(n, String, "request") {
		return
	}
	method, path, ok := strings.Cut(n.text, " ")
	if !ok {
		d.errorf(n.pos, `request must be a method and a path, such as "POST /hscode/classify"`)
		return
	}
	if !slices.Contains(methods, method) {
		guess := strings.ToUpper(method)
		if !slices.Contains(methods, guess) {
			guess = nearest(method, methods)
		}
		d.suggest(n.pos, guess, "unknown method %q", shorten(method))
	}
	from := len(n.text) - len(strings.TrimLeft(path, " "))
	if path = n.text[from:]; !strings.HasPrefix(path, "/") {
		d.errorf(d.at(n, from), "the path must start with a slash: the host is chosen by environment and api")
		return
	}
	if pieces, _, err := split(path); err == nil {
		for _, p := range pieces {
			if at := strings.IndexAny(path[p.from:p.to], " \t\n#"); !p.expr && at >= 0 {
				d.errorf(d.at(n, from+p.from+at), "a path must not hold spaces or #")
				return
			}
		}
	}
	r.Method, r.Path = method, d.template(n, from, "request")
}

// headers returns the entries of a map of headers, each name once whatever its
// case.
func (d *decoder) headers(n *node) []entry {
	seen := make(map[string]bool)
	var out []entry
	for _, e := range n.entries {
		lower := strings.ToLower(e.key)
		switch {
		case !headerName.MatchString(e.key):
			d.errorf(e.pos, "%q is no header name", shorten(e.key))
		case seen[lower]:
			d.errorf(e.pos, "duplicate header %q: case makes no difference", e.key)
		default:
			out = append(out, e)
		}
		seen[lower] = true
	}
	return out
}

// auth reads the choice of token.
func (d *decoder) auth(e entry) Auth {
	a := Auth{Pos: e.pos}
	if e.value == nil || e.value.kind != Map {
		a.Kind = AuthKind(d.oneOf(e.value, "auth", string(AuthDefault), string(AuthNone), string(AuthExpired), string(AuthBadSignature), string(AuthWrongScope)))
		return a
	}
	a.Kind = AuthToken
	before := len(d.errs)
	t, ok := d.fields(e.value, "auth")["token"]
	if !ok {
		if len(d.errs) == before {
			d.errorf(e.value.pos, `auth: missing key "token"`)
		}
		return a
	}
	a.Token = d.template(t.value, 0, "auth token")
	return a
}

// exec reads an exec step.
func (d *decoder) exec(e entry) *Exec {
	x := &Exec{Pos: e.pos}
	before := len(d.errs)
	f := d.fields(e.value, "exec")
	if c, ok := f["command"]; ok {
		for _, word := range d.list(c.value, "command") {
			x.Command = append(x.Command, d.template(word, 0, "a word of a command"))
		}
	}
	if len(x.Command) == 0 && len(d.errs) == before {
		d.errorf(e.pos, "exec needs a command, such as [go, test, ./...]")
	}
	if t, ok := f["timeout"]; ok {
		x.Timeout = d.duration(t.value, "timeout")
	}
	return x
}

// outcome reads faults, retry, expect and capture.
func (d *decoder) outcome(st *Step, f map[string]entry) {
	if e, ok := f["faults"]; ok {
		for _, item := range d.list(e.value, "faults") {
			if d.is(item, Map, "a fault") {
				st.Faults = append(st.Faults, d.fault(item))
			}
		}
	}
	if e, ok := f["retry"]; ok {
		st.Retry = d.retry(e)
	}
	if e, ok := f["expect"]; ok {
		st.Expect = d.expect(e, st.Exec != nil)
	}
	if e, ok := f["capture"]; ok {
		for _, c := range d.names(e.value, "capture") {
			if first, ok := d.scope.captures[c.key]; ok {
				d.errorf(c.pos, "duplicate capture %q: line %d makes it already", c.key, first.Line)
			}
			st.Capture = append(st.Capture, Capture{c.key, c.pos, d.expression(c.value, "a capture", inCapture)})
		}
	}
}

// expression reads a string that is an expression over res.
func (d *decoder) expression(n *node, what string, role role) *Expr {
	before := len(d.errs)
	if d.text(n, what); len(d.errs) > before || n == nil {
		return nil
	}
	return d.expr(n, n.places(d.lines), 0, len(n.text), role)
}

// retry reads when to send again.
func (d *decoder) retry(e entry) *Retry {
	r := &Retry{Pos: e.pos}
	f := d.fields(e.value, "retry")
	if f == nil {
		return r
	}
	for _, key := range []string{"max", "on"} {
		if _, ok := f[key]; !ok {
			d.errorf(e.pos, "retry: missing key %q", key)
		}
	}
	if m, ok := f["max"]; ok {
		if r.Max = d.number(m.value, "max", 1); r.Max > 100 {
			d.errorf(m.value.pos, "max: more than 100 retries")
		}
	}
	if on, ok := f["on"]; ok {
		r.On = d.status(on.value, "on")
	}
	if i, ok := f["interval"]; ok {
		r.Interval = d.duration(i.value, "interval")
	}
	return r
}

// expect reads the expectations. Those about an answer do not go with exec.
func (d *decoder) expect(e entry, exec bool) Expect {
	out := Expect{Pos: e.pos}
	f := d.fields(e.value, "expect")
	for _, key := range keys["expect"] {
		if e, ok := f[key]; ok && exec && key != "spend" && key != "calls" {
			d.errorf(e.pos, "%s does not go with exec: a command has no answer", key)
			return out
		}
	}
	if s, ok := f["status"]; ok {
		out.Status = d.status(s.value, "status")
	}
	if h, ok := f["headers"]; ok && d.is(h.value, Map, "headers") {
		for _, h := range d.headers(h.value) {
			if d.is(h.value, String, "an expected header") {
				out.Headers = append(out.Headers, HeaderWant{h.key, h.pos, d.want(h.value)})
			}
		}
	}
	if j, ok := f["json"]; ok {
		out.JSON = d.want(j.value)
	}
	out.Spend, out.Calls = d.count(f, "spend"), d.count(f, "calls")
	if a, ok := f["assert"]; ok {
		for _, item := range d.list(a.value, "assert") {
			out.Assert = append(out.Assert, d.expression(item, "an assertion", inAssert))
		}
	}
	return out
}

// fault reads one fault.
func (d *decoder) fault(n *node) Fault {
	before := len(d.errs)
	f := d.fields(n, "fault")
	out := Fault{Pos: n.pos}
	texts := map[string]*string{"client": &out.Client, "scope": &out.Scope, "body": &out.Body, "content_type": &out.ContentType}
	flags := map[string]*bool{"always": &out.Always, "after": &out.After, "drop": &out.Drop, "malformed_json": &out.MalformedJSON}
	numbers := map[string]*int{"times": &out.Times, "truncate": &out.Truncate}
	for _, key := range keys["fault"] {
		e, ok := f[key]
		if !ok {
			continue
		}
		switch {
		case texts[key] != nil:
			*texts[key] = d.text(e.value, key)
		case flags[key] != nil:
			*flags[key] = d.flag(e.value, key)
		case numbers[key] != nil:
			*numbers[key] = d.number(e.value, key, 1)
		case key == "on":
			out.On = d.oneOf(e.value, "endpoint", endpoints...)
		case key == "token":
			out.Token = d.oneOf(e.value, "token defect", control.TokenDefects()...)
		case key == "nth":
			for _, item := range d.list(e.value, key) {
				out.Nth = append(out.Nth, d.number(item, key, 1))
			}
		case key == "seed":
			out.Seed = uint64(d.number(e.value, key, 0))
		case key == "probability":
			if d.is(e.value, Number, key) {
				out.Probability, _ = toFloat(e.value.scalar)
				if out.Probability < 0 || out.Probability > 1 {
					d.errorf(e.value.pos, "probability %s is not between 0 and 1", e.value.text)
				}
			}
		case key == "status":
			if out.Status = d.number(e.value, key, 200); out.Status > 599 {
				d.errorf(e.value.pos, "status %d is not between 200 and 599", out.Status)
			}
		case key == "latency":
			out.Latency = d.duration(e.value, key)
		case key == "headers" && d.is(e.value, Map, key):
			out.Headers = make(map[string]string)
			for _, h := range d.headers(e.value) {
				out.Headers[h.key] = d.text(h.value, "a header")
			}
		}
	}
	if err := out.Validate(); err != nil && len(d.errs) == before {
		d.faultErrors(n, err)
	}
	return out
}

// faultErrors reports what Validate joined, one error each.
func (d *decoder) faultErrors(n *node, err error) {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		d.errorf(n.pos, "%s", err)
		return
	}
	for _, err := range joined.Unwrap() {
		d.errorf(n.pos, "%s", err)
	}
}
