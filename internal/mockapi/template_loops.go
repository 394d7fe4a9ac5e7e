package mockapi

import (
	"errors"
	"fmt"
	"text/template"
	"text/template/parse"
)

// maxTurns is how often the parts of a template may be begun in one answer, and its loops
// turn: some tenths of a second, and far more than the items of a batch ask for.
const maxTurns = 1_000_000

var errTurns = errors.New("loops more than a million times")

// bound lets the templates of a set end: nothing can stop one that makes no text. None may
// be a part of itself, and each writes nothing, once, where it begins and where each of its
// loops does, so that the writer can count.
func bound(set *template.Template) error {
	parts := make(map[string][]string)
	for _, t := range set.Templates() {
		parts[t.Name()] = countTurns(t.Root)
	}
	done := make(map[string]bool) // false while its parts are looked at
	var look func(name string) error
	look = func(name string) error {
		if ended, begun := done[name]; begun && !ended {
			return fmt.Errorf("template %q is a part of itself", name)
		} else if ended {
			return nil
		}
		done[name] = false
		for _, part := range parts[name] {
			if err := look(part); err != nil {
				return err
			}
		}
		done[name] = true
		return nil
	}
	for name := range parts {
		if err := look(name); err != nil {
			return err
		}
	}
	return nil
}

// countTurns puts a text of no length before all else in a list, and in those below it. It
// returns the names of the templates that are called there.
func countTurns(list *parse.ListNode) (calls []string) {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.RangeNode:
			calls = append(append(calls, countTurns(n.List)...), countTurns(n.ElseList)...)
		case *parse.IfNode:
			calls = append(append(calls, countTurns(n.List)...), countTurns(n.ElseList)...)
		case *parse.WithNode:
			calls = append(append(calls, countTurns(n.List)...), countTurns(n.ElseList)...)
		case *parse.TemplateNode:
			calls = append(calls, n.Name)
		}
	}
	list.Nodes = append([]parse.Node{&parse.TextNode{NodeType: parse.NodeText, Pos: list.Pos}}, list.Nodes...)
	return calls
}
