// Package check judges the codes in what was bought: whether they can be declared where
// the goods go, and what becomes of them in another edition. It may touch the project,
// its recordings and scenarios, and a correlation table that is named.
package check

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hsharness/hsharness/cmd/internal/drift"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/recording"
)

// Code is an HS code in a recording.
type Code struct {
	Recording string `json:"recording"`
	File      string `json:"file"`
	// Take is which one of the file, from 1.
	Take int `json:"take"`
	// At is the JSON pointer of the code in the answer's body; empty in one that is no
	// JSON.
	At string `json:"at"`
	// Code is as it is written, and Country where the goods go, empty where nothing
	// says so.
	Code    string `json:"code"`
	Country string `json:"country"`
	// Edition is the table that it was looked for in, and Why what is wrong with it.
	Edition string `json:"edition,omitempty"`
	Why     string `json:"why,omitempty"`

	digits        string
	of            string // the editions that the recording names
	international bool   // six digits or fewer are meant
	unread        bool   // it stands for all codes of an answer, which nobody looked at
}

// Result is what was found in all recordings.
type Result struct {
	Recordings int `json:"recordings"`
	Codes      int `json:"codes"`
	// Illegal can't be declared, and Unjudged nobody knows: there is no schedule.
	Illegal  []Code `json:"illegal"`
	Unjudged []Code `json:"unjudged"`
}

// Legal judges each code of all answers.
func Legal(all iter.Seq[*recording.Recording], schedules *nomenclature.Schedules) Result {
	r := Result{Illegal: []Code{}, Unjudged: []Code{}}
	for _, c := range codes(all, &r.Recordings) {
		if c.unread {
			c.Why = fmt.Sprintf("the places of its values have more than %d MB", maxPlaces>>20)
			r.Unjudged = append(r.Unjudged, c)
			continue
		}
		r.Codes++
		err := c.judge(schedules)
		var illegal *nomenclature.NotLegalError
		var unknown *nomenclature.NoScheduleError
		switch {
		case errors.As(err, &illegal):
			c.Edition, c.Why = illegal.Edition, illegal.Why
			r.Illegal = append(r.Illegal, c)
		case errors.As(err, &unknown):
			c.Why = unknown.Why
			r.Unjudged = append(r.Unjudged, c)
		}
	}
	return r
}

func (c Code) judge(schedules *nomenclature.Schedules) error {
	if !c.international {
		return schedules.Legal(c.Country, c.digits)
	}
	if _, ok := nomenclature.HS().Find(c.digits[:min(6, len(c.digits)&^1)]); ok {
		return nil
	}
	return &nomenclature.NotLegalError{Code: c.Code, Edition: nomenclature.HS().Edition(), Why: "does not exist in " + nomenclature.HS().Edition()}
}

// Print says what can't be declared, and what nobody knows.
func (r Result) Print(w io.Writer) {
	for _, c := range r.Illegal {
		fmt.Fprintf(w, "%s: %s\n", c.place(), show.Plain(c.Code+" "+c.Why))
	}
	for _, c := range r.Unjudged {
		fmt.Fprintf(w, "%s: %s\n", c.place(), show.Plain(cmp.Or(c.Code, "the answer")+" can't be judged: "+c.Why))
	}
	fmt.Fprintf(w, "%d codes in %d recordings: %d can't be declared, %d can't be judged\n", r.Codes, r.Recordings, len(r.Illegal), len(r.Unjudged))
}

func (c Code) place() string {
	text := show.Plain(c.File)
	if c.Take > 1 {
		text += " take " + strconv.Itoa(c.Take)
	}
	if c.At != "" {
		text += " " + show.Plain(c.At)
	}
	if c.Country != "" {
		text += " (" + c.Country + ")"
	}
	return text
}

// codes are those in all takes that were answers or wait to be accepted. It counts the
// recordings.
func codes(all iter.Seq[*recording.Recording], recordings *int) []Code {
	var found []Code
	for rec := range all {
		*recordings++
		for i := range rec.Takes {
			take := &rec.Takes[i]
			if take.Standing() == recording.Evidence {
				continue
			}
			request := recording.Parsed(take.Request.Body)
			in := reader{left: maxPlaces, request: request, anywhere: sync.OnceValue(func() string { return anyCountry(request) }), code: Code{Recording: show.Key(rec.Key), File: show.Path(rec.File), Take: i + 1, of: take.Edition}}
			if body := recording.Parsed(take.Response.Body); body != nil {
				in.walk(body, "", nil, "")
			} else {
				for _, digits := range drift.InText(take.Response.Body) {
					in.add("", digits, digits, nil, "")
				}
			}
			if in.left < 0 {
				in.code.unread = true
				in.found = []Code{in.code}
			}
			found = append(found, in.found...)
		}
	}
	return found
}

