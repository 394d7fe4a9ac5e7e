package scenario

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// reference is ${NAME} or ${NAME:-default}; "$${" stands for "${" itself.
var reference = pattern.New(`\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

// vars reads the variables.
func (d *decoder) vars(n *node) []Var {
	var out []Var
	for _, e := range d.names(n, "vars") {
		out = append(out, Var{Name: e.key, Pos: e.pos, Value: d.varValue(e.value)})
	}
	return out
}

// varValue reads a variable's value: its strings are no templates, but may
// read the environment.
func (d *decoder) varValue(n *node) *Value {
	return d.value(n, func(n *node, v *Value) {
		v.Text = &Template{Text: n.text, Pos: n.pos, parts: []part{{text: n.text}}}
		if at := strings.Index(n.text, "{{"); at >= 0 {
			d.errorf(d.at(n, at), "vars are no place for a template: they are read before any step")
		}
		rest := reference.Regexp().ReplaceAllStringFunc(n.text, func(m string) string { return strings.Repeat(" ", len(m)) })
		if at := strings.Index(rest, "${"); at >= 0 {
			d.errorf(d.at(n, at), `"${" must go on as NAME} or NAME:-default}; write "$${" for the text itself`)
		}
	})
}

// ResolveVars returns what vars.NAME stands for, and the texts that came from
// the environment: those may be secrets and are masked in reports, unless they
// are shorter than four characters. lookup is
// [os.LookupEnv] or like it; an empty variable counts as unset where there is
// a default. The error is of type [Errors] and names every variable that is
// neither set nor has a default.
func (s *Scenario) ResolveVars(lookup func(string) (string, bool)) (values map[string]any, fromEnv []string, err error) {
	values = make(map[string]any, len(s.Vars))
	var errs Errors
	left, seen := room(maxRendered), make(map[string]bool)
	for _, v := range s.Vars {
		value, err := v.Value.Render(Env{})
		if err != nil {
			return nil, nil, err
		}
		values[v.Name], err = expand(value, func(text string) (string, error) {
			var missing error
			out := reference.Regexp().ReplaceAllStringFunc(text, func(m string) string {
				if strings.HasPrefix(m, "$$") {
					return m[1:]
				}
				parts := reference.FindStringSubmatch(m)
				got, ok := lookup(parts[1])
				switch {
				case ok && (got != "" || parts[2] == ""):
					if got != "" && !seen[got] {
						seen[got] = true
						fromEnv = append(fromEnv, got)
					}
					if left.take(len(got)) != nil {
						missing = fmt.Errorf("vars.%s: what it names of the environment has more than %d MB: name less of it", v.Name, maxRendered>>20)
						return ""
					}
					return got
				case parts[2] != "":
					return parts[3]
				}
				missing = fmt.Errorf("vars.%s: the environment has no %s; set it, or write ${%s:-default}", v.Name, parts[1], parts[1])
				return ""
			})
			return out, missing
		})
		if err != nil {
			errs = append(errs, s.Problem(v.Pos, err.Error()))
		}
	}
	if len(errs) > 0 {
		return nil, nil, errs
	}
	return values, fromEnv, nil
}

// expand applies f to every string of a JSON value.
func expand(v any, f func(string) (string, error)) (any, error) {
	var errs []error
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			s, err := f(v)
			errs = append(errs, err)
			return s
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		}
		return v
	}
	v = walk(v)
	return v, errors.Join(errs...)
}
