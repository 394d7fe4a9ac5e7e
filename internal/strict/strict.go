// Package strict reads YAML files by a table of settings, so that what is
// written is what is meant: a number is a whole number in decimal digits, a text
// is a text, and nothing is empty. A fraction, an exponent, octal, hexadecimal, a
// quoted number, null and what is out of range are errors, never rounded and
// never taken for zero. All that is wrong with a file is told at once, each with
// file:line:column and a caret.
//
// [Table.Read] checks a file and decodes it. The same table makes the JSON Schema
// ([Table.Schema]) and the documentation ([Table.Markdown]), so that none of the
// three can say something else.
//
// It knows nothing of what the settings mean. It may touch internal/secret, so that
// no message shows one, and nothing else.
package strict

import (
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Kind is the type of a setting.
type Kind int

// The kinds. Settings below an Object or a List have rows of their own.
const (
	// Object is a mapping of settings.
	Object Kind = iota
	// List is a list of whatever its row "path[]" says; of objects where there is
	// no such row.
	List
	// Integer is a whole number in decimal digits, from Min to Max.
	Integer
	// Decimal is a number from Min to Max, with a decimal point or without.
	Decimal
	// Text is a text; a number has to be quoted.
	Text
	// Boolean is true or false.
	Boolean
	// Texts is a text or a list of texts.
	Texts
	// TextOrList is one of Values, or a list of objects.
	TextOrList
	// TextOrObject is a text, or an object.
	TextOrObject
	// TextOrInteger is a text, or a whole number from Min to Max.
	TextOrInteger
	// Anything is any value without references and tags, as it is written.
	Anything
	// Map is a mapping of names that are the user's own to texts, which may be empty.
	Map
)

// Setting is one row of a [Table].
type Setting struct {
	// Path is where it stands, such as policy.ci[].mode.
	Path string
	Kind Kind
	// Min and Max bound an Integer or a Decimal, both included.
	Min, Max int64
	// Values are the texts that there are. Nil is any.
	Values []string
	// Form is what a text has to match, as a regular expression; Check may refuse
	// more. Both are optional, and one that has one of them has Want.
	Form  string
	Check func(text string) error
	// Want describes the form for people: "a percentage such as 70%".
	Want string
	// NameForm is what the names in a Map have to match, and CheckName may refuse
	// more. In a Map the errors of both checks are what is said.
	NameForm  string
	CheckName func(name string) error
	// NotEmpty lists have one item at least.
	NotEmpty bool
	// Required settings have to be there where what they belong to is.
	Required bool
	// Secret values are in no message.
	Secret bool
	// Default is what holds without it, as one would write it; empty is nothing.
	Default string
	// Doc is one sentence for the schema and the documentation.
	Doc string
}

// Table describes a kind of file.
type Table struct {
	// Title is the title of the schema, and ID its $id, which may be empty.
	Title, ID string
	// Version is what the file's version has to be. A row of it is part of every
	// table without saying so.
	Version int64
	// Settings are in the order in which they are documented; a row stands after
	// that of what it belongs to.
	Settings []Setting
}

// node is a setting with what belongs to it.
type node struct {
	Setting
	name    string  // the last part of its path
	members []*node // of an object, or of the objects of a list
	item    *node   // of a list of other things
}

// member finds a setting of an object.
func (n *node) member(name string) *node {
	for _, m := range n.members {
		if m.name == name {
			return m
		}
	}
	return nil
}

// root makes a tree of the table. A table whose rows are out of order is a
// mistake of this program, and a panic.
func (t Table) root() *node {
	root := &node{members: []*node{{name: "version", Setting: Setting{
		Path: "version", Kind: Integer, Min: t.Version, Max: t.Version, Required: true, Doc: "The version of the format.",
	}}}}
	for _, s := range t.Settings {
		parts := strings.Split(s.Path, ".")
		parent := root
		for _, part := range parts[:len(parts)-1] {
			name, item := strings.CutSuffix(part, "[]")
			if parent = parent.member(name); parent == nil {
				panic("strict: no row before " + s.Path)
			}
			if item && parent.item != nil {
				parent = parent.item
			}
		}
		last := parts[len(parts)-1]
		if list, ok := strings.CutSuffix(last, "[]"); ok {
			parent.member(list).item = &node{Setting: s}
			continue
		}
		parent.members = append(parent.members, &node{Setting: s, name: last})
	}
	return root
}

// wholeNumber is how an integer is written.
var wholeNumber = pattern.New(`^(0|-?[1-9][0-9]*)$`)

// IsTime is the check of a text that has to be a time, such as
// 2026-01-31T12:00:00Z.
func IsTime(text string) error {
	_, err := time.Parse(time.RFC3339, text)
	return err
}