// reader finds the codes of one answer.
type reader struct {
	request any
	// anywhere is the one destination in the request, once it was looked for.
	anywhere func() string
	code     Code
	found    []Code
	left     int // bytes of places that may still be written out
}

// maxPlaces is how many bytes the places of all values of an answer may have: of one name of
// a megabyte each of those below it has one as long.
const maxPlaces = 64 << 20

// longestName is how much of a name's end is looked at for what it means, in bytes: it is for
// each value below it.
const longestName = 200

// international is what members with six digits or fewer are called.
var international = pattern.New(`(?i)(hs_?6|sub_?heading|heading|chapter)(_?codes?)?$`)

// walk looks below a value at a place, in members of these names, in objects of which the
// nearest that says it is for that country.
func (r *reader) walk(v any, at string, names []string, in string) {
	if r.left -= len(at); r.left < 0 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		in = cmp.Or(countryIn(v), in)
		for _, name := range sorted(v) {
			if r.left < 0 {
				return
			}
			r.walk(v[name], at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), append(slices.Clip(names), name[max(len(name)-longestName, 0):]), in)
		}
	case []any:
		for i, e := range v {
			if r.left < 0 {
				return
			}
			r.walk(e, at+"/"+strconv.Itoa(i), names, in)
		}
	default:
		if digits := drift.Digits(names, v); digits != "" {
			r.add(at, fmt.Sprint(v), digits, names, in)
		}
	}
}

func (r *reader) add(at, text, digits string, names []string, in string) {
	c := r.code
	c.At, c.Code, c.digits = at, text, digits
	c.Country = r.country(at, in)
	c.international = len(names) > 0 && international.MatchString(names[len(names)-1]) || len(digits) == 6 && r.six()
	r.found = append(r.found, c)
}

// country is the destination that stands nearest to a code: beside it in the answer,
// further out, then in the request, in the item of the same place first.
func (r *reader) country(at, in string) string {
	if in != "" {
		return in
	}
	v, best := r.request, ""
	for step := range strings.SplitSeq(strings.TrimPrefix(at, "/"), "/") {
		if object, ok := v.(map[string]any); ok {
			if c := countryIn(object); c != "" {
				best = c
			}
			v = object[step]
		} else if list, ok := v.([]any); ok {
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(list) {
				break
			}
			v = list[i]
		}
	}
	if object, ok := v.(map[string]any); ok && countryIn(object) != "" {
		return countryIn(object)
	}
	return cmp.Or(best, r.anywhere())
}

// six tells whether the request asks for six digits: an activity of the managed API.
func (r *reader) six() bool {
	object, _ := r.request.(map[string]any)
	activity, _ := object["activity"].(string)
	return strings.HasSuffix(activity, "HS6")
}

// destination is what members with the country of destination are called.
var destination = pattern.New(`(?i)^(country_?of_?destination|destination(_?country)?(_?code)?|(import|to|ship_?to)_?country(_?code)?|country(_?code)?)$`)

// countryIn is a destination among an object's members.
func countryIn(object map[string]any) string {
	for _, name := range sorted(object) {
		text, _ := object[name].(string)
		if text = strings.ToUpper(strings.TrimSpace(text)); destination.MatchString(name) && nomenclature.IsCountry(text) {
			return text
		}
	}
	return ""
}

// anyCountry is the one destination in a value; of several it is none.
func anyCountry(v any) string {
	var all []string
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if c := countryIn(v); c != "" && !slices.Contains(all, c) {
				all = append(all, c)
			}
			for _, name := range sorted(v) {
				look(v[name])
			}
		case []any:
			for _, e := range v {
				look(e)
			}
		}
	}
	if look(v); len(all) == 1 {
		return all[0]
	}
	return ""
}

func sorted(object map[string]any) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
