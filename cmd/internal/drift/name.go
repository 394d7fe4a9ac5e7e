package drift

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// meaning is what the digits of a member are, by its name.
type meaning int

const (
	unsaid meaning = iota // digits count as a code where they are as many as codes have
	within                // it is in a member for codes, and says nothing itself
	code
	other // an id, a day, an amount
)

// set tells of a word whether a text has it. The set is made for the first one that is asked
// for: most commands compare nothing.
func set(text string) func(word string) bool {
	all := sync.OnceValue(func() map[string]bool {
		all := map[string]bool{}
		for word := range strings.FieldsSeq(text) {
			all[word] = true
		}
		return all
	})
	return func(word string) bool { return all()[word] }
}

var (
	// codeWords are words of names whose digits are a code, codeParts what is in names that
	// are written as one word.
	codeWords = set("hs hts htsus cn ncm taric tariff tariffs heading headings subheading subheadings chapter commodity nomenclature customs harmonized harmonised classification classifications code codes")
	codeParts = []string{"hscode", "htscode", "htsno", "hsno", "hsnumber", "tariff", "commodity", "nomenclature", "heading", "classif", "harmoni"}
	// notCode are words before code that make it another.
	notCode = set("postal zip country currency language status error reason response promo coupon trace area company bar qr product item account region state exit dial dialing location warehouse customer supplier")
	// plainWords say nothing of what a number is.
	plainWords = set("value number no text num digits")
	// idWords end names of what is no code, whatever stands before them.
	idWords = set("id ids uuid guid ref reference trace request correlation date time timestamp at version edition year key hash token session etag url uri href link ms millis seconds duration epoch expires")
	// otherWords end the names of other things.
	otherWords = set(`serial sku ean gtin upc isbn asin mpn seq sequence account customer phone fax mobile zip postal postalcode zipcode batch price amount weight quantity total
		transaction tracking invoice order shipment parcel elapsed took ttl ts created updated modified website email vat eori count size length width height depth page offset limit cursor nonce
		score confidence probability rank percent rate duty relevance lat latitude lon longitude`)
	otherParts = []string{"id", "ids", "uuid", "ref", "date", "time", "timestamp", "number", "serial"}
)

// nameWords are the words of a name in lower case: hsCode, hs_code, HS-Code and hs8 are hs
// and code, and hs.
func nameWords(name string) []string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		switch {
		case unicode.IsUpper(r):
			if lower {
				b.WriteByte(' ')
			}
			b.WriteRune(unicode.ToLower(r))
		case unicode.IsLetter(r):
			b.WriteRune(r)
		default: // digits too
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
	}
	return strings.Fields(b.String())
}

// meaningOf is what digits are in a member, by its name and, where that says nothing, by
// those of the members that it is in.
func meaningOf(names []string) meaning {
	if len(names) == 0 {
		return unsaid
	}
	own := names[len(names)-1]
	m, plain := nameMeans(own)
	if m != unsaid {
		return m
	}
	for _, name := range slices.Backward(names[:len(names)-1]) {
		switch around, _ := nameMeans(name); {
		case around == code:
			return within
		case around == other && plain:
			return other
		}
	}
	return unsaid
}

// nameMeans is what one name says. A plain one, such as value, says nothing at all.
func nameMeans(name string) (m meaning, plain bool) {
	words := nameWords(name)
	if len(words) == 0 {
		return unsaid, false
	}
	whole, last := strings.Join(words, ""), words[len(words)-1]
	codes := slices.ContainsFunc(words, codeWords) ||
		slices.ContainsFunc(codeParts, func(part string) bool { return strings.Contains(whole, part) })
	ends := func(parts []string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.HasSuffix(last, part) })
	}
	switch {
	case idWords(last), strings.HasPrefix(last, "code") && len(words) > 1 && notCode(words[len(words)-2]):
		return other, false
	case codes:
		return code, false
	case plainWords(last) && len(words) == 1:
		return unsaid, true
	case plainWords(last), otherWords(last), len(words) == 1 && ends(otherParts):
		return other, false
	}
	return unsaid, false
}
