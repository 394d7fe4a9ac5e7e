package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

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

// drift is one thing in which two exchanges differ.
type drift struct {
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

// ofShape tells whether the change is more than another value or a list of
// another length. Another status is: it is another kind of answer.
func (d drift) ofShape() bool {
	return d.Path == "status" || d.Change != valueChanged && !d.element
}

// compareMessages compares status, media type and body. Other headers say when
// and by which way, and always differ.
func compareMessages(part string, was, is recording.Message) []drift {
	diff := compareTexts(part, "content-type", was.Header.Get("Content-Type"), is.Header.Get("Content-Type"))
	if was.Status != is.Status {
		diff = append(diff, drift{part, "status", valueChanged, rawJSON(was.Status), rawJSON(is.Status), false})
	}
	old, oldErr := parseBody(was.Body)
	now, nowErr := parseBody(is.Body)
	switch {
	case oldErr == nil && nowErr == nil:
		diff = append(diff, compareValues(part, "", old, now)...)
	case (oldErr == nil) != (nowErr == nil):
		diff = append(diff, drift{part, "body", typeChanged, rawJSON(string(was.Body)), rawJSON(string(is.Body)), false})
	default:
		diff = append(diff, compareTexts(part, "body", string(was.Body), string(is.Body))...)
	}
	return diff
}

// compareInputs compares what two recordings asked for.
func compareInputs(was, is recording.Inputs) []drift {
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
func compareHeaders(was, is map[string][]string) []drift {
	names := slices.AppendSeq(slices.Collect(maps.Keys(was)), maps.Keys(is))
	slices.Sort(names)
	var diff []drift
	for _, name := range slices.Compact(names) {
		diff = append(diff, compareTexts("request", strings.ToLower(name), strings.Join(was[name], ", "), strings.Join(is[name], ", "))...)
	}
	return diff
}

// compareTexts compares texts that are not JSON; an empty one is absent.
func compareTexts(part, path, was, is string) []drift {
	switch {
	case was == is:
		return nil
	case was == "":
		return []drift{{part, path, newField, nil, rawJSON(is), false}}
	case is == "":
		return []drift{{part, path, removedField, rawJSON(was), nil, false}}
	}
	return []drift{{part, path, valueChanged, rawJSON(was), rawJSON(is), false}}
}

// parseBody reads one JSON value and keeps numbers as they are spelled.
func parseBody(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// compareValues names what differs between two JSON values by JSON pointer
// (RFC 6901), members by name and elements by place. The whole is body.
func compareValues(part, at string, was, is any) []drift {
	var diff []drift
	_, list := was.([]any)
	child := func(name string, old, now any, inOld, inNow bool) {
		path := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		switch {
		case !inOld:
			diff = append(diff, drift{part, path, newField, nil, rawJSON(now), list})
		case !inNow:
			diff = append(diff, drift{part, path, removedField, rawJSON(old), nil, list})
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
		diff = append(diff, drift{part, at, typeChanged, a, b, false})
	case !bytes.Equal(a, b):
		diff = append(diff, drift{part, at, valueChanged, a, b, false})
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
