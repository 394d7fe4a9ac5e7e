package recording

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// nearestMost bounds how many recordings of an operation a miss is compared with.
const nearestMost = 20_000

// Absent stands in a [Difference] for a value that one side does not have.
const Absent = "(absent)"

// Difference is one thing that tells a request from a recorded one.
type Difference struct {
	// Path is method, environment, api, path, query, body, headers.<name>, or
	// the JSON pointer of a body field, ready for Config.Ignore.
	Path string
	// Recorded and Asked are the two values, JSON for body fields, without
	// secrets, cut to 200 bytes. One that is not there is [Absent].
	Recorded, Asked string
}

// Nearest finds the recording that is most like r, and how they differ. Its request has
// the same method, environment, API and path where one has, and then the most words in
// common, by their stems, the rarer the better; spelling, country, other fields and shape
// count too. It looks at the first 20,000 of the operation's folder, or of all folders
// when that is empty. Without any recording it returns [ErrMiss]. Ignored fields are no
// differences, so none at all means that the recording was made under another ignore or
// header list.
func (s *Store) Nearest(r Request) (*Recording, []Difference, error) {
	k := s.Key(r)
	// Get and List report what is wrong; a hint needs no whole folder.
	files := s.some(func(r root) []string {
		files, _ := inFolder(filepath.Join(r.dir, k.folder()))
		return files
	})
	if len(files) == 0 {
		files = s.some(func(r root) []string {
			files, _ := s.filesIn(r)
			return files
		})
	}
	var best *Recording
	var diff []Difference
	var first scored
	for _, near := range s.nearest(files, k) {
		if best != nil && !near.as(first) {
			break
		}
		rec, err := s.placed(near.file)
		if err != nil {
			continue
		}
		if d := s.compare(rec, k); best == nil || weight(d) < weight(diff) {
			best, diff, first = rec, d, near
		}
	}
	if best == nil {
		return nil, nil, ErrMiss
	}
	return best, diff, nil
}

// some names the first files of all places.
func (s *Store) some(list func(r root) []string) []string {
	var all []string
	for _, r := range s.roots {
		if r.readable() {
			all = append(all, list(r)...)
		}
	}
	return all[:min(len(all), nearestMost)]
}

// placed reads a file of one of the places.
func (s *Store) placed(file string) (*Recording, error) {
	for _, r := range s.roots {
		if within(r.dir, file) {
			return s.named(r, file)
		}
	}
	return nil, ErrMiss
}

// weight is how far a difference takes two requests apart: another operation is
// further than any number of fields.
func weight(diff []Difference) int {
	n := 0
	for _, d := range diff {
		switch d.Path {
		case "method", "environment", "api", "path":
			n += 1000
		default:
			n++
		}
	}
	return n
}

func (s *Store) compare(rec *Recording, k Key) []Difference {
	var diff []Difference
	differ := func(path, recorded, asked string) {
		if recorded != asked {
			diff = append(diff, Difference{path, cut(recorded), cut(asked)})
		}
	}
	was, is := rec.Inputs, k.Inputs
	differ("method", was.Method, is.Method)
	differ("environment", was.Environment, is.Environment)
	differ("api", was.API, is.API)
	differ("path", was.Path, is.Path)
	differ("query", was.Query, is.Query)
	names := slices.AppendSeq(slices.Collect(maps.Keys(was.Headers)), maps.Keys(is.Headers))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		differ("headers."+name, values(was.Headers, name), values(is.Headers, name))
	}
	if was.BodySHA256 == is.BodySHA256 {
		return diff
	}
	old, oldOK := treeOf(rec.Latest().Request.Body)
	asked, askedOK := treeOf(k.request.Body)
	if !oldOK || !askedOK {
		differ("body", body(rec.Latest().Request.Body), body(k.request.Body))
		return diff
	}
	return append(diff, fields("", old.without(s.ignore), asked.without(s.ignore))...)
}

// treeOf is the tree of a body whose members are compared one by one: one of JSON
// that is not too long for a tree, nor are the places in it.
func treeOf(body []byte) (node, bool) {
	if len(body) > largestCompared {
		return node{}, false
	}
	n, ok := parseJSON(body)
	return n, ok && n.hasPlaces()
}

func values(h map[string][]string, name string) string {
	if v, ok := h[name]; ok {
		return strings.Join(v, ", ")
	}
	return Absent
}

// body shows a body that is not JSON.
func body(b []byte) string {
	if len(b) == 0 {
		return Absent
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// cut bounds a value, at the end of a character.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// fields compares two values and names what differs by JSON pointer.
func fields(at string, was, is node) []Difference {
	if was.kind == is.kind && (was.kind == '{' || was.kind == '[') {
		var diff []Difference
		old, now := was.children(), is.children()
		for i := range was.items {
			name := was.child(i)
			if j, ok := now[name]; ok {
				diff = append(diff, fields(pointerTo(at, name), was.items[i], is.items[j])...)
			} else {
				diff = append(diff, Difference{pointerTo(at, name), cut(string(was.items[i].append(nil))), Absent})
			}
		}
		for j := range is.items {
			if _, ok := old[is.child(j)]; !ok {
				diff = append(diff, Difference{pointerTo(at, is.child(j)), Absent, cut(string(is.items[j].append(nil)))})
			}
		}
		return diff
	}
	a, errA := was.canonical(nil)
	b, errB := is.canonical(nil)
	if errA == nil && errB == nil && bytes.Equal(a, b) && was.exact() && is.exact() {
		return nil
	}
	recorded, asked := string(was.append(nil)), string(is.append(nil))
	if recorded == asked {
		return nil
	}
	if at == "" {
		at = "body"
	}
	return []Difference{{at, cut(recorded), cut(asked)}}
}

// children maps the names of n's items to their places.
func (n node) children() map[string]int {
	m := make(map[string]int, len(n.items))
	for i := range n.items {
		m[n.child(i)] = i
	}
	return m
}
