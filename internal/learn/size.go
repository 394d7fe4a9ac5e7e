package learn

import (
	"encoding/json"
	"fmt"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/recording"
)

// What one body may have: each value is compared with all that were seen at its place and
// below it, so that what it takes grows with the square of both. The place of a value has the
// names of all that it is in, so that one name of a megabyte makes thousands as long.
const (
	mostValues = 10_000
	mostLevels = 100
	mostPlaces = 8 << 20 // bytes of the places of all values
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
		case places(body) > mostPlaces:
			return fmt.Sprintf("the places of the values of its %s have more than %d MB, and a shape of such long names is not learned", what, mostPlaces>>20)
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

// places is how many bytes the places of all values have in a text of JSON that is not too
// large; none in another.
func places(text []byte) (all int) {
	var take func(v shape.Value, at int)
	take = func(v shape.Value, at int) {
		all += at
		for i, item := range v.Items {
			if v.Kind == shape.Object {
				take(item, at+len(v.Names[i])+1)
			} else {
				take(item, at+len("/*"))
			}
		}
	}
	v, err := shape.Parse(text)
	if err == nil {
		take(v, 0)
	}
	return all
}
