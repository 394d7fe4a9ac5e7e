package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// mutant is one row of the table.
type mutant struct {
	Breaks string `yaml:"breaks"`
	Edit   `yaml:",inline"`
	Also   []Edit `yaml:"also"`
	Killer string `yaml:"killer"`

	line int // of the row in the table
}

// Edit is one place that a mutant changes.
type Edit struct {
	File string `yaml:"file"`
	Old  string `yaml:"old"`
	New  string `yaml:"new"`
}

// UnmarshalYAML keeps the line of the row.
func (m *mutant) UnmarshalYAML(node ast.Node) error {
	type plain mutant // without this method
	err := yaml.NodeToValue(node, (*plain)(m), yaml.Strict())
	m.line = node.GetToken().Position.Line
	return err
}

// place is where the row stands, for messages.
func (m mutant) place(table string) string { return fmt.Sprintf("%s:%d", table, m.line) }

// edits are all places of the row.
func (m mutant) edits() []Edit { return append([]Edit{m.Edit}, m.Also...) }

// killerForm is a package of this module, and a pattern of tests.
var killerForm = regexp.MustCompile(`^(\./[a-z0-9/_-]+) (\S+)$`)

// readTable reads the rows, or says which are wrong.
func readTable(name string) ([]mutant, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []mutant
	if err := yaml.UnmarshalWithOptions(data, &all, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	var wrong []string
	seen := map[string]int{}
	for i, m := range all {
		say := func(format string, args ...any) {
			wrong = append(wrong, m.place(name)+": "+fmt.Sprintf(format, args...))
		}
		if m.Breaks == "" {
			say("breaks is missing: what holds in the right code?")
		}
		if !killerForm.MatchString(m.Killer) {
			say("killer %q is not a package and a test, such as ./quota TestAdmit", m.Killer)
		}
		for _, e := range m.edits() {
			switch {
			case e.File == "" || e.Old == "":
				say("file and old have to be there")
			case e.Old == e.New:
				say("old and new are the same")
			}
		}
		if at, ok := seen[fmt.Sprint(m.edits(), m.Killer)]; ok {
			say("the same row stands at line %d", at)
		}
		seen[fmt.Sprint(m.edits(), m.Killer)] = m.line
		if i > 0 && m.File < all[i-1].File {
			say("%s stands after %s: rows are in the order of their files", m.File, all[i-1].File)
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(wrong, "\n"))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no rows", name)
	}
	return all, nil
}

// apply returns the files that the row changes, as they were and as they are
// with it. read reads a file of the tree. Each old text has to stand in its file
// exactly once.
func (m mutant) apply(read func(name string) (string, error)) (before, after map[string]string, err error) {
	before, after = map[string]string{}, map[string]string{}
	type change struct {
		at int
		Edit
	}
	changes := map[string][]change{}
	for _, e := range m.edits() {
		text, ok := before[e.File]
		if !ok {
			if text, err = read(e.File); err != nil {
				return nil, nil, err
			}
			before[e.File] = text
		}
		switch n := strings.Count(text, e.Old); n {
		case 1:
			changes[e.File] = append(changes[e.File], change{strings.Index(text, e.Old), e})
		case 0:
			return nil, nil, fmt.Errorf("applies nowhere: %s has no %q", e.File, e.Old)
		default:
			return nil, nil, fmt.Errorf("applies %d times: %s has %q more than once", n, e.File, e.Old)
		}
	}
	for name, list := range changes {
		slices.SortFunc(list, func(a, b change) int { return b.at - a.at }) // from the end, so that places stay
		text := before[name]
		for _, c := range list {
			text = text[:c.at] + c.New + text[c.at+len(c.Old):]
		}
		after[name] = text
	}
	return before, after, nil
}

// chosen are the rows that have one of the words in them; all without words.
func chosen(all []mutant, words []string) []mutant {
	if len(words) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(m mutant) bool {
		text := strings.Join([]string{m.Breaks, m.File, m.Killer}, "\n")
		return !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	})
}
