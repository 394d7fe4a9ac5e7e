package strict

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/hsharness/hsharness/internal/nearest"
	"github.com/hsharness/hsharness/internal/pattern"
)

// plain refuses what stands for something else: references and tags can make a
// value of a text that nobody sees.
func (f *File) plain(path string, n ast.Node) bool {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		f.add(path, n, "%s: anchors and aliases are not read here; write the value itself", where(path))
		return false
	case *ast.TagNode:
		f.add(path, n, "%s: tags such as !!int are not read here; write the value itself", where(path))
		return false
	case *ast.NullNode, nil:
		f.add(path, n, "%s is empty: leave it out, or say what it is", where(path))
		return false
	}
	return true
}

// members are the pairs of a mapping.
func members(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

// object checks a mapping.
func (f *File) object(want *node, path string, n ast.Node) {
	if !f.plain(path, n) {
		return
	}
	pairs, ok := members(n)
	if !ok {
		f.add(path, n, "%s has to be settings with names, not %s", where(path), what(n))
		return
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			f.add(path, pair.Key, "%q is no name of a setting", pair.Key.String())
			continue
		}
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		member := want.member(key.Value)
		switch {
		case member == nil:
			names := make([]string, len(want.members))
			for i, m := range want.members {
				names[i] = m.name
			}
			meant := nearest.Word(key.Value, names)
			if meant != "" {
				meant = fmt.Sprintf(" (did you mean %q?)", meant)
			}
			f.add(at, key, "unknown setting %s%s; %s has: %s", short(strconv.Quote(key.Value)), meant, where(path), strings.Join(names, ", "))
		case seen[key.Value]:
			f.add(at, key, "%s is there twice", at)
		default:
			f.value(member, at, pair.Value)
		}
		seen[key.Value] = true
	}
	for _, m := range want.members {
		if m.Required && !seen[m.name] {
			f.add(strings.TrimPrefix(path+"."+m.name, "."), n, "%s is missing", strings.TrimPrefix(path+"."+m.name, "."))
		}
	}
}

// value checks the value of a setting.
func (f *File) value(want *node, path string, n ast.Node) {
	if !f.plain(path, n) {
		return
	}
	switch want.Kind {
	case Object:
		f.object(want, path, n)
	case List:
		f.list(want, path, n)
	case Integer:
		f.integer(want, path, n)
	case Decimal:
		f.decimal(want, path, n)
	case Boolean:
		if _, ok := n.(*ast.BoolNode); !ok {
			f.add(path, n, "%s is %s, want true or false", path, what(n))
		}
	case Text:
		f.text(want, path, n)
	case TextOrInteger:
		if _, ok := n.(*ast.StringNode); ok {
			f.text(want, path, n)
			return
		}
		f.integer(want, path, n)
	case Texts, TextOrList:
		if _, ok := n.(*ast.SequenceNode); ok {
			f.list(want, path, n)
			return
		}
		f.text(want, path, n)
	case TextOrObject:
		if _, ok := members(n); ok {
			f.object(want, path, n)
			return
		}
		f.text(want, path, n)
	case Anything:
		f.anything(path, n)
	case Map:
		f.named(want, path, n)
	}
}

// named checks texts by names that are the user's own.
func (f *File) named(want *node, path string, n ast.Node) {
	pairs, ok := members(n)
	if !ok {
		f.add(path, n, "%s is %s, want %s", path, what(n), want.Want)
		return
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			f.add(path, pair.Key, "%s: %q is no name", path, pair.Key.String())
			continue
		}
		at := path + "." + key.Value
		if seen[key.Value] {
			f.add(at, key, "%s is there twice", short(at))
		}
		seen[key.Value] = true
		if err := want.CheckName(key.Value); err != nil {
			f.add(at, key, "%s: %s", path, short(err.Error()))
		}
		if !f.plain(at, pair.Value) {
			continue
		}
		if text, ok := textOf(pair.Value); !ok {
			f.add(at, pair.Value, "%s is %s, want a text; put quotes around it", short(at), f.shown(want, pair.Value))
		} else if err := want.Check(text); err != nil {
			f.add(at, pair.Value, "%s: %v", short(at), err)
		}
	}
}

// textOf is the text of a node that is one.
func textOf(n ast.Node) (text string, ok bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	}
	return "", false
}

func (f *File) list(want *node, path string, n ast.Node) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		f.add(path, n, "%s is %s, want a list", path, what(n))
		return
	}
	if want.NotEmpty && len(list.Values) == 0 {
		f.add(path, n, "%s is an empty list: leave it out, or say what is in it", path)
	}
	for i, item := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case want.Kind == Texts:
			if f.plain(at, item) {
				f.text(want, at, item)
			}
		case want.item != nil:
			f.value(want.item, at, item)
		default:
			f.object(want, at, item)
		}
	}
}

// integer takes the number as it is written: what the library would make of it
// does not matter.
// number is how a number is written; empty for what is none.
func number(n ast.Node) string {
	switch v := n.(type) {
	case *ast.IntegerNode:
		return v.Token.Value
	case *ast.FloatNode:
		return v.Token.Value
	}
	return ""
}

func (f *File) integer(want *node, path string, n ast.Node) {
	text := number(n)
	if !wholeNumber.MatchString(text) {
		f.add(path, n, "%s is %s, want a whole number in decimal digits, without quotes", path, f.shown(want, n))
		return
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < want.Min || value > want.Max {
		if want.Min == want.Max {
			f.add(path, n, "%s is %s, this program knows %s %d", path, short(text), path, want.Min)
			return
		}
		f.add(path, n, "%s is %s, want %d to %d", path, short(text), want.Min, want.Max)
	}
}

// decimalNumber is how decimals are written: not as an exponent, and not from the dot on.
var decimalNumber = pattern.New(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`)

func (f *File) decimal(want *node, path string, n ast.Node) {
	text := number(n)
	value, err := strconv.ParseFloat(text, 64)
	if !decimalNumber.MatchString(text) || err != nil || value < float64(want.Min) || value > float64(want.Max) {
		f.add(path, n, "%s is %s, want a number from %d to %d such as 0.2, without quotes", path, f.shown(want, n), want.Min, want.Max)
	}
}

func (f *File) text(want *node, path string, n ast.Node) {
	text, ok := textOf(n)
	switch {
	case !ok:
		f.add(path, n, "%s is %s, want a text; put quotes around it", path, f.shown(want, n))
	case text == "":
		f.add(path, n, "%s is empty: leave it out, or say what it is", path)
	case want.Values != nil && !slices.Contains(want.Values, text):
		f.add(path, n, "%s %s is none of %s", path, short(strconv.Quote(text)), strings.Join(want.Values, ", "))
	case want.Form != "" && !regexp.MustCompile(want.Form).MatchString(text), want.Check != nil && want.Check(text) != nil:
		f.add(path, n, "%s is %s, want %s", path, f.shown(want, n), want.Want)
	}
}

// anything looks for references and tags in a value that is free otherwise.
func (f *File) anything(path string, n ast.Node) {
	if pairs, ok := members(n); ok {
		for _, pair := range pairs {
			at := path + "." + pair.Key.String()
			if f.plain(at, pair.Value) {
				f.anything(at, pair.Value)
			}
		}
	}
	if list, ok := n.(*ast.SequenceNode); ok {
		for i, item := range list.Values {
			at := fmt.Sprintf("%s[%d]", path, i)
			if f.plain(at, item) {
				f.anything(at, item)
			}
		}
	}
}
