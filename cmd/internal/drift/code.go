package drift

import (
	"encoding/json"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Codes of the Harmonized System are written as digits alone or with dots, spaces or
// dashes between them: 6109, 6109.10, 6109.10.00.12, 6109 10 00, 6109-10-00.
var (
	plainCode  = pattern.New(`^\d{4,12}$`)
	dottedCode = pattern.New(`^\d{4}[. ]\d{2}([. ]?\d{2,4}){0,3}$`)
	dashedCode = pattern.New(`^\d{4}-\d{2}(-?\d{2,4}){0,3}$`)
	shortCode  = pattern.New(`^\d{2}$`)
	prefixed   = pattern.New(`^[A-Za-z]{2,3}[:/ -]`)
	day        = pattern.New(`^(19|20)\d\d[.-](0[1-9]|1[0-2])[.-](0[1-9]|[12]\d|3[01])$`)
)

// What codes are in a sentence: those with two dots at least, and others where a word
// before them, or anywhere in it, says so.
var (
	inText    = pattern.New(`\b\d{4}\.\d{2}(\.\d{2,4}){1,3}\b`)
	shortText = pattern.New(`\b\d{4}\.\d{2}\b`)
	afterWord = pattern.New(`(?i)\b(?:hs|htsu?s?|cn|taric|(?:sub)?headings?|chapter|codes?|tariff|commodity)\b\W{1,3}(?:(?:code|no|number|is|line)\b\W{1,3}){0,2}(\d{4,12})\b`)
	codeTalk  = pattern.New(`(?i)\b(hs|htsu?s?|taric|(sub)?headings?|tariff|customs|classified|classification|nomenclature)\b`)
)

// digitsOf are the digits of an HS code; empty for what is none. Names are those of the
// members that the value, or the list around it, is in, the innermost last.
func digitsOf(names []string, v any) string {
	text := ""
	number := false
	switch v := v.(type) {
	case string:
		text = strings.ReplaceAll(strings.TrimSpace(v), "\u00a0", " ")
	case json.Number:
		text, number = v.String(), true
	}
	if text == "" {
		return ""
	}
	means := meaningOf(names)
	if at := prefixed.Regexp().FindString(text); at != "" && means != other {
		text = text[len(at):]
	}
	known := false
	switch {
	case day.MatchString(text) && means != code:
	case plainCode.MatchString(text):
		long := len(text) == 6 || len(text) == 8 || len(text) == 10
		known = means == code || means == within && (long || number && len(text) > 5) || means == unsaid && long && !number
	case dottedCode.MatchString(text):
		known = means == code || means != other && !number
	case dashedCode.MatchString(text):
		known = means == code
	case shortCode.MatchString(text):
		known = means == code && len(names) > 0 && strings.Contains(strings.ToLower(names[len(names)-1]), "chapter")
	}
	if digits := onlyDigits(text); known && !strings.HasPrefix(digits, "00") { // there is no such chapter
		return digits
	}
	return ""
}

// marks are what stands between the digits of a code.
var marks = strings.NewReplacer(".", "", " ", "", "-", "", "\u00a0", "")

// onlyDigits are those of a code, whatever it is a value of; empty for what has other
// characters.
func onlyDigits(text string) string {
	digits := marks.Replace(strings.TrimSpace(text))
	if strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || '9' < r }) {
		return ""
	}
	return digits
}

// forced are the digits of a value of which a rule says that it is a code.
func forced(v any) string {
	switch v := v.(type) {
	case string:
		return onlyDigits(v)
	case json.Number:
		return onlyDigits(v.String())
	}
	return ""
}

// codesIn are the codes in a text, in their order.
func codesIn(text string, talks bool) []string {
	if strings.Contains(text, "://") && !strings.Contains(text, " ") {
		return nil
	}
	var all []string
	for _, found := range inText.Regexp().FindAllString(text, -1) {
		if !day.MatchString(found) {
			all = append(all, onlyDigits(found))
		}
	}
	if talks || codeTalk.MatchString(text) {
		rest := inText.Regexp().ReplaceAllString(text, " ")
		for _, found := range shortText.Regexp().FindAllString(rest, -1) {
			all = append(all, onlyDigits(found))
		}
	}
	for _, found := range afterWord.Regexp().FindAllStringSubmatch(text, -1) {
		all = append(all, found[1])
	}
	return all
}

// first are the first n digits, all of them for 0.
func first(digits string, n int) string {
	if n == 0 || len(digits) < n {
		return digits
	}
	return digits[:n]
}
