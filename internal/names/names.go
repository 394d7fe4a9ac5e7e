// Package names gives a command the variables that it reads, by the names that its
// authors chose: a text with placeholders each, which are filled with where the
// services are. It may touch nothing.
package names

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// reserved is what the names of hsharness itself begin with.
const reserved = "HSHARNESS_"

// Placeholders are what a text may have filled in, in the order in which people are
// told of them. Each stands for the variable of hsharness's own of that name.
func Placeholders() []string {
	return []string{"identity_url", "token_url", "api_url", "legacy_api_url", "managed_api_url", "client_id", "client_secret", "control_url"}
}

// Variable is one variable of a command's environment.
type Variable struct {
	Name string
	// Text is its value, with placeholders in braces. {{ and }} are braces.
	Text string
}

// List are variables, each name once.
type List []Variable

// Parse reads NAME=TEXT.
func Parse(given string) (Variable, error) {
	name, text, ok := strings.Cut(given, "=")
	if !ok {
		return Variable{}, errors.New("want NAME=TEXT, such as TOKEN_URL={token_url}")
	}
	return Variable{name, text}, errors.Join(CheckName(name), CheckText(text))
}

// FromMap is a list in the order of the names.
func FromMap(texts map[string]string) List {
	var l List
	for name, text := range texts {
		l = append(l, Variable{name, text})
	}
	slices.SortFunc(l, func(a, b Variable) int { return cmp.Compare(a.Name, b.Name) })
	return l
}

// NameForm is what a name has to match.
const NameForm = `^[A-Za-z_][A-Za-z0-9_]*$`

var nameForm = pattern.New(NameForm)

// CheckName refuses what every shell would, and the names of hsharness itself: a
// command that finds a part of them somewhere else would count elsewhere.
func CheckName(name string) error {
	switch {
	case !nameForm.MatchString(name):
		return fmt.Errorf("%q is no name of a variable: want letters, digits and _, and no digit first", name)
	case strings.HasPrefix(strings.ToUpper(name), reserved): // the case counts on Windows alone not
		return fmt.Errorf("%s is set by hsharness itself, as all that begin with %s are", name, reserved)
	}
	return nil
}

// TextForm is what a text has to match, for a schema.
func TextForm() string {
	return `^([^{}]|\{\{|\}\}|\{(` + strings.Join(Placeholders(), "|") + `)\})*$`
}

// CheckText says which placeholder of a text there is not.
func CheckText(text string) error {
	_, err := fill(text, func(string) string { return "" })
	return err
}

// fill replaces placeholders by their values.
func fill(text string, value func(placeholder string) string) (string, error) {
	var b strings.Builder
	for rest := text; rest != ""; {
		at := strings.IndexAny(rest, "{}\x00")
		if at < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:at])
		c := rest[at]
		rest = rest[at+1:]
		switch {
		case c == 0:
			return "", errors.New("a variable can't hold a NUL character")
		case rest != "" && rest[0] == c: // a brace twice is one
			b.WriteByte(c)
			rest = rest[1:]
			continue
		case c == '}':
			return "", errors.New("} closes nothing: write }} for a brace")
		}
		name, after, closed := strings.Cut(rest, "}")
		shown := "{" + name
		if closed {
			shown += "}"
		}
		if !closed || !slices.Contains(Placeholders(), name) {
			return "", fmt.Errorf("%q is no placeholder: there are {%s}; write {{ for a brace", shown, strings.Join(Placeholders(), "} {"))
		}
		b.WriteString(value(name))
		rest = after
	}
	return b.String(), nil
}

// Over are these variables and those of the other list whose names they lack.
func (l List) Over(other List) List {
	all := slices.Clone(l)
	for _, v := range other {
		if !l.Has(v.Name) {
			all = append(all, v)
		}
	}
	return all
}

// Has tells whether there is a variable of that name.
func (l List) Has(name string) bool {
	return slices.ContainsFunc(l, func(v Variable) bool { return v.Name == name })
}

// Fill gives the variables their values, as NAME=value. The placeholders are filled
// from the given variables of hsharness's own.
func (l List) Fill(given []string) []string {
	var all []string
	for _, v := range l {
		text, _ := fill(v.Text, func(placeholder string) string { // checked when it was read
			return find(given, reserved+strings.ToUpper(placeholder))
		})
		all = append(all, v.Name+"="+text)
	}
	return all
}

// With is an environment of hsharness's own variables with these, and with what a
// command inside needs to give its own commands the same.
func (l List) With(given []string) []string {
	if len(l) == 0 {
		return given
	}
	return append(append(slices.Clone(given), l.Fill(given)...), handed+"="+l.hand())
}

// find is the value of a variable, empty where it is not there.
func find(environ []string, name string) string {
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}
