package catalogue

import (
	"strings"
	"unicode"

	"github.com/hsharness/hsharness/internal/words"
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

// tokenize appends to dst, which is empty, the words of a text that may name
// goods: lower case, without possessives, plural endings, numbers, units and
// selling words. Hyphens and slashes split, except after the t of t-shirt and
// its like. With naming, "of" ends the part that names, as in our short names.
func tokenize(dst []token, text string, naming bool) []token {
	text = strings.ToLower(text)
	if strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) >= 0 {
		text = words.Fold.Replace(text)
	}
	var (
		part, seg int
		prefix    string // a single letter that waits for its word
		measured  bool   // the word before was a number
	)
	for i := 0; i < len(text) && len(dst) < maxTokens; {
		j := i
		for j < len(text) && wordByte(text[j]) {
			j++
		}
		if j == i { // between words
			if separates(text, i) {
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
		case w == "":
		case isMeasure(w):
			prefix, measured = "", true
			continue
		case words.English().Boundary[w], naming && w == "of":
			part++
			seg++
			prefix = ""
		case words.English().Letter[w] && !measured: // not the x of 6 x 330 ml
			prefix = w
		case len(w) == 1, words.English().Stop[w]:
			prefix = ""
		default:
			s := prefix + words.Stem(w)
			prefix = ""
			dst = append(dst, token{text: s, part: part, seg: seg, cue: words.English().Cue[s]})
		}
		measured = false
	}
	return dst
}

// separates reports whether what follows text[i] is a remark of its own: after
// a comma, a bracket or a free-standing dash, but not inside 1.5 or 10,000.
func separates(text string, i int) bool {
	switch text[i] {
	case ';', ':', '|', '(', ')', '[', ']':
		return true
	case ',':
		return i+1 == len(text) || !unicode.IsDigit(rune(text[i+1]))
	case '.', '-':
		return i+1 < len(text) && text[i+1] == ' ' && i > 0 && (text[i] == '.' || text[i-1] == ' ')
	}
	return false
}

// wordByte reports whether b belongs to a word. Bytes of letters that fold
// does not know stay in their word.
func wordByte(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '\'' || b >= 0x80
}

// marks are the words that begin with a digit and say what goods are: the marks of
// precious metal, and 3d.
var marks = map[string]bool{"3d": true, "925": true, "9k": true, "10k": true, "14k": true, "18k": true, "22k": true, "24k": true}

// isMeasure reports whether w is a number, with or without a unit.
func isMeasure(w string) bool { return unicode.IsDigit(rune(w[0])) && !marks[w] }
