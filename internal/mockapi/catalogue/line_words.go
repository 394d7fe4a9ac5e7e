package catalogue

import (
	"iter"
	"strings"

	"github.com/hsharness/hsharness/internal/words"
)

// lineWord is a word of a description or of a text.
type lineWord struct {
	raw, stem string
	first     bool // the first after a semicolon or a bracket
}

// persons are the words that say who wears something. The search makes boys men; a
// schedule tells them apart.
var persons = byWord(`men=man mens=man man=man male=man gentleman=man gents=man
	women=woman womens=woman woman=woman lady=woman ladies=woman female=woman
	boy=boy boys=boy girl=girl girls=girl
	baby=child babies=child infant=child infants=child toddler=child toddlers=child newborn=child
	child=child children=child kid=child kids=child`)

// means is what a word of a text says besides, in the words of a schedule.
var means = func() map[string][]string {
	m := make(map[string][]string)
	for stems, also := range map[string]string{
		"polyester nylon acrylic spandex elastane viscose rayon microfiber modal polyamide chiffon": "man-made synthetic fiber textile",
		"cotton denim canvas linen wool silk knit lace velvet fabric cloth satin fleece jute mesh":  "textile fiber",
		"denim":           "cotton",
		"cashmere merino": "wool hair",
		"pvc silicone abs vinyl resin acrylic pu polycarbonate pet tpu pp pe": "plastic",
		"faux":                 "plastic",
		"stainless steel iron": "steel iron metal",
		"alloy zinc brass aluminum copper titanium": "metal base",
		"gold silver platinum":                      "precious metal",
		"wooden bamboo oak pine walnut":             "wood",
		"jean trouser pant legging":                 "trouser",
		"bike bicycle":                              "bicycle cycle",
		"car auto truck":                            "vehicle motor",
		"led":                                       "light diode",
		"usb rechargeable battery":                  "battery electric",
		"electric":                                  "electrical",
		"backpack rucksack":                         "backpack travel",
		"wallet purse clutch":                       "pocket",
		"baby toddler kid":                          "child",
	} {
		for s := range strings.FieldsSeq(stems) {
			m[s] = append(m[s], strings.Fields(also)...)
		}
	}
	return m
}()

// empty are words that tell no two lines apart.
var empty = wordSet(`a an and or the of to at in on as by from is are be which whether their its other others similar
	like kind used use for with containing more less percent weight over but each provided goods articles article
	valued value per not`)

// wordSet makes a set of the words in a text.
func wordSet(text string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(text) {
		m[w] = true
	}
	return m
}

// byWord makes a map of words written as from=to.
func byWord(text string) map[string]string {
	m := make(map[string]string)
	for p := range strings.FieldsSeq(text) {
		from, to, _ := strings.Cut(p, "=")
		m[from] = to
	}
	return m
}

// lineWords are the words of a text in order, in lower case.
func lineWords(text string) iter.Seq[lineWord] {
	return func(yield func(lineWord) bool) {
		text = strings.ToLower(text)
		if strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) >= 0 {
			text = words.Fold.Replace(text)
		}
		first := false
		for i := 0; i < len(text); {
			j := i
			for j < len(text) && (wordByte(text[j]) || text[j] == '-' && j > i && j+1 < len(text) && wordByte(text[j+1])) {
				j++
			}
			if j == i {
				first = first || strings.IndexByte(";()", text[i]) >= 0
				i++
				continue
			}
			raw := strings.TrimSuffix(strings.Trim(text[i:j], "'"), "'s")
			i = j
			w := lineWord{raw: raw, first: first}
			first = false
			switch {
			case raw == "" || empty[raw] || isMeasure(raw):
			case persons[raw] != "":
				w.stem = persons[raw]
			default:
				w.stem = spelled(words.Stem(raw))
			}
			if !yield(w) {
				return
			}
		}
	}
}

// spelled makes one of the spellings of the two schedules.
func spelled(s string) string {
	switch s {
	case "fibre":
		return "fiber"
	case "footwear":
		return "shoe"
	case "manmade":
		return "man-made"
	}
	return s
}

// saying is what a text says: words with how much each counts.
type saying struct{ words map[string]float64 }

func saidOf(text string) saying {
	s := saying{words: make(map[string]float64)}
	add := func(w string, n float64) { s.words[w] = max(s.words[w], n) }
	n := 0
	for w := range lineWords(text) {
		if n++; n > maxTokens {
			break
		}
		if w.stem == "" {
			continue
		}
		add(w.stem, 1)
		for part := range strings.SplitSeq(w.stem, "-") {
			if len(part) > 1 && part != w.stem {
				add(words.Stem(part), 1)
			}
		}
		for _, also := range means[w.stem] {
			add(also, 0.7)
		}
	}
	return s
}

// against tells whether a step is for somebody whom the text does not name, while it
// names somebody else; grown people are meant where nobody is named.
func (s saying) against(says []string) bool {
	child := s.words["child"] > 0
	nobody := !child && s.words["boy"]+s.words["girl"]+s.words["man"]+s.words["woman"] == 0
	named, meant := false, false
	for _, w := range says {
		switch w {
		case "man", "woman":
			named, meant = true, meant || nobody || s.words[w] > 0
		case "boy", "girl", "child":
			named, meant = true, meant || child || s.words[w] > 0
		}
	}
	return named && !meant
}
