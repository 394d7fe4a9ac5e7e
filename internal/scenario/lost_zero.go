package scenario

import (
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

// zeros finds codes whose first 0 was taken away, as spreadsheets do and numbers of JSON: tea
// would be compared as 9021, and be wrong with each answer. Digits stand in pairs but in a
// few countries, whose codes are genuine where one of that length can't have lost a 0, or
// where a heading stands by itself.
type zeros struct {
	genuine map[int]bool // by length
}

// newZeros looks at all codes that are wanted.
func newZeros(codes []string) zeros {
	z := zeros{map[int]bool{}}
	for _, code := range codes {
		if digits := nomenclature.Digits(code); len(digits)%2 == 1 && subheading(digits) && !subheading("0"+digits) {
			z.genuine[len(digits)] = true
		}
	}
	return z
}

// problem says what is wrong with a code, empty where nothing is.
func (z zeros) problem(code string) string {
	digits := nomenclature.Digits(code)
	ambiguous := subheading(digits)
	if len(digits)%2 == 0 || !subheading("0"+digits) || ambiguous && (z.genuine[len(digits)] || parted(code)) {
		return ""
	}
	problem := "the wanted code " + strconv.Quote(code) + " has lost its first 0, as in a spreadsheet or a number of JSON: write the text " + strconv.Quote("0"+digits)
	if ambiguous {
		problem += ", or if it has lost none " + strconv.Quote(digits[:4]+"."+digits[4:])
	}
	return problem
}

// parted tells whether a heading stands by itself in a code: it has lost nothing.
func parted(code string) bool {
	heading, _, found := strings.Cut(strings.TrimSpace(code), ".")
	return found && len(nomenclature.Digits(heading)) == 4
}

// subheading tells whether a code is under a subheading of the Harmonized System.
func subheading(digits string) bool { return len(digits) >= 6 && nomenclature.Exists(digits[:6]) }
