package drift

import (
	"encoding/json"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Codes of the Harmonized System are written as digits alone or with dots or spaces
// between them: 6109, 6109.10, 6109.10.00.12, 6109 10 00.
var (
	plainCode  = pattern.New(`^\d{4,12}$`)
	dottedCode = pattern.New(`^\d{4}[. ]\d{2}([. ]?\d{2,4}){0,3}$`)
	inText     = pattern.New(`\b\d{4}\.\d{2}(\.\d{2,4}){0,3}\b|\b\d{10}\b`)
)

// codeName is how members with a code are named, and otherName how those are whose
// digits are something else: of a member named for neither, digits count as a code where
// they are as many as codes have.
var (
	codeName  = pattern.New(`(?i)(codes?|headings?|hs|hs6|hts|hts\d+|cn|cn8|taric|tariff)$`)
	otherName = pattern.New(`(?i)(ids?|uuid|guid|ref|reference|trace|request|correlation|number|no|serial|sku|ean|gtin|upc|date|time|timestamp|at|version|edition|year|seq|sequence|account|customer|phone|zip|postal|postalcode|zipcode|batch|key|hash|token|session|etag|price|amount|value|weight|quantity|total)$`)
)

// digitsOf are the digits of an HS code; empty for what is none. Name is that of the
// member that the value, or the list around it, belongs to.
func digitsOf(name string, v any) string {
	text := ""
	number := false
	switch v := v.(type) {
	case string:
		text = strings.TrimSpace(v)
	case json.Number:
		text, number = v.String(), true
	}
	named := codeName.MatchString(name) && !strings.HasSuffix(strings.ToLower(name), "postalcode") && !strings.HasSuffix(strings.ToLower(name), "zipcode")
	switch {
	case plainCode.MatchString(text):
		length := len(text) == 6 || len(text) == 8 || len(text) == 10
		if !named && (number || !length || otherName.MatchString(name)) {
			return ""
		}
	case dottedCode.MatchString(text):
		if !named && (number || otherName.MatchString(name)) {
			return ""
		}
	default:
		return ""
	}
	digits := strings.NewReplacer(".", "", " ", "").Replace(text)
	if strings.HasPrefix(digits, "00") { // there is no such chapter
		return ""
	}
	return digits
}

// codesIn are the codes in an answer that is no JSON.
func codesIn(body []byte) []string {
	var all []string
	for _, code := range inText.Regexp().FindAllString(string(body), -1) {
		all = append(all, strings.ReplaceAll(code, ".", ""))
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
