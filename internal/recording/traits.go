package recording

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/words"
)

// traitKind is a class of what makes two requests alike.
type traitKind byte

const (
	wordTrait    traitKind = iota // the words of its texts, by their stems
	gramTrait                     // three letters of them in a row: typing mistakes, other languages
	countryTrait                  // where it goes to
	fieldTrait                    // a place with its value, where that is no text
	shapeTrait                    // a place
	traitKinds
)

// shares is how much each class counts, of 1 in all.
var shares = [traitKinds]float64{wordTrait: 0.55, gramTrait: 0.25, countryTrait: 0.1, fieldTrait: 0.06, shapeTrait: 0.04}

// trait is one thing that a request has. What it says of the goods, such as for whom they
// are, weighs less than what names them.
type trait struct {
	kind   traitKind
	text   string
	weight float32
}

// longestText bounds how much of a request is looked at, in bytes.
const longestText = 16 << 10

// traitsOf are what a request has, each once, without what is ignored.
func (s *Store) traitsOf(k Inputs, raw []byte) []trait {
	t := traiting{seen: map[traitKey]int{}}
	t.add(fieldTrait, "?"+k.Query, 1)
	for name, values := range k.Headers {
		t.add(fieldTrait, name+": "+strings.Join(values, ", "), 1)
	}
	if body, ok := treeOf(raw); ok {
		t.value("", "", body.without(s.ignore))
	} else {
		t.words(strings.ToValidUTF8(string(raw[:min(len(raw), longestText)]), " "))
	}
	return t.all
}

// largestCompared is the longest body whose members are looked at, in bytes.
const largestCompared = 1 << 20

type traitKey struct {
	kind traitKind
	text string
}

// traiting gathers traits.
type traiting struct {
	all  []trait
	seen map[traitKey]int
	text int // how much text was looked at
}

func (t *traiting) add(kind traitKind, text string, weight float32) {
	if i, ok := t.seen[traitKey{kind, text}]; ok {
		t.all[i].weight = max(t.all[i].weight, weight)
		return
	}
	t.seen[traitKey{kind, text}] = len(t.all)
	t.all = append(t.all, trait{kind, text, weight})
}

// value adds what a value has at a place; elements of a list are in no order. The name is
// that of the member it is, or is in.
func (t *traiting) value(at, name string, n node) {
	switch n.kind {
	case '{':
		for i := range n.items {
			child := n.child(i)
			t.value(at+"/"+child, child, n.items[i])
		}
		return
	case '[':
		for _, item := range n.items {
			t.value(at+"/*", name, item)
		}
		return
	}
	t.add(shapeTrait, at, 1)
	canonical, err := n.canonical(nil)
	if err != nil {
		canonical = n.text
	}
	if n.kind != '"' {
		t.add(fieldTrait, at+"="+string(canonical), 1)
		return
	}
	switch text := unquote(n.text); {
	case isCountry(name, text):
		t.add(countryTrait, strings.ToUpper(text), 1)
	case isText(text):
		t.words(text)
	default:
		t.add(fieldTrait, at+"="+text, 1)
		t.grams(strings.ToLower(text), 0.5)
	}
}

// isCountry tells the code of a country or a language from other texts.
func isCountry(name, text string) bool {
	if n := len(text); n < 2 || n > 3 || !strings.ContainsFunc(strings.ToLower(text), func(r rune) bool { return 'a' <= r && r <= 'z' }) {
		return false
	}
	name = strings.ToLower(name)
	for _, part := range []string{"country", "destination", "origin", "market", "region", "lang", "locale"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return text == strings.ToUpper(text)
}

// isText tells words from ids, codes and numbers.
func isText(text string) bool {
	letters, digits := 0, 0
	for _, r := range text {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r), r == '_':
			digits++
		}
	}
	return letters > 0 && (letters > digits || strings.ContainsRune(strings.TrimSpace(text), ' '))
}

// words adds those of a text: lower case, without accents, plural endings and
// possessives, t-shirt as one. The last one before "for", "with" or a comma names the
// goods. A text of nothing but words that name nothing has those.
func (t *traiting) words(text string) {
	t.text += len(text)
	if t.text > longestText {
		return
	}
	var empty []string
	last, prefix, named := -1, "", false
	boundary := func() {
		if last >= 0 && !named {
			t.all[last].weight *= 2
			named = true
		}
		last, prefix = -1, ""
	}
	folded := words.Fold.Replace(strings.ToLower(text))
	for len(folded) > 0 {
		word, rest, ends := cutWord(folded)
		folded = rest
		switch {
		case word == "":
		case words.English().Boundary[word]:
			boundary()
		case words.English().Letter[word]:
			prefix = word
			continue
		case words.English().Stop[word]:
			empty = append(empty, word)
		default:
			stem := prefix + words.Stem(word)
			weight := float32(1)
			if words.English().Cue[stem] {
				weight = 0.5
			}
			before := len(t.all)
			t.add(wordTrait, stem, weight)
			if before < len(t.all) {
				last = before
			}
			t.grams(stem, weight)
		}
		prefix = ""
		if ends {
			boundary()
		}
	}
	boundary()
	if !named {
		for _, word := range empty {
			t.add(wordTrait, word, 1)
			t.grams(word, 1)
		}
	}
}

// cutWord takes the first word off a text: letters and digits, of a script without spaces
// two characters. It tells whether the goods were named when it ends.
func cutWord(text string) (word, rest string, ends bool) {
	var b strings.Builder
	wide := 0
	for i, r := range text {
		if wide == 2 || wide == 1 && !isWide(r) {
			return b.String(), text[i-utf8.RuneLen(lastRune(b.String()))*(wide-1):], false
		}
		switch {
		case isWide(r):
			if b.Len() > 0 && wide == 0 {
				return b.String(), text[i:], false
			}
			wide++
			b.WriteRune(r)
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.M, r):
			b.WriteRune(r)
		case r == '\'' && b.Len() > 0:
		default:
			return possessive(b.String(), text[:i]), text[i+utf8.RuneLen(r):], strings.ContainsRune(",;:|()[]", r)
		}
	}
	return possessive(b.String(), text), "", false
}

// lastRune is that of a text, which has one.
func lastRune(text string) rune {
	r, _ := utf8.DecodeLastRuneInString(text)
	return r
}

// possessive is a word without its 's, as it was spelled.
func possessive(word, spelled string) string {
	if strings.HasSuffix(spelled, "'s") {
		return strings.TrimSuffix(word, "s")
	}
	return word
}

// isWide tells the characters of scripts that are written without spaces.
func isWide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// grams adds three letters in a row, and where the word begins and ends.
func (t *traiting) grams(word string, weight float32) {
	runes := []rune("^" + word + "$")
	if len(runes) == 3 {
		t.add(gramTrait, string(runes), weight)
	}
	for i := 0; i+3 <= len(runes) && len(runes) > 3; i++ {
		t.add(gramTrait, string(runes[i:i+3]), weight)
	}
}
