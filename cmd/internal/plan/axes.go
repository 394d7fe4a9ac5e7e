package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/scenario"
)

// Axis is a way to tell what a case covers.
type Axis string

// The axes, in the order in which they count where nothing else is said. Age and weight
// are of each case by itself; of the others what is covered once counts once.
const (
	Heading   Axis = "heading"   // four digits, as recorded or as the mock guesses
	Chapter   Axis = "chapter"   // the first two of them
	Country   Axis = "country"   // of destination
	Operation Axis = "operation" // as the price list calls it
	File      Axis = "scenario"  // the file
	Age       Axis = "age"       // of the recording, the older the better; none is the oldest
	Weight    Axis = "weight"    // of the file, the more the better
)

// allAxes are all of them, in order.
var allAxes = []Axis{Heading, Chapter, Country, Operation, File, Age, Weight}

// ParseAxes reads a list with commas: these count first, in this order, and the others
// after them.
func ParseAxes(text string) ([]Axis, error) {
	var axes []Axis
	for _, word := range strings.Split(text, ",") {
		a := Axis(strings.TrimSpace(word))
		switch {
		case text == "":
		case !slices.Contains(allAxes, a):
			return nil, fmt.Errorf("%q is no axis: want some of %s, with commas", a, axisNames())
		case slices.Contains(axes, a):
			return nil, fmt.Errorf("axis %s is named twice", a)
		default:
			axes = append(axes, a)
		}
	}
	for _, a := range allAxes {
		if !slices.Contains(axes, a) {
			axes = append(axes, a)
		}
	}
	return axes, nil
}

func axisNames() string {
	var names []string
	for _, a := range allAxes {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}

// trait is something that a case covers, and of how much worth of [most].
type trait struct {
	axis  Axis
	name  string
	worth int64
}

// most is the worth of what is covered or not, and of the oldest.
const most = 8

// traits reads what a case covers off its requests. Name is that of the case among all.
type reader struct {
	guessed map[string][]mockapi.Guess // by body
	now     time.Time
}

// longestCountry is how many bytes a country of ISO 3166 has at most. Anything longer is none,
// and may be a variable's secret that a case sends to see it refused: no plan names it.
const longestCountry = 3

func (r *reader) traits(s *scenario.Scenario, name string, asks []scenario.Ask, operation func(scenario.Ask) string) []trait {
	out := []trait{{File, s.File, most}}
	add := func(axis Axis, name string) {
		if t := (trait{axis, name, most}); name != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	age := int64(0)
	for _, a := range asks {
		add(Operation, operation(a))
		if a.Body == nil {
			continue
		}
		for _, g := range r.guess(a) {
			code := g.HS6
			if len(code) >= 4 {
				add(Heading, code[:4])
				add(Chapter, code[:2])
			}
			if len(g.Country) <= longestCountry {
				add(Country, g.Country)
			}
		}
		if a.Buys > 0 {
			age = max(age, r.age(a))
		}
	}
	return append(out, trait{Age, name, max(1, age)}, trait{Weight, name, most})
}

// guess is what the goods of a request are: what was answered, where that is recorded and
// is about one, and else what the mock takes them for.
func (r *reader) guess(a scenario.Ask) []mockapi.Guess {
	body, err := json.Marshal(a.Body)
	if err != nil {
		return nil
	}
	guesses, ok := r.guessed[string(body)]
	if !ok {
		guesses = mockapi.Guesses(body)
		r.guessed[string(body)] = guesses
	}
	if a.Found.Answer == nil || len(guesses) != 1 {
		return guesses
	}
	if code := codeIn(a.Found.Answer.Response.Body); code != "" {
		return []mockapi.Guess{{HS6: code, Country: guesses[0].Country}}
	}
	return guesses
}

// codeIn is the code in an answer, empty where it has none.
func codeIn(body []byte) string {
	var fields map[string]json.RawMessage
	var code string
	if json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields["hsCode"], &code) != nil {
		return ""
	}
	code = strings.NewReplacer(".", "", " ", "").Replace(code)
	if len(code) < 4 || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	return code
}

// age is how old the answer is that a request has, from 1 for one of today to [most] for
// one of more than a year or none.
func (r *reader) age(a scenario.Ask) int64 {
	if a.Found.Answer == nil {
		return most
	}
	days := int(r.now.Sub(a.Found.Answer.RecordedAt).Hours() / 24)
	worth := int64(1)
	for _, limit := range []int{1, 7, 30, 90, 180, 270, 365} {
		if days >= limit {
			worth++
		}
	}
	return worth
}
