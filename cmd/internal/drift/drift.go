// Package drift compares what was bought with what was bought before: requests and
// answers, member by member. It may touch recordings.
package drift

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/recording"
)

// The kinds of a change. All but the last may be changes of shape: code that
// read the old answer may not be able to read the new one.
const (
	newField     = "new field"
	removedField = "removed"
	typeChanged  = "type changed"
	valueChanged = "value changed"
)

// Difference is one thing in which two exchanges differ.
type Difference struct {
	// Part is request or response, and Path what in it: method, path, query,
	// status, content-type, body, or the JSON pointer of a body field.
	Part   string `json:"part"`
	Path   string `json:"path"`
	Change string `json:"change"`
	// Was and Is are the values, JSON for body fields. The side that has none
	// is null.
	Was json.RawMessage `json:"was"`
	Is  json.RawMessage `json:"is"`

	// element says that an element came or went: a list got longer or shorter.
	element bool
}

// OfShape tells whether the change is more than another value or a list of
// another length. Another status is: it is another kind of answer.
func (d Difference) OfShape() bool {
	return d.Path == "status" || d.Change != valueChanged && !d.element
}

// compareMessages compares status, media type and body. Other headers say when
// and by which way, and always differ.
func compareMessages(part string, was, is recording.Message) []Difference {
	diff := compareTexts(part, "content-type", was.Header.Get("Content-Type"), is.Header.Get("Content-Type"))
	if was.Status != is.Status {
		diff = append(diff, Difference{part, "status", valueChanged, rawJSON(was.Status), rawJSON(is.Status), false})
	}
	old, oldErr := parseBody(was.Body)
	now, nowErr := parseBody(is.Body)
	switch {
	case oldErr == nil && nowErr == nil:
		diff = append(diff, compareValues(part, "", old, now)...)
	case (oldErr == nil) != (nowErr == nil):
		diff = append(diff, Difference{part, "body", typeChanged, rawJSON(string(was.Body)), rawJSON(string(is.Body)), false})
	default:
		diff = append(diff, compareTexts(part, "body", string(was.Body), string(is.Body))...)
	}
	return diff
}

// compareInputs compares what two recordings asked for.
func compareInputs(was, is recording.Inputs) []Difference {
	return slices.Concat(
		compareTexts("request", "method", was.Method, is.Method),
		compareTexts("request", "environment", was.Environment, is.Environment),
		compareTexts("request", "api", was.API, is.API),
		compareTexts("request", "path", was.Path, is.Path),
		compareTexts("request", "query", was.Query, is.Query),
		compareHeaders(was.Headers, is.Headers),
	)
}

// compareHeaders compares the headers that tell requests apart.
func compareHeaders(was, is map[string][]string) []Difference {
	names := slices.AppendSeq(slices.Collect(maps.Keys(was)), maps.Keys(is))
	slices.Sort(names)
	var diff []Difference
	for _, name := range slices.Compact(names) {
		diff = append(diff, compareTexts("request", strings.ToLower(name), strings.Join(was[name], ", "), strings.Join(is[name], ", "))...)
	}
	return diff
}

// compareTexts compares texts that are not JSON; an empty one is absent.
func compareTexts(part, path, was, is string) []Difference {
	switch {
	case was == is:
		return nil
	case was == "":
		return []Difference{{part, path, newField, nil, rawJSON(is), false}}
	case is == "":
		return []Difference{{part, path, removedField, rawJSON(was), nil, false}}
	}
	return []Difference{{part, path, valueChanged, rawJSON(was), rawJSON(is), false}}
}

