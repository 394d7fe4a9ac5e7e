package scenario

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// How many characters of a value a message shows, and how many values and bytes of texts are
// looked at for that: it may hold megabytes, and a file may compare it thousands of times.
const (
	maxMessage = 60
	maxParts   = 2 * maxMessage
	maxPart    = 10 * maxMessage
)

// show writes a value for a message: as JSON, and not too long.
func show(v any) string {
	left := maxParts
	b, err := json.Marshal(beginning(v, &left))
	if err != nil {
		return fmt.Sprintf("a %T", v)
	}
	return shorten(string(b))
}

// beginning is as much of a value as a message shows, or more.
func beginning(v any, left *int) any {
	*left--
	switch v := v.(type) {
	case string:
		return prefix(v)
	case Decimal:
		if len(v.text) > maxPart {
			return Decimal{strings.TrimRight(v.text[:maxPart], ".eE+-")} // a number still
		}
	case []any:
		out := make([]any, 0, min(len(v), max(*left, 0)))
		for _, item := range v {
			if *left <= 0 {
				break
			}
			out = append(out, beginning(item, left))
		}
		return out
	case map[string]any:
		out := make(map[string]any, min(len(v), max(*left, 0)))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if *left <= 0 {
				break
			}
			out[prefix(name)] = beginning(v[name], left)
		}
		return out
	}
	return v
}

// prefix is the beginning of a text.
func prefix(text string) string {
	if len(text) <= maxPart {
		return text
	}
	return strings.ToValidUTF8(text[:maxPart], "")
}

// cutOff is a text that has no more than so many bytes, and says so where it had.
func cutOff(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + ellipsis
}

// shorten keeps a value from filling a message.
func shorten(s string) string {
	if rest, _ := beyond(s, maxMessage); rest == "" {
		return s
	}
	rest, _ := beyond(s, maxMessage-3)
	return s[:len(s)-len(rest)] + ellipsis
}
