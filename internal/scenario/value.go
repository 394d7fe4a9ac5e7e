package scenario

import "math"

// Kind is the kind of a [Value].
type Kind int

// The kinds of a Value.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Map
)

// Value is a JSON value as a scenario file writes it: every part has a place,
// and its strings are templates. It is never changed after parsing.
type Value struct {
	Kind Kind
	Pos  Pos
	// Scalar is the value of Bool (bool) and Number (int, float64 or Decimal).
	Scalar any
	// Text is the value of String.
	Text *Template
	// Items are the elements of List.
	Items []*Value
	// Members are the members of Map, in the order of the file.
	Members []Member

	// matcher is how a String under expect is compared; nil means by value.
	matcher *matcher
}

// Member is one member of an object. Pos is where its name stands.
type Member struct {
	Name  string
	Pos   Pos
	Value *Value
}

// Render returns v with its templates replaced by their values: nil, bool,
// int, float64, Decimal, string, []any, map[string]any, or what an expression
// made. Its JSON form has every number as the file has it.
func (v *Value) Render(env Env) (any, error) {
	return v.render(env, &budget{maxRendered, math.MaxInt})
}

func (v *Value) render(env Env, left *budget) (any, error) {
	switch v.Kind {
	case Bool, Number:
		return v.Scalar, nil
	case String:
		x, err := v.Text.Value(env)
		if err == nil && left.make(x) != nil {
			err = errRendered
		}
		return x, err
	case List:
		out := make([]any, len(v.Items))
		for i, item := range v.Items {
			x, err := item.render(env, left)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	case Map:
		out := make(map[string]any, len(v.Members))
		for _, m := range v.Members {
			x, err := m.Value.render(env, left)
			if err != nil {
				return nil, err
			}
			out[m.Name] = x
		}
		return out, nil
	default:
		return nil, nil
	}
}

// value reads a JSON value; text is called for each of its strings and sets
// what is to be set there. A nil n, reported before, makes a null.
func (d *decoder) value(n *node, text func(*node, *Value)) *Value {
	if n == nil {
		return &Value{}
	}
	v := &Value{Kind: n.kind, Pos: n.pos, Scalar: n.scalar}
	switch n.kind {
	case String:
		text(n, v)
	case List:
		for _, item := range n.items {
			v.Items = append(v.Items, d.value(item, text))
		}
	case Map:
		for _, e := range n.entries {
			v.Members = append(v.Members, Member{Name: e.key, Pos: e.pos, Value: d.value(e.value, text)})
		}
	}
	return v
}

// body reads a JSON value whose strings are templates.
func (d *decoder) body(n *node) *Value {
	return d.value(n, func(n *node, v *Value) { v.Text = d.template(n, 0, "a text") })
}

// want reads an expected JSON value: strings are templates or patterns.
func (d *decoder) want(n *node) *Value {
	return d.value(n, func(n *node, v *Value) {
		before := len(d.errs)
		if v.matcher = d.matcherOf(n); v.matcher != nil || len(d.errs) > before {
			v.Text = &Template{Text: n.text, Pos: n.pos, parts: []part{{text: n.text}}}
			return
		}
		v.Text = d.template(n, 0, "a text")
	})
}

// texts calls f for each string of v; of a pattern, for its operand.
func (v *Value) texts(f func(*Template)) {
	if v == nil {
		return
	}
	switch {
	case v.matcher != nil && v.matcher.operand != nil:
		f(v.matcher.operand)
	case v.Text != nil:
		f(v.Text)
	}
	for _, item := range v.Items {
		item.texts(f)
	}
	for _, m := range v.Members {
		m.Value.texts(f)
	}
}
