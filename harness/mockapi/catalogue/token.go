package catalogue

import (
	"strings"
	"unicode"
)

// maxTokens bounds the work that one text can cause.
const maxTokens = 256

// token is a word of a text that may name something.
type token struct {
	text string // stem
	part int    // 0 where the goods are named; more after "for", "with" and the like
	seg  int    // counts commas, brackets and dashes: words of two segments make no compound
	cue  bool   // says for whom or of what
}

// tokenize splits a text into the words that may name goods: lower case,
// without possessives, plural endings, numbers, units and selling words.
// Hyphens and slashes split, except after the t of t-shirt and its like. With
// naming, "of" ends the part that names, as in our own short names.
func tokenize(text string, naming bool) []token {
	text = fold.Replace(strings.ToLower(text))
	var (
		out       []token
		part, seg int
		prefix    string // a single letter that waits for its word
	)
	for i := 0; i < len(text) && len(out) < maxTokens; {
		j := i
		for j < len(text) && wordByte(text[j]) {
			j++
		}
		if j == i { // between words
			if strings.IndexByte(",;:|()[]+&.", text[i]) >= 0 ||
				text[i] == '-' && i > 0 && text[i-1] == ' ' {
				seg++
				prefix = ""
			}
			i++
			continue
		}
		w := strings.Trim(text[i:j], "'")
		i = j
		w = strings.TrimSuffix(w, "'s")
		w = strings.ReplaceAll(w, "'", "")
		switch {
		case w == "" || isMeasure(w):
		case english.boundary[w], naming && w == "of":
			part++
			seg++
			prefix = ""
		case english.letter[w] && prefix == "":
			prefix = w
		case prefix == "" && (len(w) == 1 || english.stop[w]):
		default:
			s := prefix + stem(w)
			prefix = ""
			out = append(out, token{text: s, part: part, seg: seg, cue: english.cue[s]})
		}
	}
	return out
}

// wordByte reports whether b belongs to a word. Bytes of letters that fold
// does not know stay in their word.
func wordByte(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '\'' || b >= 0x80
}

// isMeasure reports whether w is a number, with or without a unit. The one
// word that begins with a digit and names goods is 3d.
func isMeasure(w string) bool { return unicode.IsDigit(rune(w[0])) && w != "3d" }
