package scenario

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// Mismatch is one difference between an expectation and an answer.
type Mismatch struct {
	// Path says where in the answer: "status", "headers.content-type",
	// "json.items[0].hsCode".
	Path string
	// Want and Got are short texts for a message, values as JSON.
	Want, Got string
	// Pos is the expectation's place in the file.
	Pos Pos
}

func (m Mismatch) String() string { return fmt.Sprintf("%s: want %s, got %s", m.Path, m.Want, m.Got) }

// Match compares got, a decoded JSON value, with an expectation and lists the
// differences in the order of the file; path is what to call got.
//
// Numbers are equal by their exact value, however long they are (1 and 1.0, not
// 9007199254740993 and 9007199254740992), everything else by type and value.
// An object is compared by the members that want has: others are not looked
// at. An array must have the same length and is compared element by element.
// null matches null, not an absent member. In want these texts are patterns:
//
//	/re/                    a text, or a number's text, in which the regular
//	                        expression (RE2) is found
//	>= 1, > 1, <= 1, < 1    a number of that size
//	!= 1, != text           anything else; numbers by value
//	$any                    anything but null
//	$len 3, $len >= 3       an array, object or text of that length
//	$eq text                this text, whatever it looks like
//	$hscode, $hscode US     a code of the Harmonized System, of six digits or more;
//	                        one that can be declared in that country
//
// What a template puts into a pattern is taken literally, and a text that is
// one template and nothing else is never a pattern.
func Match(path string, want *Value, got any, env Env) []Mismatch {
	differs := func(w string) []Mismatch {
		return []Mismatch{{Path: path, Want: w, Got: show(got), Pos: want.Pos}}
	}
	switch want.Kind {
	case List:
		items, ok := got.([]any)
		if !ok {
			return differs("an array of " + strconv.Itoa(len(want.Items)))
		}
		if len(items) != len(want.Items) {
			return differs(fmt.Sprintf("an array of %d, not of %d", len(want.Items), len(items)))
		}
		var out []Mismatch
		for i, w := range want.Items {
			out = append(out, Match(path+"["+strconv.Itoa(i)+"]", w, items[i], env)...)
		}
		return out
	case Map:
		members, ok := got.(map[string]any)
		if !ok {
			return differs("an object")
		}
		var out []Mismatch
		for _, m := range want.Members {
			below := path + "." + m.Name
			g, ok := members[m.Name]
			if !ok {
				out = append(out, Mismatch{Path: below, Want: want.describe(m.Value), Got: "nothing: there is no such member", Pos: m.Value.Pos})
				continue
			}
			out = append(out, Match(below, m.Value, g, env)...)
		}
		return out
	}
	if want.matcher != nil {
		w, ok, err := want.matcher.match(got, env)
		switch {
		case err != nil:
			return differs(fmt.Sprintf("%s (%s)", want.Text.Text, err))
		case !ok:
			return differs(w)
		}
		return nil
	}
	w, err := want.Render(env)
	if err != nil {
		return differs(err.Error())
	}
	if !equal(w, got) {
		return differs(show(w))
	}
	return nil
}

// describe names what an expectation wants without evaluating it.
func (v *Value) describe(want *Value) string {
	switch want.Kind {
	case List:
		return "an array of " + strconv.Itoa(len(want.Items))
	case Map:
		return "an object"
	case String:
		if want.matcher != nil {
			return want.Text.Text
		}
		return strconv.Quote(want.Text.Text)
	default:
		return show(want.Scalar)
	}
}

// equal compares two values, numbers by their exact values and lists and maps
// by what they hold.
func equal(a, b any) bool {
	switch a := a.(type) { // the most frequent ones, of which a table may have millions
	case string:
		b, ok := b.(string)
		return ok && a == b
	case int:
		if b, ok := b.(int); ok {
			return a == b
		}
	}
	_, isNumber := exactOf(a)
	if order, ok := compareNumbers(a, b); ok || isNumber {
		return ok && order == 0
	}
	switch a.(type) {
	case string, bool, nil, Decimal: // a number of more digits than are compared by their value is a text
		return a == b
	case []any, map[string]any:
		switch b.(type) { // neither is written as one of these, however much it holds
		case string, bool, nil, int, float64, Decimal:
			return false
		}
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case isList(x) && isList(y):
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !equal(x.Index(i).Interface(), y.Index(i).Interface()) {
				return false
			}
		}
		return true
	case isObject(x) && isObject(y):
		if x.Len() != y.Len() {
			return false
		}
		for _, k := range x.MapKeys() {
			w := y.MapIndex(k.Convert(y.Type().Key()))
			if !w.IsValid() || !equal(x.MapIndex(k).Interface(), w.Interface()) {
				return false
			}
		}
		return true
	}
	// A value of another type that an expression made, such as a time.
	s, errA := json.Marshal(a)
	t, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(s) == string(t)
}

func isList(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

func isObject(v reflect.Value) bool {
	return v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String
}
