package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
)

// countItems counts the elements of the array at a JSON pointer (RFC 6901), or
// says why it can't. A name that stands twice in one object, in whatever case,
// can't be counted: the service might read the one that we did not.
func countItems(body []byte, pointer string) (n int, reason string) {
	if !json.Valid(body) {
		return 0, "the body is no JSON"
	}
	value := json.RawMessage(body)
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, token := range strings.Split(pointer, "/")[1:] {
		var err error
		if value, err = child(value, unescape.Replace(token)); err != nil {
			return 0, err.Error()
		}
	}
	if first(value) != '[' {
		return 0, "the body has no array there"
	}
	for range elements(value) {
		n++
	}
	return n, ""
}

// elements are those of a valid array, one at a time: millions of them are kept nowhere.
func elements(array json.RawMessage) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		dec := json.NewDecoder(bytes.NewReader(array))
		_, err := dec.Token() // the opening bracket
		var element json.RawMessage
		for err == nil && dec.More() {
			if err = dec.Decode(&element); err != nil || !yield(element) {
				return
			}
		}
	}
}

var (
	errNothingThere = errors.New("the body has nothing there")
	errTwice        = errors.New("the body names it twice")
)

// child returns the member or element of a valid JSON value that one token of
// a pointer names.
func child(value json.RawMessage, token string) (json.RawMessage, error) {
	switch first(value) {
	case '[':
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 {
			return nil, errNothingThere
		}
		for element := range elements(value) {
			if i--; i < 0 {
				return element, nil
			}
		}
		return nil, errNothingThere
	case '{':
		return member(value, token)
	default:
		return nil, errNothingThere
	}
}

func first(value json.RawMessage) byte {
	if trimmed := bytes.TrimLeft(value, " \t\r\n"); len(trimmed) > 0 {
		return trimmed[0]
	}
	return 0
}

func member(object json.RawMessage, name string) (json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if _, err := dec.Token(); err != nil { // the opening brace
		return nil, err
	}
	var found json.RawMessage
	same := 0
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if k, _ := key.(string); strings.EqualFold(k, name) {
			same++
			if k == name {
				found = value
			}
		}
	}
	switch {
	case same > 1:
		return nil, errTwice
	case found == nil:
		return nil, errNothingThere
	}
	return found, nil
}
