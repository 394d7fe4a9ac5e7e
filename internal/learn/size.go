package learn

import (
	"encoding/json"
	"fmt"

	"github.com/hsharness/hsharness/internal/recording"
)

// What one body may have: each value is compared with all that were seen at its place and
// below it, so that what it takes grows with the square of both.
const (
	mostValues = 10_000
	mostLevels = 100
)

// tooMuch says why nothing can be learned from a take for its size; empty where it can.
func tooMuch(take *recording.Take) string {
	for i, body := range [][]byte{take.Request.Body, take.Response.Body} {
		what := []string{"request", "answer"}[i]
		switch values, levels := size(body); {
		case values > mostValues:
			return fmt.Sprintf("its %s has more than %d values, and a shape of so many is not learned", what, mostValues)
		case levels > mostLevels:
			return fmt.Sprintf("its %s has %d levels, and a shape of more than %d is not learned", what, levels, mostLevels)
		}
	}
	return ""
}

// size is how many values a text of JSON has, about, and how deeply they are nested: none
// where it is another text.
func size(text []byte) (values, levels int) {
	if !json.Valid(text) {
		return 0, 0
	}
	depth := 0
	for c := range recording.Marks(text) {
		switch c {
		case '{', '[':
			values++
			depth++
			levels = max(levels, depth)
		case '}', ']':
			depth--
		case ',':
			values++
		}
	}
	return values, levels
}
