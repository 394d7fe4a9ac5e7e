package quota

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// differences says where what a ledger has of something differs from what its entries say,
// by the names that its JSON has.
func differences(got, want any) string {
	is, say := map[string]string{}, map[string]string{}
	flatten(got, is)
	flatten(want, say)
	all := maps.Clone(is)
	maps.Copy(all, say)
	var different []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if is[name] != say[name] {
			different = append(different, fmt.Sprintf("%s is %s, the entries say %s", name, worded(is[name]), worded(say[name])))
		}
	}
	if different == nil {
		return "something differs from the entries that no JSON has"
	}
	return strings.Join(different, "; ")
}

// worded is a value for people. What is left out where it is empty is not there.
func worded(value string) string {
	if value == "" || value == `""` {
		return "nothing"
	}
	return value
}

// flatten notes the values below one, each by its members' names with points between them.
func flatten(v any, into map[string]string) {
	text, err := json.Marshal(v)
	if err != nil {
		return // of no type here
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&tree) != nil {
		return // it was just written
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		members, ok := v.(map[string]any)
		switch s, isText := v.(string); {
		case ok:
			for name, member := range members {
				walk(strings.TrimPrefix(at+"."+name, "."), member)
			}
		case isText:
			into[at] = fmt.Sprintf("%q", s)
		default:
			into[at] = fmt.Sprint(v)
		}
	}
	walk("", tree)
}

// text is a spec as the JSON of an entry has it: earlier versions took words that are no
// UTF-8, and a file keeps those of a run as they were. None of them is a figure.
func (s RunSpec) text() RunSpec {
	for _, text := range []*string{
		&s.ID, &s.Mode, &s.Suite, &s.Branch, &s.Commit, &s.Actor, &s.Event, &s.JobURL, &s.Trusted, &s.Process.Host, &s.Process.Start,
	} {
		*text = string([]rune(*text)) // each wrong byte becomes a character, as in encoding/json
	}
	return s
}
