package scenario

import (
	"strconv"
	"strings"
)

// Status is a set of HTTP status codes, written 200, 2xx, or as a list of
// these.
type Status struct {
	Pos    Pos
	ranges []statusRange
}

// statusRange is an inclusive range of codes: one code, or a class.
type statusRange struct{ from, to int }

// Matches tells whether code is in the set. A nil Status holds no code.
func (s *Status) Matches(code int) bool {
	if s == nil {
		return false
	}
	for _, r := range s.ranges {
		if r.from <= code && code <= r.to {
			return true
		}
	}
	return false
}

// String writes the set as a message says it: "200 or 404".
func (s *Status) String() string {
	words := make([]string, len(s.ranges))
	for i, r := range s.ranges {
		words[i] = strconv.Itoa(r.from)
		if r.from != r.to {
			words[i] = strconv.Itoa(r.from/100) + "xx"
		}
	}
	return strings.Join(words, " or ")
}

// parseStatus reads one code or one class.
func parseStatus(text string) (statusRange, bool) {
	if class, ok := strings.CutSuffix(text, "xx"); ok && len(class) == 1 && class[0] >= '1' && class[0] <= '5' {
		from := int(class[0]-'0') * 100
		return statusRange{from, from + 99}, true
	}
	code, err := strconv.Atoi(text)
	return statusRange{code, code}, err == nil && code >= 100 && code <= 599
}
