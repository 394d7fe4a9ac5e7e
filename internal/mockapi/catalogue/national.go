package catalogue

import "strings"

// defaultLength is the length for countries that the table below does not
// name: ten is the commonest (assumed).
const defaultLength = 10

// lengths is the number of digits of an import code by country (ISO 3166-1
// alpha-2). "3P" means that a third party's page says so, "assumed" that it is
// general knowledge to be checked before anyone relies on it.
var lengths = func() map[string]int {
	m := map[string]int{
		"US": 10, // HTS; 3P
		"GB": 10, // UK Global Tariff; 3P
		"XI": 10, // Northern Ireland, as the EU; assumed
		"CN": 10, // 13 with the inspection suffix; 3P
		"JP": 9,  // 3P
		"TR": 12, // GTIP; 3P
		"BR": 8,  // NCM of Mercosur; 3P
		"AR": 8,  // NCM; assumed to be the same
		"PY": 8,
		"UY": 8,
		"CA": 10, // assumed
		"AU": 8,  // 10 with the statistical part; assumed
		"IN": 8,  // assumed
		"MX": 8,  // 10 with NICO; assumed
		"CH": 8,  // 11 with the statistical part; assumed
		"KR": 10, // assumed
		"NO": 8,  // assumed
	}
	// TARIC's ten digits in the members of the European Union; 3P.
	for c := range strings.FieldsSeq("EU AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK") {
		m[c] = 10
	}
	return m
}()

// Length is the number of digits of an import code in a country (ISO 3166-1
// alpha-2, either case): ten where the table does not know the country.
func Length(country string) int {
	if n, ok := lengths[strings.ToUpper(strings.TrimSpace(country))]; ok {
		return n
	}
	return defaultLength
}

// National makes a six-digit code as long as the country's import codes, with
// zeros, and reports whether it did: the zeros are filling, not a tariff line,
// and an answer should say so. A code that is long enough comes back as it is.
// Dots and spaces are taken out.
func National(hs6, country string) (code string, padded bool) {
	code = digits(hs6)
	missing := Length(country) - len(code)
	if missing <= 0 {
		return code, false
	}
	return code + strings.Repeat("0", missing), true
}
