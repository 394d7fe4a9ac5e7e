package scenario

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/pattern"
)

// The modes, lowest first, as the ceiling of a file names them.
var modes = []string{"offline", "replay", "record", "live"}

// Parse reads one scenario file; name is what messages call it. Its error is
// always of type [Errors] and lists everything that is wrong, in the order of
// the file; of YAML syntax errors it holds the first only.
//
// It opens no file, and so refuses matrix.from: see [ParseFile].
func Parse(name string, src []byte) (*Scenario, error) { return ParseWith(name, src, nil) }

// ParseWith is [Parse] with the files of data that open opens.
func ParseWith(name string, src []byte, open Open) (*Scenario, error) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	text := strings.ReplaceAll(string(src), "\r\n", "\n")
	d := &decoder{file: name, opens: open, lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n"), excerpts: &excerpts{}}
	s := d.scenario(d.read([]byte(text)))
	if len(d.errs) == 0 {
		d.wants(s)
	}
	if len(d.errs) > 0 {
		d.errs.sort(name)
		if last := d.errs[len(d.errs)-1]; d.more > 0 {
			d.errs = append(d.errs, &Error{File: last.File, Pos: last.Pos, Msg: fmt.Sprintf("%d more errors in this file are not told", d.more)})
		}
		return nil, d.errs
	}
	return s, nil
}

// scenario reads the whole file.
func (d *decoder) scenario(root *node) *Scenario {
	f := d.fields(root, "scenario")
	if f == nil {
		return nil
	}
	s := &Scenario{File: d.file, Environment: avalara.Sandbox, Weight: 1, Parallel: true, source: d.lines, excerpts: d.excerpts}
	for _, key := range []string{"version", "name", "steps"} {
		if _, ok := f[key]; !ok {
			d.errorf(root.pos, "missing key %q", key)
		}
	}
	if e, ok := f["version"]; ok && d.is(e.value, Number, "version") && e.value.scalar != 1 {
		d.errorf(e.value.pos, "version %s is unknown: this program reads version 1", e.value.text)
	}
	if e, ok := f["name"]; ok {
		s.Name, s.Pos = d.text(e.value, "name"), e.pos
	}
	if e, ok := f["why"]; ok {
		s.Why = d.text(e.value, "why")
	}
	if e, ok := f["tags"]; ok {
		s.Tags = d.tags(e.value)
	}
	if e, ok := f["edition"]; ok {
		s.Edition = d.edition(e.value)
	}
	if e, ok := f["environment"]; ok {
		s.Environment, s.environmentPos = d.environment(e), e.pos
	}
	if e, ok := f["mode"]; ok {
		s.Mode, s.modePos = d.oneOf(e.value, "mode", modes...), e.pos
	}
	if e, ok := f["quota"]; ok {
		q := d.fields(e.value, "quota")
		s.Quota = Quota{Expected: d.count(q, "expected"), Max: d.count(q, "max")}
	}
	if e, ok := f["matrix"]; ok {
		s.Matrix = d.matrix(e.value)
	}
	if e, ok := f["vars"]; ok {
		s.Vars = d.vars(e.value)
	}
	if e, ok := f["weight"]; ok {
		s.Weight = d.between(e.value, "weight", 1, 100)
	}
	if e, ok := f["required"]; ok {
		s.Required = d.flag(e.value, "required")
	}
	if e, ok := f["parallel"]; ok {
		s.Parallel = d.flag(e.value, "parallel")
	}
	d.allSteps(s, f)
	return s
}

// allSteps reads steps and finally, whose expressions see the same names.
func (d *decoder) allSteps(s *Scenario, f map[string]entry) {
	d.scope = scope{data: s.Matrix.Data, captures: map[string]Pos{}, later: map[string]Pos{}}
	for _, v := range s.Vars {
		d.scope.vars = append(d.scope.vars, v.Name)
	}
	for _, a := range s.Matrix.Axes {
		d.scope.matrix = append(d.scope.matrix, a.Name)
	}
	for _, key := range []string{"steps", "finally"} {
		if e, ok := f[key]; ok {
			d.collectCaptures(e.value)
		}
	}
	ids := make(map[string]Pos)
	if e, ok := f["steps"]; ok {
		items := d.list(e.value, "steps")
		if e.value != nil && e.value.kind == List && len(items) == 0 {
			d.errorf(e.value.pos, "steps must hold at least one step")
		}
		s.Steps = d.steps(s, items, ids, false)
	}
	if e, ok := f["finally"]; ok {
		s.Finally = d.steps(s, d.list(e.value, "finally"), ids, true)
	}
}

// collectCaptures notes where each capture is made, so that a use before it
// can be told from a misspelt one. What is malformed is reported later.
func (d *decoder) collectCaptures(list *node) {
	if list == nil {
		return
	}
	for _, step := range list.items {
		for _, e := range step.entries {
			if e.key != "capture" || e.value == nil {
				continue
			}
			for _, c := range e.value.entries {
				if _, ok := d.scope.later[c.key]; !ok {
					d.scope.later[c.key] = c.pos
				}
			}
		}
	}
}

// editionForm is the name of a nomenclature with its year, or several.
var editionForm = pattern.New(`^[A-Z]{2,6} (19|20)[0-9]{2}(, [A-Z]{2,6} (19|20)[0-9]{2})*$`)

func (d *decoder) edition(n *node) string {
	text := d.text(n, "edition")
	if text != "" && !editionForm.MatchString(text) {
		d.errorf(n.pos, "edition %q is none: write it as HS 2022, or HS 2022, HTS 2026", text)
	}
	return text
}

// maxTags is how many tags a scenario may have.
const maxTags = 100

// tags reads a list of words.
func (d *decoder) tags(n *node) []string {
	items := d.list(n, "tags")
	if len(items) > maxTags {
		d.errorf(items[maxTags].pos, "%d tags, and a scenario may have %d: leave some out", len(items), maxTags)
		return nil
	}
	var out []string
	for _, item := range items {
		tag := d.text(item, "a tag")
		switch {
		case tag == "":
		case strings.ContainsAny(tag, " ,()"):
			d.errorf(item.pos, "tag %q must be one word", tag)
		case slices.Contains(out, tag):
			d.errorf(item.pos, "tag %q is given twice", tag)
		default:
			out = append(out, tag)
		}
	}
	return out
}

// environment reads the name of an environment.
func (d *decoder) environment(e entry) avalara.Environment {
	var names []string
	for _, env := range avalara.Environments() {
		names = append(names, string(env))
	}
	return avalara.Environment(d.oneOf(e.value, "environment", names...))
}