// parseBody reads one JSON value and keeps numbers as they are spelled. One that is too
// large to be compared value by value is an error, and so is all that is as long.
func parseBody(body []byte) (any, error) {
	if len(body) > maxCompared {
		return nil, errTooLarge
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	if !hasPlaces(v) {
		return nil, errTooLarge
	}
	return v, nil
}

// compareValues names what differs between two JSON values by JSON pointer
// (RFC 6901), members by name and elements by place. The whole is body.
func compareValues(part, at string, was, is any) []Difference {
	var diff []Difference
	_, list := was.([]any)
	child := func(name string, old, now any, inOld, inNow bool) {
		path := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		switch {
		case !inOld:
			diff = append(diff, Difference{part, path, newField, nil, rawJSON(now), list})
		case !inNow:
			diff = append(diff, Difference{part, path, removedField, rawJSON(old), nil, list})
		default:
			diff = append(diff, compareValues(part, path, old, now)...)
		}
	}
	switch old := was.(type) {
	case map[string]any:
		now, ok := is.(map[string]any)
		if !ok {
			break
		}
		names := slices.AppendSeq(slices.Collect(maps.Keys(old)), maps.Keys(now))
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			a, inOld := old[name]
			b, inNow := now[name]
			child(name, a, b, inOld, inNow)
		}
		return diff
	case []any:
		now, ok := is.([]any)
		if !ok {
			break
		}
		for i := range max(len(old), len(now)) {
			var a, b any
			if i < len(old) {
				a = old[i]
			}
			if i < len(now) {
				b = now[i]
			}
			child(strconv.Itoa(i), a, b, i < len(old), i < len(now))
		}
		return diff
	}
	if at == "" {
		at = "body"
	}
	a, b := rawJSON(was), rawJSON(is)
	switch {
	case kindOf(was) != kindOf(is):
		diff = append(diff, Difference{part, at, typeChanged, a, b, false})
	case !bytes.Equal(a, b):
		diff = append(diff, Difference{part, at, valueChanged, a, b, false})
	}
	return diff
}

// kindOf is the JSON type of a value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

// rawJSON spells a value that came from JSON, a text or a number, so it can't
// fail.
func rawJSON(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSpace(b.Bytes())
}

// Comparison is how one take differs from another.
type Comparison struct {
	Was TakeName `json:"was"`
	Is  TakeName `json:"is"`
	// Shape says that one of the differences is of shape; see [Difference.OfShape].
	Shape bool `json:"shape"`
	// Changed are the values that count, and changed; empty, never nil, without any.
	Changed []Change `json:"changed"`
	// Pending says that the later take answers nothing until it is accepted.
	Pending bool `json:"pending,omitempty"`
	// Tests are those that asked for it, as far as the ledger knows.
	Tests []string `json:"tests,omitempty"`
	// Differences are all of them; empty, never nil, without any.
	Differences []Difference `json:"differences"`
}

// Drifted tells whether the later take is another answer than the one before.
func (c Comparison) Drifted() bool { return c.Shape || len(c.Changed) > 0 }

// TakeName says which take; Take counts from 1.
type TakeName struct {
	File       string    `json:"file"`
	Take       int       `json:"take"`
	RecordedAt time.Time `json:"recorded_at"`
}

// Takes compares two takes, by their places.
func (p Policy) Takes(was *recording.Recording, i int, is *recording.Recording, j int) Comparison {
	a, b := was.Takes[i], is.Takes[j]
	changed, body := p.bodies(a.Response.Body, b.Response.Body)
	b.Response.Body = body
	diff := append([]Difference{}, compareInputs(was.Inputs, is.Inputs)...) // never nil, as Concat of nothing is
	diff = append(diff, compareMessages("request", a.Request, b.Request)...)
	diff = append(diff, compareMessages("response", a.Response, b.Response)...)
	counts := func(d Difference) bool {
		return d.OfShape() && (d.Part != "response" || !strings.HasPrefix(d.Path, "/") || !p.ignored(d.Path))
	}
	return Comparison{
		Was: TakeName{show.Path(was.File), i + 1, a.RecordedAt}, Is: TakeName{show.Path(is.File), j + 1, b.RecordedAt},
		Shape: slices.ContainsFunc(diff, counts), Changed: append([]Change{}, changed...), Differences: diff,
	}
}

// Pair is which takes of a recording are compared, by their places: the one that answers
// and the one that waits to be accepted, else the last two. It is -1 where there is one
// alone.
func Pair(r *recording.Recording) (was, is int) {
	n := len(r.Takes)
	if answer, waits := r.Answer(), r.Waiting(); answer != nil && waits != nil {
		for i := range r.Takes {
			switch &r.Takes[i] {
			case answer:
				was = i
			case waits:
				is = i
			}
		}
		return was, is
	}
	if n < 2 {
		return -1, -1
	}
	return n - 2, n - 1
}
