package scenario

import (
	"errors"

	"github.com/hsharness/hsharness/mockidp/control"
)

// endpoints are the names that a fault may strike.
var endpoints = []string{"token", "discovery", "jwks", "api"}

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
