package scenario

import "strings"

// outcome reads faults, retry, expect and capture.
func (d *decoder) outcome(st *Step, f map[string]entry) {
	if e, ok := f["faults"]; ok {
		before := len(d.errs)
		for _, item := range d.list(e.value, "faults") {
			if d.is(item, Map, "a fault") {
				st.Faults = append(st.Faults, d.fault(item))
			}
		}
		if len(d.errs) == before {
			d.arm(st.Faults)
		}
	}
	if e, ok := f["retry"]; ok {
		st.Retry = d.retry(e)
	}
	if e, ok := f["expect"]; ok {
		st.Expect = d.expect(e, st.Exec != nil)
	}
	if e, ok := f["score"]; ok && st.Request != nil {
		st.Score = d.score(st, e)
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
	if !d.is(n, String, what) {
		return nil
	}
	before := len(d.errs)
	if strings.HasPrefix(strings.TrimSpace(n.text), "{{") {
		d.errorf(n.pos, "%s is an expression already: write it without {{ }}", what)
		return nil
	}
	if d.text(n, what); len(d.errs) > before {
		return nil
	}
	return d.expr(n, d.places(n), 0, len(n.text), role)
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
