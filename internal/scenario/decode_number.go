package scenario

import (
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/mockidp/control"
)

// maxNumber is the greatest number that a setting of a file may have, where nothing
// lower is said: sums of it overflow nowhere.
const maxNumber = 1_000_000_000

// digits is a whole number, however long.
var digits = pattern.New(`^[0-9]+$`)

// number reads a whole number between least and maxNumber.
func (d *decoder) number(n *node, what string, least int) int {
	return d.between(n, what, least, maxNumber)
}

// between reads a whole number between least and greatest.
func (d *decoder) between(n *node, what string, least, greatest int) int {
	if !d.is(n, Number, what) {
		return least
	}
	i, ok := n.scalar.(int)
	switch {
	case ok && least <= i && i <= greatest:
		return i
	case ok && i > greatest, !ok && digits.MatchString(n.text):
		d.errorf(n.pos, "%s must be a whole number of at most %d, not %s", what, greatest, n.text)
	default:
		d.errorf(n.pos, "%s must be a whole number of at least %d, not %s", what, least, n.text)
	}
	return least
}

// count reads an optional number of at least 0 and keeps its place.
func (d *decoder) count(f map[string]entry, key string) *Int {
	e, ok := f[key]
	if !ok {
		return nil
	}
	return &Int{Value: d.number(e.value, key, 0), Pos: e.pos}
}

// duration reads a duration such as 1s.
func (d *decoder) duration(n *node, what string) control.Duration {
	if n != nil && n.kind == Number {
		d.suggest(n.pos, n.text+"s", "%s must have a unit", what)
		return 0
	}
	var v control.Duration
	if !d.is(n, String, what) {
		return 0
	}
	if err := v.UnmarshalText([]byte(n.text)); err != nil {
		d.errorf(n.pos, "%s: %s", what, err)
	} else if v < 0 {
		d.errorf(n.pos, "%s must not be negative: time only goes forward", what)
	}
	return v
}

// limit reads a duration that ends something, where none given means no limit.
func (d *decoder) limit(n *node, what string) control.Duration {
	before := len(d.errs)
	v := d.duration(n, what)
	if v == 0 && len(d.errs) == before && n != nil {
		d.errorf(n.pos, "%s must be above 0: leave it out for no limit", what)
	}
	return v
}
