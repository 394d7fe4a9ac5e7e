package scenario

import (
	"errors"
	"math"
	"strconv"

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
			if e.value != nil && e.value.kind == List && len(e.value.items) == 0 {
				d.errorf(e.value.pos, "nth must name at least one call")
			}
		case key == "seed":
			out.Seed = uint64(d.between(e.value, key, 0, math.MaxInt))
		case key == "probability":
			if d.is(e.value, Number, key) {
				out.Probability = d.probability(e.value)
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

// probability reads a chance. A fault that has none never strikes, which is
// another thing than a fault without this key.
func (d *decoder) probability(n *node) float64 {
	chance, err := strconv.ParseFloat(n.text, 64)
	switch {
	case err != nil || chance < 0 || chance > 1:
		d.errorf(n.pos, "probability %s is not between 0 and 1", n.text)
	case chance == 0:
		d.errorf(n.pos, "probability %s strikes never: leave the fault out", n.text)
	}
	return chance
}

// arm says which of a step's faults is more than a mock keeps, before the step is run.
func (d *decoder) arm(faults []Fault) {
	var mock control.Script
	for _, f := range faults {
		if err := mock.Add(f.Fault); err != nil {
			d.errorf(f.Pos, "too much for one step, spread the faults over several: %s", err)
			return
		}
	}
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
