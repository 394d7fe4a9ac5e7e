package learn

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
)

// time is when the answer was made, in the spelling that all of them have.
func (b *builder) time(place string, all []sight, constant bool) (shape.Value, bool) {
	layout, moments := "", map[int64]bool{}
	for i, s := range all {
		at, form := moment(s.v)
		if form == "" || i > 0 && !sameLayout(&layout, form) {
			return shape.Value{}, false
		}
		if i == 0 {
			layout = form
		}
		if gap := at.Sub(s.e.at); gap < -48*time.Hour || gap > 48*time.Hour {
			return shape.Value{}, false
		}
		moments[s.e.at.Unix()] = true
	}
	if constant && len(moments) > 1 && layout != time.DateOnly {
		return shape.Value{}, false
	}
	return shape.Of("$time " + layout), true
}

// sameLayout widens a layout by another that differs in its fraction alone.
func sameLayout(layout *string, other string) bool {
	if *layout == other {
		return true
	}
	fraction := regexp.MustCompile(`\.[09]+`)
	a, c := fraction.FindString(*layout), fraction.FindString(other)
	bare := func(s string) string { return fraction.ReplaceAllString(s, "") }
	if bare(*layout) != bare(other) {
		return false
	}
	longest := a
	if len(c) > len(a) {
		longest = c
	}
	*layout = strings.Replace(bare(other), "05", "05"+strings.ReplaceAll(longest, "0", "9"), 1)
	return true
}

// moment is the time that a value says, and its layout; empty for no time.
func moment(v shape.Value) (time.Time, string) {
	if v.Kind == shape.Number {
		n, err := strconv.ParseInt(v.Text, 10, 64)
		switch {
		case err != nil:
		case n > 1e9 && n < 1e10:
			return time.Unix(n, 0), "unix"
		case n > 1e12 && n < 1e13:
			return time.UnixMilli(n), "unixmilli"
		}
		return time.Time{}, ""
	}
	m := timeForm.FindStringSubmatch(v.Text)
	if m == nil {
		return time.Time{}, ""
	}
	layout := time.DateOnly
	if m[2] != "" {
		layout += m[2] + time.TimeOnly
		if m[4] != "" {
			layout += "." + strings.Repeat("0", len(m[4])-1)
		}
		switch m[5] {
		case "":
		case "Z":
			layout += "Z07:00"
		default:
			layout += "-07:00"
		}
	}
	at, err := time.Parse(layout, v.Text)
	if err != nil {
		return time.Time{}, ""
	}
	return at, layout
}
