package scenario

import (
	"strconv"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

// zeros finds codes whose first 0 was taken away, as spreadsheets do and numbers of JSON: tea
// would be compared as 9021, and be wrong with each answer. Digits stand in pairs but in a
// few countries, whose codes are genuine where one of that length can't have lost a 0.
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
	if len(digits)%2 == 0 || !subheading("0"+digits) || subheading(digits) && z.genuine[len(digits)] {
		return ""
	}
	return "the wanted code " + strconv.Quote(code) + " has lost its first 0, as in a spreadsheet or a number of JSON: write the text " + strconv.Quote("0"+digits)
}

// subheading tells whether a code is under a subheading of the Harmonized System.
func subheading(digits string) bool { return len(digits) >= 6 && nomenclature.Exists(digits[:6]) }
