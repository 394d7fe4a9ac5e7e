package shape

import (
	"fmt"
	"strconv"
	"strings"
)

// placeError is what is wrong with a value, and where it began.
type placeError struct {
	at   int
	text string
}

func (e *placeError) Error() string { return e.text }

func bad(v Value, format string, args ...any) error {
	return &placeError{v.At, fmt.Sprintf(format, args...)}
}

// fixed stands for itself.
type fixed struct{ v Value }

func (n fixed) render(*scene) (Value, bool) { return n.v, true }
func (n fixed) visit(f func(node))          { f(n) }

// object renders its members in order.
type object struct {
	names []string
	items []node
}

func (n *object) render(c *scene) (Value, bool) {
	v := Value{Kind: Object}
	for i, item := range n.items {
		if made, there := item.render(c); there {
			v.Names, v.Items = append(v.Names, n.names[i]), append(v.Items, made)
		}
	}
	return v, true
}

func (n *object) visit(f func(node)) { visitAll(n, n.items, f) }

// list renders its elements in order.
type list struct{ items []node }

func (n *list) render(c *scene) (Value, bool) {
	v := Value{Kind: List}
	for _, item := range n.items {
		if made, there := item.render(c); there {
			v.Items = append(v.Items, made)
		}
	}
	return v, true
}

func (n *list) visit(f func(node)) { visitAll(n, n.items, f) }

func visitAll(n node, items []node, f func(node)) {
	f(n)
	for _, item := range items {
		item.visit(f)
	}
}

// each renders its item for each code, or each item of a batch.
type each struct {
	items       bool
	least, most int
	item        node
}

func (n *each) render(c *scene) (Value, bool) {
	v := Value{Kind: List}
	add := func(inner scene) {
		inner.dice = c.dice
		if made, there := n.item.render(&inner); there {
			v.Items = append(v.Items, made)
		}
	}
	if n.items {
		for i := range c.root.Items {
			add(scene{root: c.root, item: &c.root.Items[i], rank: i, inItem: true})
		}
		return v, true
	}
	for i := range c.item.Found {
		if n.most > 0 && i == n.most {
			break
		}
		add(scene{root: c.root, item: c.item, match: &c.item.Found[i], rank: i, inItem: c.inItem})
	}
	return v, true
}

func (n *each) visit(f func(node)) { f(n); n.item.visit(f) }

// itemsInItems tells whether the items of a batch are gone through for each of its items: a
// request of a megabyte has tens of thousands.
func itemsInItems(n node) (nested bool) {
	n.visit(func(n node) {
		if outer, ok := n.(*each); ok && outer.items {
			outer.item.visit(func(n node) {
				inner, ok := n.(*each)
				nested = nested || ok && inner.items
			})
		}
	})
	return nested
}

// by renders one of several, by what was asked.
type by struct {
	key       string // country, language or a pointer
	names     []string
	items     []node
	otherwise node // nil leaves it out
}

func (n *by) render(c *scene) (Value, bool) {
	key := ""
	switch n.key {
	case "country":
		if key = c.item.Country; key == "" {
			key = c.root.Country
		}
	case "language":
		key = c.root.Language
	default:
		if v, ok := c.find(n.key); ok {
			key = Key(v)
		}
	}
	for i, name := range n.names {
		if name == key {
			return n.items[i].render(c)
		}
	}
	if n.otherwise == nil {
		return Value{}, false
	}
	return n.otherwise.render(c)
}

func (n *by) visit(f func(node)) {
	visitAll(n, n.items, f)
	if n.otherwise != nil {
		n.otherwise.visit(f)
	}
}

// Key is a value as a name of $by.
func Key(v Value) string {
	if v.Kind == Text {
		return v.Text
	}
	return string(v.Append(nil))
}

// seen renders one of those that were seen.
type seen struct{ items []node }

func (n *seen) render(c *scene) (Value, bool) { return n.items[c.choice(len(n.items))].render(c) }
func (n *seen) visit(f func(node))            { visitAll(n, n.items, f) }

// compileNode understands a value of a template. Errors are [*placeError]s.
func compileNode(v Value) (node, error) {
	switch v.Kind {
	case Text:
		if strings.HasPrefix(v.Text, "$$") {
			return fixed{Of(v.Text[1:])}, nil
		}
		if strings.HasPrefix(v.Text, "$") {
			return compileLeaf(v)
		}
	case Object:
		if len(v.Names) > 0 && strings.HasPrefix(v.Names[0], "$") && !strings.HasPrefix(v.Names[0], "$$") {
			return compileChoice(v)
		}
		n := &object{}
		for i, name := range v.Names {
			if strings.HasPrefix(name, "$$") {
				name = name[1:]
			}
			item, err := compileNode(v.Items[i])
			if err != nil {
				return nil, err
			}
			n.names, n.items = append(n.names, name), append(n.items, item)
		}
		return n, nil
	case List:
		items, err := compileAll(v.Items)
		return &list{items}, err
	}
	return fixed{v}, nil
}

func compileAll(values []Value) ([]node, error) {
	var all []node
	for _, v := range values {
		n, err := compileNode(v)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// compileChoice understands $each, $by and $seen.
func compileChoice(v Value) (node, error) {
	members := map[string]Value{}
	for i, name := range v.Names {
		members[name] = v.Items[i]
	}
	only := func(names ...string) error {
		for _, name := range v.Names[1:] {
			found := false
			for _, n := range names {
				found = found || n == name
			}
			if !found {
				return bad(v, "%s has no member %q", v.Names[0], name)
			}
		}
		return nil
	}
	first := v.Items[0]
	switch v.Names[0] {
	case "$each":
		if err := only("least", "most", "item"); err != nil {
			return nil, err
		}
		item, ok := members["item"]
		if !ok || first.Kind != Text || first.Text != "found" && first.Text != "items" {
			return nil, bad(first, `want {"$each": "found", "item": …} or "items"`)
		}
		n := &each{items: first.Text == "items"}
		for name, at := range map[string]*int{"least": &n.least, "most": &n.most} {
			if m, ok := members[name]; ok {
				var err error
				if *at, err = strconv.Atoi(m.Text); m.Kind != Number || err != nil || *at < 0 || *at > mostFound {
					return nil, bad(m, "%s is no number from 0 to %d", name, mostFound)
				}
			}
		}
		var err error
		n.item, err = compileNode(item)
		return n, err
	case "$by":
		if err := only("is", "else"); err != nil {
			return nil, err
		}
		is := members["is"]
		if first.Kind != Text || is.Kind != Object {
			return nil, bad(first, `want {"$by": "country", "is": { … }, "else": …}`)
		}
		if first.Text != "country" && first.Text != "language" {
			if err := checkPointer(first.Text); err != nil {
				return nil, bad(first, "$by is neither country nor language, and %v", err)
			}
		}
		items, err := compileAll(is.Items)
		if err != nil {
			return nil, err
		}
		n := &by{key: first.Text, names: is.Names, items: items}
		if other, ok := members["else"]; ok {
			if n.otherwise, err = compileNode(other); err != nil {
				return nil, err
			}
		}
		return n, nil
	case "$seen":
		if err := only(); err != nil {
			return nil, err
		}
		if first.Kind != List || len(first.Items) == 0 {
			return nil, bad(first, "$seen wants a list of what was seen")
		}
		items, err := compileAll(first.Items)
		return &seen{items}, err
	}
	return nil, bad(v, "%q is none of $each, $by, $seen; a member that begins with $ is written with two", v.Names[0])
}

// mostFound bounds a list of codes.
const mostFound = 100
