package strict

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/hsharness/hsharness/internal/secret"
)

// File is a file that was read, with what is wrong with it so far.
type File struct {
	name     string
	data     []byte
	body     ast.Node // nil for an empty file
	problems []problem
	// at has the paths that something is wrong at, and above those that something is wrong
	// below: of 100,000 items not one is compared with the problems of all others.
	at, above map[string]bool
}

type problem struct {
	path string // as in $.policy.ci[0].mode, without the $.
	at   *token.Token
	text string
}

// Read checks a file by the table. The error is that it is no YAML at all; what
// else is wrong is in [File.Err], to which the caller may add by [File.Complain].
func (t Table) Read(name string, data []byte) (f *File, err error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // a BOM says nothing
	if err := bounds(name, data); err != nil {
		return nil, err
	}
	// The library is known to panic on some inputs that are no YAML.
	defer func() {
		if recover() != nil {
			f, err = nil, fmt.Errorf("%s:1:1: the file is not valid YAML", name)
		}
	}()
	f = &File{name: name, data: data}
	parsed, err := Parse(string(data), maxMembers) // a key that is there twice is found below, with all else
	if err != nil {
		return nil, Place(name, err)
	}
	docs := slices.DeleteFunc(parsed.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil || d.Body.Type() == ast.CommentType })
	if len(docs) > 1 {
		f.add("", docs[1].Body, "the file has more than one document")
	}
	root := t.root()
	if len(docs) == 0 {
		f.note(problem{text: "the file is empty, or begins with a document that is: it begins with version: " + strconv.FormatInt(t.Version, 10)})
		return f, nil
	}
	f.body = docs[0].Body
	f.object(root, "", f.body)
	return f, nil
}

// Decode fills v, whose fields have the names of the settings in their yaml tags.
// It must be called only where [File.Err] is nil.
func (f *File) Decode(v any) error {
	if f.body == nil {
		return nil
	}
	if err := yaml.UnmarshalWithOptions(f.data, v, yaml.Strict()); err != nil {
		return Place(f.name, err)
	}
	return nil
}

// Each decodes the items of a list into vs one by one, for checks that need more
// than a table. It passes those over that are wrong already, and calls check for
// the others with their index.
func Each[T any](f *File, path string, check func(i int, item T)) {
	list, ok := f.find(path).(*ast.SequenceNode)
	if !ok {
		return
	}
	for i, node := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		var item T
		if f.wrong(at) || yaml.NodeToValue(node, &item) != nil {
			continue
		}
		check(i, item)
	}
}

// wrong tells whether something at a path, or below it, is wrong.
func (f *File) wrong(path string) bool {
	return f.at[path] || f.above[path] || slices.ContainsFunc(upwards(path), func(of string) bool { return f.at[of] })
}

// deepest is how many paths above one are looked at: no table goes as deep, and the name of a
// setting that there is not may be thousands of dots.
const deepest = 16

// upwards are the paths above one, without the file's.
func upwards(path string) []string {
	var above []string
	for i := 1; i < len(path) && len(above) < deepest; i++ {
		if path[i] == '.' || path[i] == '[' {
			above = append(above, path[:i])
		}
	}
	return above
}

// note adds a problem.
func (f *File) note(p problem) {
	if f.at == nil {
		f.at, f.above = map[string]bool{}, map[string]bool{}
	}
	f.problems, f.at[p.path] = append(f.problems, p), true
	for _, path := range upwards(p.path) {
		f.above[path] = true
	}
}

// Complain adds a problem at a path, such as operations[1].match. A path that is
// not in the file is where what it belongs to begins.
func (f *File) Complain(path, format string, args ...any) {
	at := path
	for {
		if n := f.find(at); n != nil {
			f.add(path, n, format, args...)
			return
		}
		if at == "" {
			f.note(problem{path: path, text: secret.MaskText(fmt.Sprintf(format, args...))})
			return
		}
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
}

// find is the node at a path, nil where there is none.
func (f *File) find(path string) ast.Node {
	if f.body == nil {
		return nil
	}
	if path == "" {
		return f.body
	}
	p, err := yaml.PathString("$." + path)
	if err != nil {
		return nil
	}
	n, err := p.FilterNode(f.body)
	if err != nil {
		return nil
	}
	return n
}

func (f *File) add(path string, n ast.Node, format string, args ...any) {
	f.note(problem{path, begin(n), secret.MaskText(fmt.Sprintf(format, args...))})
}

// Problem is one thing that is wrong, with its place.
type Problem struct {
	File         string
	Line, Column int
	Message      string
	// Source is the line as it stands in the file.
	Source string
}

// Problems are everything that is wrong, in the order of the file.
func (f *File) Problems() []*Problem {
	f.sort()
	lines := strings.Split(string(f.data), "\n")
	all := make([]*Problem, len(f.problems))
	for i, p := range f.problems {
		all[i] = &Problem{File: f.name, Line: 1, Column: 1, Message: p.text}
		if p.at != nil {
			all[i].Line, all[i].Column = p.at.Position.Line, p.at.Position.Column
		}
		all[i].Source = strings.TrimSuffix(lines[min(all[i].Line, len(lines))-1], "\r")
	}
	return all
}

func (f *File) sort() {
	slices.SortStableFunc(f.problems, func(a, b problem) int { return offset(a) - offset(b) })
}

// Err is everything that is wrong, in the order of the file, the first 20 of it;
// nil where nothing is.
func (f *File) Err() error {
	f.sort()
	var errs []error
	for i, p := range f.problems {
		switch {
		case i == maxTold:
			errs = append(errs, fmt.Errorf("%s: and %d more", f.name, len(f.problems)-maxTold))
		case i > maxTold:
		case p.at == nil:
			errs = append(errs, fmt.Errorf("%s:1:1: %s", f.name, p.text))
		default:
			errs = append(errs, placed(f.name, p.path, p.at, p.text))
		}
	}
	return errors.Join(errs...)
}

func offset(p problem) int {
	if p.at == nil {
		return 0
	}
	return p.at.Position.Line<<12 + p.at.Position.Column
}

// where is a path as messages name it.
func where(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
